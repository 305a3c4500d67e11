"""Evidence packages: each check holds for a good one, and each is broken by exactly what it is there for."""

import dataclasses
import functools
import random
import shutil
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palermo.sealing import bagit, dsse, package, records
from palermo.sealing.archive import write_zip
from palermo.sealing.case_graph import custody_graph
from palermo.sealing.custody import Verb, claimed_certificate, sign_certificate
from palermo.sealing.directory import AuthorityEntry, SigningKeyPeriod, TrustRoot
from palermo.sealing.errors import FormatError, PackageError
from palermo.sealing.timestamp import stamp_request
from palermo.sealing.verify import STEPS, Report, Verdict, verify_package

NetworkFixture = Any
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
PACKAGE_ID = "BO-PKG-2026-000001"


@pytest.fixture
def unpacked(package_file: Path, tmp_path: Path) -> Path:
    """The good package as a folder."""
    with zipfile.ZipFile(package_file) as file:
        file.extractall(tmp_path)
    return tmp_path / "BO-PKG-2026-000001"


def test_a_good_package_is_proven_step_by_step(package_file: Path, network: NetworkFixture) -> None:
    report = verify_package(package_file, network.trust_root, network.now)
    assert [check.name for check in report.checks if not check.ok] == ["time stamp"], report
    assert [check.number for check in report.checks] == list(range(1, len(STEPS) + 1))
    assert report.verdict is Verdict.PROVEN
    assert report.fingerprint == network.trust_root.fingerprint
    assert report.first_failure is None
    assert report.manifest is not None
    assert report.manifest.items[0].name == "Kontoauszüge (März).csv"
    assert report.manifest.items[0].path == "data/0001-Kontoausz-ge-M-rz-.csv"


def test_a_stamped_package_holds_in_every_step(network: NetworkFixture, stamper: Any, tmp_path: Path) -> None:
    path, at = stamped(network, stamper, tmp_path)
    report = verify_package(path, network.trust_root, at)
    assert [check.ok for check in report.checks] == [True] * len(STEPS), report
    assert "Stamps of Example" in report.checks[-3].detail


def stamped(network: NetworkFixture, stamper: Any, folder: Path, **changes: Any) -> tuple[Path, datetime]:
    """A package with a stamp by this machine's clock, sealed now; ``changes`` to what is stamped and listed."""
    listed = network.signed_directory(timestamp_authorities=(changes.get("root", stamper.root),))
    made = network.draft(directory=listed, created_at=changes.get("created_at", network.now))
    reply = stamper.stamp(stamp_request(changes.get("message", made.manifest)))
    at = changes.get("sealed_at", datetime.now(UTC))
    return network.seal(folder / "stamped.zip", made, time_stamp=reply, sealed_at=at), at


@pytest.mark.parametrize(
    "fault", ["other bytes", "another authority", "before the manifest", "after the seal", "followed by a byte"]
)
def test_the_time_stamp_alone_is_broken(
    fault: str, network: NetworkFixture, stamper: Any, package_file: Path, tmp_path: Path
) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    changes: dict[str, Any] = {
        "other bytes": {"message": b"another manifest"},
        "another authority": {"root": _certificate()},
        "before the manifest": {"created_at": later, "sealed_at": later},
        "after the seal": {"sealed_at": network.now},
    }.get(fault, {})
    path, at = stamped(network, stamper, tmp_path, **changes)
    if fault == "followed by a byte":
        made = network.draft(directory=network.signed_directory(timestamp_authorities=(stamper.root,)))
        network.seal(path, made, time_stamp=stamper.stamp(stamp_request(made.manifest)) + b"\0", sealed_at=at)
    assert_only(
        "time stamp", verify_package(path, network.trust_root, at), verify_package(package_file, network.trust_root, at)
    )


