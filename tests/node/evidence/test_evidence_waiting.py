"""A package waits for its witnesses and its time stamp, up to a limit, and survives whatever they send."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from palermo.node.directory import actions as directory_actions
from palermo.node.directory import queries as directory
from palermo.node.evidence import completing, queries, stamping
from palermo.node.evidence.models import Package
from palermo.node.evidence.states import PackageState
from palermo.node.home import packages_folder
from palermo.node.ledger import models as ledger_models
from palermo.node.ledger import queries as ledger
from palermo.node.office import jobs
from palermo.node.office.errors import NotFoundError
from palermo.sealing import directory as sealed
from palermo.sealing.cosignature import CosignerKey, cosign
from palermo.sealing.verify import Verdict, verify_package

REQUEST = "BB-POL-REQ-2026-000001"


@pytest.fixture
def cosigners():
    return {code: CosignerKey.generate() for code in ("BB-POL", "CC-FIU")}


@pytest.fixture
def list_services(network, cosigners):
    """Import a directory that lists witnesses of two states, and perhaps a time-stamping authority."""

    def import_directory(witnesses=("BB-POL", "CC-FIU"), stamps=()):
        entries = [network.members[code].entry(network.now) for code in network.members]
        entries = [
            dataclasses.replace(entry, cosigner_key=cosigners[entry.code].public.to_bytes())
            if entry.code in cosigners
            else entry
            for entry in entries
        ]
        new = sealed.Directory(
            network="test network",
            version=2,
            created_at=network.now,
            founders=(network.founder.key_id,),
            entries=tuple(entries),
            previous_digest=sealed.directory_digest(network.directory),
            witnesses=witnesses,
            timestamp_authorities=stamps,
        )
        directory_actions.import_directory(sealed.sign_directory(new, network.founder), now=network.now)

    return import_directory


def witness(cosigners, code, now):
    """What the ledger keeps when a witness cosigned the newest checkpoint."""
    row = ledger_models.Checkpoint.objects.order_by("-size").first()
    lines = cosign(row.text, directory.log_origin(code), cosigners[code], now)
    ledger_models.Cosignature.objects.create(checkpoint=row, witness=code, lines=lines, cosigned_at=now)


def checked(reference, now):
    report = verify_package(packages_folder() / f"{reference}.palermo.zip", directory.trust(), now)
    return report, [check.name for check in report.checks if check.lacking]


def test_a_package_waits_for_a_quorum_and_is_then_sealed_with_it(network, add, seal, team, list_services, cosigners):
    list_services()
    row = seal(add().reference)
    officer, later = team["central_authority"], network.now + timedelta(hours=1)
    assert row.state is PackageState.WAITING and "0 of 2" in row.waits_for[0] and row.sha256 == ""
    with pytest.raises(NotFoundError):
        queries.package_path(officer, row.reference)
    with pytest.raises(NotFoundError, match="waits for"):
        queries.package_for(row.reference, request_reference=REQUEST, partner="BB-POL")
    assert queries.check() == []
    assert completing.complete_waiting(later) == 0
    witness(cosigners, "BB-POL", network.now)
    assert completing.complete_ready(later) == completing.complete_waiting(later) == 0
    assert not list(packages_folder().iterdir())
    witness(cosigners, "CC-FIU", network.now)
    assert completing.complete_ready(later) == 1 and completing.complete_ready(later) == 0
    report, lacking = checked(row.reference, later)
    assert (report.verdict, lacking) == (Verdict.PROVEN, [])
    assert report.checks[12].ok and "2 of 2" in report.checks[12].detail
    stored = queries.package(officer, row.reference)
    assert (stored.state, stored.waits_for, stored.lacking) == (PackageState.SEALED, (), "")
    assert Package.objects.get().draft == b""
    assert [file.name for file in packages_folder().iterdir()] == [f"{row.reference}.palermo.zip"]


def test_after_the_limit_it_is_sealed_with_what_there_is_and_says_what_it_lacks(
    network, add, seal, team, list_services, cosigners
):
    list_services()
    row = seal(add().reference)
    witness(cosigners, "CC-FIU", network.now)
    late = network.now + completing.WAIT
    assert completing.complete_waiting(late - timedelta(seconds=1)) == 0
    assert completing.complete_waiting(late) == 1
    report, lacking = checked(row.reference, late)
    assert (report.verdict, lacking) == (Verdict.UNPROVEN, ["witnesses"])
    assert queries.package(team["supervisor"], row.reference).lacking == "witnesses"


def test_a_stop_between_file_and_row_is_made_good(network, add, seal, list_services, cosigners, monkeypatch):
    list_services()
    row = seal(add().reference)
    for code in cosigners:
        witness(cosigners, code, network.now)
    with monkeypatch.context() as patched:
        patched.setattr(completing, "sync_folder", _die)
        with pytest.raises(RuntimeError):
            completing.complete_one(row.reference, now=network.now)
    assert Package.objects.get().state == PackageState.WAITING
    assert completing.complete_one(row.reference, now=network.now)
    assert checked(row.reference, network.now)[0].verdict is Verdict.PROVEN and queries.check() == []


def _die(*arguments):
    raise RuntimeError("killed here")


def test_a_time_stamping_authority_stamps_the_manifest_over_http(network, add, seal, settings, list_services, stamper):
    list_services(witnesses=(), stamps=(stamper.root,))
    now = datetime.now(UTC)
    with stamper.served() as url:
        settings.PALERMO_TIME_STAMPS = url
        row = seal(add().reference)
        assert row.state is PackageState.WAITING and row.waits_for == ("a time stamp",)
        jobs.register(completing.JOB, completing.complete_job)
        assert jobs.run_due(now) == 1
    assert queries.check() == [] and len(stamper.asked) == 1
    assert len(stamper.asked[0]) < 200  # a digest and a nonce: nothing of the package
    report, lacking = checked(row.reference, now)
    assert (report.verdict, lacking) == (Verdict.PROVEN, [])
    assert report.checks[13].ok and "Stamps of Example" in report.checks[13].detail


@pytest.mark.parametrize("fault", ["an error", "garbage", "another type", "too long", "not there", "not listed"])
def test_whatever_a_time_stamping_authority_does_the_package_is_sealed_in_the_end(
    network, add, seal, settings, list_services, stamper, monkeypatch, fault
):
    answers = {"an error": (500, b""), "garbage": (200, b"0\x03\x02\x01\x00"), "too long": (200, b"x" * 70000)}
    list_services(witnesses=(), stamps=() if fault == "not listed" else (stamper.root,))
    monkeypatch.setattr(stamper, "answer", answers.get(fault))
    if fault == "another type":
        monkeypatch.setattr(stamping, "RESPONSE_MEDIA_TYPE", "application/other")
    with stamper.served() as url:
        settings.PALERMO_TIME_STAMPS = "http://127.0.0.1:1/" if fault == "not there" else url
        row = seal(add().reference)
        assert completing.complete_waiting(network.now) == 0
        assert completing.complete_waiting(network.now + completing.WAIT) == 1
    report, lacking = checked(row.reference, network.now + completing.WAIT)
    assert (report.verdict, lacking) == (Verdict.PROVEN, [])
    assert report.checks[13].ok is None


def test_a_network_without_witnesses_has_nothing_to_wait_for(add, seal):
    assert not ledger.quorum_possible()
    assert seal(add().reference).state is PackageState.SEALED
