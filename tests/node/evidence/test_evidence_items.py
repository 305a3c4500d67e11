"""Items and packages at one node: custody, marks, what may be sealed, who may see, and damage that is named."""

import inspect
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from palermo.node.cases import actions as cases
from palermo.node.evidence import actions, blobs, queries
from palermo.node.evidence.errors import EvidenceChangedError, IntelligenceError, UseLimitError
from palermo.node.evidence.marks import HandlingCode, Tlp, strictest
from palermo.node.evidence.models import Item
from palermo.node.home import blobs_folder, packages_folder
from palermo.node.ledger import queries as ledger
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError
from palermo.sealing.archive import ZipTree
from palermo.sealing.package import MANIFEST, read_manifest
from palermo.sealing.verify import Verdict, verify_package

CONTENT = b"date,amount\n2026-01-05,1200.00\n"
REQUEST = "BB-POL-REQ-2026-000001"


def test_nobody_is_spared_saying_whether_an_item_is_intelligence(add):
    for origin in ("", "received", "hearsay"):
        with pytest.raises(InvalidError, match="origin"):
            add(origin=origin)
    assert inspect.signature(actions.add_item).parameters["origin"].default is inspect.Parameter.empty


def test_an_item_keeps_its_bytes_hashes_and_custody(add, team, tmp_path):
    row = add()
    path = queries.content(team["investigator"], row.reference)
    assert path.read_bytes() == CONTENT and path.name == row.sha256
    (step,) = row.custody
    assert (step.verb, step.by) == ("collected", "First Bank of Aurelia")
    assert (step.recorded_by, step.authority) == (team["investigator"].get_full_name(), "AA-POL")
    assert all(step.sha256 == row.sha256 for step in row.custody)
    source = tmp_path / "same.csv"
    source.write_bytes(CONTENT)
    assert add(content=source).sha256 == row.sha256
    assert len([file for file in blobs_folder().rglob("*") if file.is_file()]) == 1
    assert source.read_bytes() == CONTENT


@given(content=st.binary(max_size=200))
def test_a_blob_lies_under_its_own_digest_and_is_written_once(tmp_path_factory, content):
    from django.test import override_settings

    with override_settings(PALERMO_HOME=tmp_path_factory.mktemp("home")):
        blob = blobs.store(content)
        before = blob.path.stat().st_ino
        assert blobs.store(content) == blob and blob.path.stat().st_ino == before
        assert blob.path.read_bytes() == content and blobs.intact(blob.path, blob.sha256)
        assert [file.name for file in blobs_folder().rglob("*") if file.is_file()] == [blob.sha256]


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"what": " ", "how": ""}, 2),
        ({"name": "x" * 121}, 1),
        ({"tlp": "purple"}, 1),
        ({"handling_code": "H9", "source_grade": "Z", "information_grade": "9"}, 3),
        ({"origin": "received"}, 1),
        ({"collected_at": "later"}, 1),
    ],
)
def test_what_is_missing_or_unknown_is_named_at_once(add, network, change, problems):
    if change.get("collected_at"):
        change = {"collected_at": network.now + timedelta(seconds=1)}
    with pytest.raises(InvalidError) as refused:
        add(**change)
    assert len(refused.value.problems) == problems
    assert not Item.objects.exists()


def test_a_sealed_package_verifies_offline_under_the_trust_root(network, add, seal, team):
    first, second = add(tlp="green"), add(content=b"photo", name="p.jpg", tlp="red", handling_code="H2")
    row = seal(first.reference, second.reference)
    path = queries.package_path(team["central_authority"], row.reference)
    report = verify_package(path, _root(network), network.now)
    assert report.verdict is Verdict.PROVEN
    assert [check.name for check in report.checks if not check.ok] == ["witnesses", "time stamp"]  # there are none
    assert verify_package(path, None, network.now).verdict is Verdict.UNPROVEN
    assert queries.verify(team["supervisor"], row.reference).verdict is Verdict.PROVEN
    manifest = report.manifest
    assert (manifest.provider, manifest.recipient, manifest.request_reference) == ("AA-POL", "BB-POL", REQUEST)
    assert (manifest.marks.tlp, manifest.marks.handling_code) == ("red", "H2")
    assert [item.marks.tlp for item in manifest.items] == ["green", "red"]
    assert REQUEST in manifest.marks.use_limit
    entry = dict(ledger.entry(team["supervisor"], row.ledger_index).fields)
    assert entry["kind"] == "evidence.sealed" and entry["manifest_sha256"] == row.manifest_digest
    assert [step.verb for step in queries.item(team["supervisor"], first.reference).custody][-1] == "sealed"
    tree = ZipTree(path)
    assert read_manifest(b"".join(tree.chunks(MANIFEST))) == manifest
    tree.close()


def _root(network):
    from palermo.node.directory import queries as directory

    return directory.trust_root()