def test_a_stamp_of_an_authority_that_the_network_does_not_list_proves_nothing(
    network: NetworkFixture, stamper: Any, tmp_path: Path
) -> None:
    made = network.draft()
    path = network.seal(tmp_path / "x", made, time_stamp=stamper.stamp(stamp_request(made.manifest)))
    report = verify_package(path, network.trust_root)
    assert report.verdict is Verdict.UNPROVEN
    assert [check.name for check in report.checks if check.lacking] == ["time stamp"]


def test_too_few_witnesses_leave_it_unproven(network: NetworkFixture, tmp_path: Path) -> None:
    made = network.draft()
    path = network.seal(tmp_path / "x", made, network.prove(made.manifest_digest, witnesses=("DA-FIU",)))
    report = verify_package(path, network.trust_root)
    assert report.verdict is Verdict.UNPROVEN
    assert [check.name for check in report.checks if check.lacking] == ["witnesses"]
    assert "1 of 3" in report.checks[12].detail


def test_a_network_without_witnesses_of_two_states_has_none_to_lack(network: NetworkFixture, tmp_path: Path) -> None:
    for witnesses in ((), ("AU-POL", "BO-CA")):
        made = network.draft(directory=network.signed_directory(witnesses=witnesses))
        path = network.seal(tmp_path / "x", made, network.prove(made.manifest_digest, witnesses=()))
        report = verify_package(path, network.trust_root)
        assert report.verdict is Verdict.PROVEN
        assert report.checks[12].ok is None


def test_steps_that_nobody_signed_leave_it_unproven(network: NetworkFixture, tmp_path: Path) -> None:
    unsigned = [dataclasses.replace(event, signed=b"") for event in network.custody()]
    report = verify_package(network.seal(tmp_path / "x", network.draft(custody=unsigned)), network.trust_root)
    assert report.verdict is Verdict.UNPROVEN
    assert [check.name for check in report.checks if check.lacking] == ["custody signatures"]


def test_without_a_trust_root_it_is_intact_and_no_more(package_file: Path) -> None:
    report = verify_package(package_file, None)
    assert report.verdict is Verdict.UNPROVEN
    assert report.checks[-1].ok is None
    assert report.fingerprint is None


def test_under_another_networks_root_it_is_refused(package_file: Path, other_network: NetworkFixture) -> None:
    report = verify_package(package_file, other_network.trust_root)
    assert report.verdict is Verdict.REFUSED
    assert report.first_failure is not None
    assert report.first_failure.name == "origin"


def test_unpacked_it_verifies_as_well(unpacked: Path, network: NetworkFixture) -> None:
    assert verify_package(unpacked, network.trust_root).verdict is Verdict.PROVEN


def test_a_package_that_is_not_there_fails_its_first_check(tmp_path: Path) -> None:
    report = verify_package(tmp_path / "absent", None)
    assert report.first_failure is not None
    assert report.first_failure.number == 1
    assert {check.ok for check in report.checks[1:]} == {None}


def failing(report: Report) -> str:
    """The step that fails first."""
    assert report.verdict is Verdict.REFUSED
    assert report.first_failure is not None
    return report.first_failure.name


Breaker = Callable[[NetworkFixture, Path], object]


def reseal(
    network: NetworkFixture,
    path: Path,
    changes: dict[str, bytes],
    *,
    more: dict[str, bytes] | None = None,
    drop: str = "",
    base: str = PACKAGE_ID,
) -> None:
    """A package in which files were replaced, added or dropped, all listed and sealed anew by the provider itself."""
    made = network.draft()
    tags = {
        package.MANIFEST: made.manifest,
        package.DIRECTORY: made.directory,
        package.TRUST_ROOT: made.trust_root,
        package.LEDGER: records.to_bytes(network.prove(made.manifest_digest)),
        package.CUSTODY_GRAPH: custody_graph(package.read_manifest(made.manifest)),
    }
    manifest = package.read_manifest(made.manifest)
    payload = {item.path: content for item, content in zip(manifest.items, made.contents, strict=True)} | (more or {})
    digests = {name: bagit.digest_of(content) for name, content in payload.items()}
    tags[bagit.INFO] = package.package_info(manifest, list(digests.values()))
    tags |= {name: content for name, content in changes.items() if name != package.SEAL}
    write_sealed(network, path, payload, tags, changes, drop, base)


def write_sealed(
    network: NetworkFixture,
    path: Path,
    payload: dict[str, bytes],
    tags: dict[str, bytes],
    changes: dict[str, bytes] | None = None,
    drop: str = "",
    base: str = PACKAGE_ID,
) -> None:
    """Seal what is there, then change and drop tag files and list what is left."""
    digests = {name: bagit.digest_of(content) for name, content in payload.items()}
    files = {name: bagit.digest_of(content) for name, content in bagit.make_bag(payload, digests, tags).items()}
    seal = package.Seal(PACKAGE_ID, network.now, package.sealed_files(files))
    tags[package.SEAL] = dsse.sign(package.SEAL_TYPE, records.to_bytes(seal), network.borealia)
    tags |= changes or {}
    tags.pop(drop, None)
    with path.open("wb") as file:
        write_zip(file, base, bagit.make_bag(payload, digests, tags))


def unlisted(network: NetworkFixture, path: Path, name: str) -> None:
    """A package, sealed as it is, without one of its files."""
    made = network.draft()
    with_it = path.with_suffix(".whole")
    network.seal(with_it, made)
    with zipfile.ZipFile(with_it) as file:
        files = {info.filename.partition("/")[2]: file.read(info) for info in file.infolist()}
    tags = {
        key: content
        for key, content in files.items()
        if key.startswith(("palermo/", "bag-info")) and key not in (name, package.SEAL)
    }
    payload = {key: content for key, content in files.items() if key.startswith("data/")}
    write_sealed(network, path, payload, tags)


def seal_over(network: NetworkFixture, drop: str) -> bytes:
    """A seal, rightly signed, that leaves a file out."""
    seal = package.Seal("BO-PKG-2026-000001", network.now, (package.SealedFile(drop, 0, "", ""),))
    return dsse.sign(package.SEAL_TYPE, records.to_bytes(seal), network.borealia)


def with_entry(network: NetworkFixture, **changes: object) -> bytes:
    police, central, *others = network.directory.entries
    changed: AuthorityEntry = dataclasses.replace(central, **changes)  # type: ignore[arg-type]
    return bytes(network.signed_directory(entries=(police, changed, *others)))


def drafted(**changes: Any) -> Breaker:
    """A package of other steps of custody, signed by who should not, or of other certificates."""

    def breaker(network: NetworkFixture, path: Path) -> object:
        arguments = {name: make(network) for name, make in changes.items()}
        return network.seal(path, network.draft(**arguments))

    return breaker


def prove_with(network: NetworkFixture, path: Path, **changes: object) -> None:
    made = network.draft()
    network.seal(path, made, dataclasses.replace(network.prove(made.manifest_digest), **changes))