def test_intelligence_is_never_sealed(add, seal):
    own, intelligence = add(), add(content=b"tip", origin="intelligence", originator="BB-POL")
    with pytest.raises(IntelligenceError):
        seal(own.reference, intelligence.reference)
    assert ledger.size() == 0 and not list(packages_folder().iterdir())


def test_only_this_cases_items_each_once_for_another_authority(network, add, seal, team):
    item = add()
    for wrong in ([], [item.reference, item.reference], ["AA-POL-ITEM-2026-000099"]):
        with pytest.raises(InvalidError):
            seal(*wrong)
    for nobody in ("AA-POL", "ZZ-POL"):
        with pytest.raises(InvalidError):
            seal(item.reference, recipient=nobody)
    with pytest.raises(InvalidError):
        seal(item.reference, request_reference=" ")
    with pytest.raises(AccessDeniedError):
        seal(item.reference, officer="investigator")


def test_a_closed_case_takes_and_gives_nothing(network, add, seal, team, case):
    item = add()
    cases.close_case(team["investigator"], case, reason="Done.", now=network.now)
    with pytest.raises(ConflictError):
        add()
    with pytest.raises(ConflictError):
        seal(item.reference)


def test_consent_is_asked_for_what_others_gave_only(network, add, team, case):
    item = add()
    with pytest.raises(ConflictError, match="our own"):
        actions.record_consent(
            team["central_authority"],
            item=item.reference,
            target=case,
            given_by="x",
            statement="y",
            document="z",
            reason="none",
            now=network.now,
        )


@pytest.mark.parametrize("who", ["outsider", "auditor"])
def test_without_need_to_know_there_is_nothing(network, add, seal, team, case, who):
    item = add()
    package = seal(item.reference)
    officer = team[who]
    for read, reference in (
        (queries.item, item.reference),
        (queries.content, item.reference),
        (queries.consents, item.reference),
        (queries.package, package.reference),
        (queries.package_path, package.reference),
        (queries.verify, package.reference),
        (queries.items, case),
        (queries.packages, case),
    ):
        refusals = []
        for asked in (reference, "AA-POL-ITEM-2026-000999"):
            with pytest.raises((NotFoundError, AccessDeniedError)) as refused:
                read(officer, asked)
            refusals.append((type(refused.value), str(refused.value)))
        assert refusals[0] == refusals[1]
    with pytest.raises((NotFoundError, AccessDeniedError)):
        actions.use_in_case(officer, item=item.reference, case=case, now=network.now)


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position % len(content)] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("position", [0, 7, -1])
def test_a_flipped_bit_is_named_and_stops_what_needs_it(add, seal, team, position):
    item, other = add(), add(content=b"other")
    package = seal(other.reference)
    assert queries.check() == []
    blob = queries.content(team["investigator"], item.reference)
    flip(blob, position)
    assert [(fault.what, fault.where) for fault in queries.check()] == [("evidence item", str(blob))]
    with pytest.raises(EvidenceChangedError):
        queries.content(team["investigator"], item.reference)
    with pytest.raises(EvidenceChangedError):
        seal(item.reference)
    file = queries.package_path(team["supervisor"], package.reference)
    flip(file, position)
    assert {fault.where for fault in queries.check()} == {str(blob), str(file)}
    assert queries.verify(team["supervisor"], package.reference).verdict is Verdict.REFUSED
    file.unlink()
    assert "gone" in queries.check()[1].detail
    assert add().sha256 == item.sha256  # the same bytes, kept again, mend the file
    assert [fault.what for fault in queries.check()] == ["evidence package"]


def test_a_failed_seal_leaves_no_entry_and_the_next_one_takes_its_name(monkeypatch, add, seal):
    item = add()
    with monkeypatch.context() as patched:
        patched.setattr("palermo.node.evidence.actions.packages.audit", _die)
        with pytest.raises(RuntimeError):
            seal(item.reference)
    assert ledger.size() == 0 and queries.check() == []
    row = seal(item.reference)
    assert row.reference.endswith("000001") and queries.check() == []


def _die(*args, **kwargs):
    raise RuntimeError("killed here")


def test_the_database_refuses_what_the_rules_refuse(add):
    row = add()
    for wrong in ({"origin": "rumour"}, {"origin": "received"}, {"tlp": "blue"}, {"handling_code": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Item.objects.filter(reference=row.reference).update(**wrong)


def test_the_strictest_mark_wins():
    assert strictest([Tlp.GREEN, Tlp.RED, Tlp.AMBER]) is Tlp.RED
    assert strictest([Tlp.AMBER, Tlp.AMBER_STRICT]) is Tlp.AMBER_STRICT
    assert strictest([HandlingCode.H3, HandlingCode.H0]) is HandlingCode.H3


def test_use_limit_error_names_item_provider_and_use():
    error = UseLimitError("X-1", "BB-POL", "case")
    assert (error.item, error.provider, error.use) == ("X-1", "BB-POL", "case") and "18(19)" in str(error)