@functools.cache
def _certificate() -> bytes:
    """A certificate of its own making, in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Nobody")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, *(NOW + timedelta(days=d) for d in (-1, 999)))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


BREAKERS: dict[str, tuple[str, Breaker]] = {
    "one byte more": ("files", lambda net, path: path.write_bytes(net.seal(path).read_bytes() + b"\n")),
    "seal missing from lists": (
        "bag",
        lambda net, path: reseal(net, path, {"tagmanifest-sha256.txt": b""}),
    ),
    "an item that the manifest does not name": (
        "contents",
        lambda net, path: reseal(net, path, {}, more={"data/0003-slipped-in": b"x"}),
    ),
    "an item that is another one": (
        "contents",
        lambda net, path: reseal(net, path, {}, more={"data/0002-letter.txt": b"x"}),
    ),
    "another folder name": ("contents", lambda net, path: reseal(net, path, {}, base="BO-PKG-2026-000002")),
    "no manifest": ("contents", lambda net, path: reseal(net, path, {}, drop=package.MANIFEST)),
    "no seal": ("seal", lambda net, path: reseal(net, path, {}, drop=package.SEAL)),
    "no ledger proof": ("ledger entry", lambda net, path: unlisted(net, path, package.LEDGER)),
    "manifest is no envelope": ("contents", lambda net, path: reseal(net, path, {package.MANIFEST: b"{}"})),
    "a file that has no place": ("contents", lambda net, path: reseal(net, path, {"package-info.txt": b"x"})),
    "other bag-info": ("contents", lambda net, path: reseal(net, path, {bagit.INFO: b"Payload-Oxum: 1.1\n"})),
    "recipient is no member": ("directory", lambda net, path: net.seal(path, net.draft(recipient="CE-FIU"))),
    "provider is no member": ("directory", lambda net, path: net.seal(path, net.draft(provider="CE-FIU"))),
    "another directory": (
        "directory",
        lambda net, path: reseal(net, path, {package.DIRECTORY: net.signed_directory(version=4)}),
    ),
    "directory of no founder": (
        "directory",
        lambda net, path: net.seal(
            path, net.draft(trust_root=TrustRoot("Palermo trial", (net.aurelia.public.to_bytes(),)))
        ),
    ),
    "manifest signed by another member": (
        "manifest signature",
        lambda net, path: net.seal(path, net.draft(signing_key=net.aurelia)),
    ),
    "manifest signed before the key was in force": (
        "manifest signature",
        drafted(
            created_at=lambda net: net.now - timedelta(hours=30),
            custody=lambda net: net.custody(
                at=net.now - timedelta(hours=31), recorded_at=net.now - timedelta(hours=31)
            ),
            officers=lambda net: [net.certificate(not_before=net.now - timedelta(hours=40))],
        ),
    ),
    "manifest signed after the key ran out": (
        "manifest signature",
        lambda net, path: net.seal(
            path,
            d := net.draft(
                directory=with_entry(
                    net,
                    signing_keys=(
                        SigningKeyPeriod(net.borealia.public.to_bytes(), net.now - timedelta(days=9), net.now),
                        SigningKeyPeriod(net.officer.public.to_bytes(), net.now, net.now + timedelta(days=9)),
                    ),
                )
            ),
            net.prove(d.manifest_digest, key=net.officer),
            signing_key=net.officer,
        ),
    ),
    "seal by another member": ("seal", lambda net, path: net.seal(path, signing_key=net.aurelia)),
    "seal older than its manifest": (
        "seal",
        lambda net, path: net.seal(path, sealed_at=net.now - timedelta(minutes=1)),
    ),
    "seal that leaves files out": (
        "seal",
        lambda net, path: reseal(net, path, {package.SEAL: seal_over(net, package.MANIFEST)}),
    ),
    "a file beside the seal": ("seal", lambda net, path: reseal(net, path, {package.SEAL: net.draft().manifest})),
    "no custody": ("custody", lambda net, path: net.seal(path, net.draft(custody=[]))),
    "custody out of order": (
        "custody",
        drafted(
            custody=lambda net: net.custody({0: {"at": net.now, "recorded_at": net.now}, 1: {"recorded_at": net.now}})
        ),
    ),
    "custody after the manifest": (
        "custody",
        drafted(
            custody=lambda net: net.custody(
                {1: {"at": net.now + timedelta(hours=1), "recorded_at": net.now + timedelta(hours=1)}}
            )
        ),
    ),
    "custody of another content": (
        "custody",
        drafted(
            custody=lambda net: [*net.custody()[:3], dataclasses.replace(net.custody()[3], sha256="0" * 64, signed=b"")]
        ),
    ),
    "custody of no item": (
        "custody",
        drafted(custody=lambda net: [*net.custody(), dataclasses.replace(net.custody()[0], item=3)]),
    ),
    "sealed before it was collected": (
        "custody",
        drafted(custody=lambda net: net.custody({0: {"verb": Verb.SEALED}, 1: {"verb": Verb.COLLECTED}})),
    ),
    "a step that no law knows": (
        "custody",
        drafted(
            custody=lambda net: [
                *net.custody(),
                dataclasses.replace(net.custody()[3], verb="received", signed=b"", sha256="0" * 64),
            ]
        ),
    ),
    "a step signed by another": (
        "custody signatures",
        drafted(custody=lambda net: net.custody(signed={1: {"key": net.aurelia}})),
    ),
    "a step of another officer": (
        "custody signatures",
        drafted(custody=lambda net: net.custody(signed={1: {"officer": "Otto Other"}})),
    ),
    "a step that says something else": (
        "custody signatures",
        drafted(custody=lambda net: net.custody(signed={1: {"where": "Sydhavn"}})),
    ),
    "a step for another content": (
        "custody signatures",
        drafted(custody=lambda net: net.custody(signed={1: {"sha512": "0" * 128}})),
    ),
    "a step taken out": (
        "custody signatures",
        drafted(custody=lambda net: net.custody({1: {"previous": "0" * 64}})),
    ),
    "a step recorded before it was done": (
        "custody signatures",
        drafted(custody=lambda net: net.custody({1: {"recorded_at": net.now - timedelta(hours=3)}})),
    ),
    "no certificate of the officer": ("custody signatures", drafted(officers=lambda net: [])),
    "a certificate that ended before": (
        "custody signatures",
        drafted(officers=lambda net: [net.certificate(not_after=net.now - timedelta(hours=3))]),
    ),
    "a certificate that ended, issued again": (
        "custody signatures",
        drafted(
            officers=lambda net: [
                net.certificate(),
                net.certificate(not_after=net.now - timedelta(hours=3), issued_at=net.now),
            ]
        ),
    ),
    "a certificate signed by the officer": (
        "custody signatures",
        drafted(officers=lambda net: [sign_certificate(claimed_certificate(net.certificate()), net.officer)]),
    ),
    "a certificate that another member signed": (
        "custody signatures",
        drafted(officers=lambda net: [sign_certificate(claimed_certificate(net.certificate()), net.aurelia)]),
    ),
    "another graph": ("custody graph", lambda net, path: reseal(net, path, {package.CUSTODY_GRAPH: b"{}"})),
    "no graph": ("custody graph", lambda net, path: unlisted(net, path, package.CUSTODY_GRAPH)),
    "leaf of another manifest": ("ledger entry", lambda net, path: net.seal(path, ledger=net.prove("0" * 64))),
    "leaf with nothing opened": ("ledger entry", lambda net, path: prove_with(net, path, opened=())),
    "leaf that is none": ("ledger entry", lambda net, path: prove_with(net, path, leaf=b"")),
    "checkpoint by another member": (
        "ledger checkpoint",
        lambda net, path: net.seal(path, d := net.draft(), net.prove(d.manifest_digest, key=net.aurelia)),
    ),
    "checkpoint of another log": (
        "ledger checkpoint",
        lambda net, path: net.seal(path, d := net.draft(), net.prove(d.manifest_digest, origin="palermo/AU-POL")),
    ),
    "checkpoint of another size": ("ledger checkpoint", lambda net, path: prove_with(net, path, size=10)),
    "another place in the log": ("ledger inclusion", lambda net, path: prove_with(net, path, index=4)),
    "no path to the root": ("ledger inclusion", lambda net, path: prove_with(net, path, hashes=())),
    "a witness's word on another log": (
        "witnesses",
        lambda net, path: prove_with(net, path, cosignatures=net.prove("0" * 64, origin="palermo/AU-POL").cosignatures),
    ),
    "one witness twice": (
        "witnesses",
        lambda net, path: net.seal(path, d := net.draft(), net.prove(d.manifest_digest, witnesses=("AU-POL",) * 2)),
    ),
    "the provider as its own witness": (
        "witnesses",
        lambda net, path: net.seal(
            path, d := net.draft(), net.prove(d.manifest_digest, witnesses=("AU-POL", "BO-CA", "DA-FIU"))
        ),
    ),
    "a witness that no directory lists": (
        "witnesses",
        lambda net, path: net.seal(
            path,
            d := net.draft(directory=net.signed_directory(witnesses=("AU-POL", "EO-CUS"))),
            net.prove(d.manifest_digest, witnesses=("AU-POL", "DA-FIU")),
        ),
    ),
    "a cosignature that is later than the seal": (
        "witnesses",
        lambda net, path: net.seal(
            path,
            d := net.draft(),
            dataclasses.replace(
                p := net.prove(d.manifest_digest),
                cosignatures=tuple(
                    net.cosign(p.checkpoint, code, net.now + timedelta(hours=1)) for code in ("AU-POL", "DA-FIU")
                ),
            ),
        ),
    ),
    "garbage for a time stamp": (
        "time stamp",
        lambda net, path: net.seal(
            path,
            net.draft(directory=net.signed_directory(timestamp_authorities=(_certificate(),))),
            time_stamp=b"\x30\x03\x02\x01\x00",
        ),
    ),
    "sealed in the future": (
        "dates",
        lambda net, path: net.seal(path, sealed_at=net.now + timedelta(hours=1)),
    ),
}


def assert_only(broken: str, report: Report, whole: Report) -> None:
    """That check fails and no other: each says what it says of a good package, or could not be reached or decided."""
    assert report.verdict is Verdict.REFUSED
    assert [check.name for check in report.checks if check.ok is False] == [broken], report
    for check, good in zip(report.checks, whole.checks, strict=True):
        assert check.name == broken or check.ok in (good.ok, None), check


@pytest.mark.parametrize("fault", BREAKERS)
def test_each_check_is_broken_by_what_it_is_there_for_and_no_other(
    fault: str, network: NetworkFixture, package_file: Path, tmp_path: Path
) -> None:
    step, breaker = BREAKERS[fault]
    path = tmp_path / "x.palermo.zip"
    breaker(network, path)
    whole = verify_package(package_file, network.trust_root, network.now)
    assert_only(step, verify_package(path, network.trust_root, network.now), whole)


def test_the_breakers_break_what_would_hold_without_them(network: NetworkFixture, tmp_path: Path) -> None:
    reseal(network, tmp_path / "x", {})
    assert verify_package(tmp_path / "x", network.trust_root, network.now).verdict is Verdict.PROVEN


def test_every_check_has_its_breaker() -> None:
    """``origin`` is broken by a package of another network, above."""
    assert {step for step, _ in BREAKERS.values()} | {"origin"} == {name for name, _ in STEPS}


def test_a_package_cannot_write_its_own_report(network: NetworkFixture, tmp_path: Path) -> None:
    name = "Borealia\n12  holds  origin  \x1b[2J\u202e"
    made = network.draft(directory=with_entry(network, name=name))
    report = verify_package(network.seal(tmp_path / "x", made), network.trust_root)
    assert report.verdict is Verdict.PROVEN
    assert all(check.detail.isprintable() for check in report.checks)


def test_a_flipped_bit_anywhere_in_the_package_is_found_and_named(
    package_file: Path, network: NetworkFixture, tmp_path: Path
) -> None:
    data = package_file.read_bytes()
    chosen = random.Random(5)
    path = tmp_path / "x.palermo.zip"
    for at in [*range(200), *range(200, len(data) - 1500, 151), *range(len(data) - 1500, len(data), 7)]:
        path.write_bytes(data[:at] + bytes([data[at] ^ (1 << chosen.randrange(8))]) + data[at + 1 :])
        report = verify_package(path, network.trust_root)
        assert failing(report) in ("files", "bag"), at
        assert report.first_failure is not None
        assert "file" in report.first_failure.detail


def test_a_flipped_bit_in_an_unpacked_file_names_the_file(unpacked: Path, network: NetworkFixture) -> None:
    manifests = {
        f"{kind}-{algorithm}.txt" for kind in ("manifest", "tagmanifest") for algorithm in ("sha256", "sha512")
    }
    for path in sorted(path for path in unpacked.rglob("*") if path.is_file()):
        good = path.read_bytes()
        for at in {0, len(good) // 2, len(good) - 1}:
            path.write_bytes(good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :])
            report = verify_package(unpacked, network.trust_root)
            assert failing(report) == "bag"
            assert report.first_failure is not None
            name = path.relative_to(unpacked).as_posix()
            assert name in report.first_failure.detail or name in manifests  # there the listed file may be named
        path.write_bytes(good)
    assert verify_package(unpacked, network.trust_root).verdict is Verdict.PROVEN


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.sampled_from(
        [
            *(package.MANIFEST, package.DIRECTORY, package.TRUST_ROOT, package.LEDGER, package.SEAL),
            *(package.CUSTODY_GRAPH, bagit.INFO),
        ]
    ),
    content=st.binary(max_size=80),
    signed=st.booleans(),
)
def test_hostile_files_that_are_rightly_listed_and_sealed_fail_a_check_and_nothing_else(
    network: NetworkFixture, tmp_path: Path, name: str, content: bytes, signed: bool
) -> None:
    path = tmp_path / "x.palermo.zip"
    kind = package.SEAL_TYPE if name == package.SEAL else package.MANIFEST_TYPE
    reseal(network, path, {name: dsse.sign(kind, content, network.borealia) if signed else content})
    assert verify_package(path, network.trust_root, network.now).verdict is Verdict.REFUSED


def test_a_draft_can_be_rebuilt_from_its_stored_parts(network: NetworkFixture, tmp_path: Path) -> None:
    made = network.draft()
    stored = []
    for number, content in enumerate(made.contents):
        stored.append(tmp_path / str(number))
        stored[-1].write_bytes(content)
    again = package.Draft(made.manifest, tuple(stored), made.directory, made.trust_root)
    assert again.manifest_digest == made.manifest_digest
    path = network.seal(tmp_path / "x.palermo.zip", again)
    assert verify_package(path, network.trust_root).verdict is Verdict.PROVEN
    stored[0].write_bytes(b"another content")
    with pytest.raises(PackageError, match="changed since"):
        network.seal(tmp_path / "y.palermo.zip", again)
    assert not [entry for entry in tmp_path.iterdir() if entry.name.startswith((".", "y"))]


def test_a_package_needs_items_and_a_plain_id(network: NetworkFixture) -> None:
    for changes in ({"items": []}, {"package_id": "../x"}):
        with pytest.raises(FormatError):
            network.draft(**changes)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.txt", "data/0007-a.txt"),
        ("../../etc/passwd", "data/0007-etc-passwd"),
        ("证据", "data/0007-item"),
        ("x" * 300, "data/0007-" + "x" * 80),
    ],
)
def test_an_items_place_is_plain_whatever_its_name(name: str, path: str) -> None:
    assert package.item_path(7, name) == path


def test_the_digest_returned_is_that_of_the_file(network: NetworkFixture, tmp_path: Path) -> None:
    made = network.draft()
    digest = package.seal_package(
        made,
        tmp_path / "x",
        ledger=network.prove(made.manifest_digest),
        signing_key=network.borealia,
        sealed_at=network.now,
    )
    assert digest == bagit.digest_of(tmp_path / "x").sha256
    shutil.copy(tmp_path / "x", tmp_path / "renamed.zip")
    assert verify_package(tmp_path / "renamed.zip", network.trust_root).verdict is Verdict.PROVEN
