"""The chain of custody at one node: every step signed by its officer, none taken out, and a court copy recorded."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from palermo.node.directory import queries as directory
from palermo.node.evidence import actions, chain, queries, signing
from palermo.node.evidence.models import CustodyEvent, CustodyKey, Item, OfficerCertificate
from palermo.node.home import keys_folder
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError
from palermo.node.office.models import Unit
from palermo.sealing.custody import (
    Verb,
    check_chain,
    check_moves,
    newest_by_key,
    open_certificate,
    open_step,
)
from palermo.sealing.verify import Verdict, verify_package


def opened(reference):
    """Every step of an item, verified under the certificates that are kept."""
    certificates = newest_by_key(
        open_certificate(bytes(row.signed), directory.verify_keys(row.authority, row.issued_at))
        for row in OfficerCertificate.objects.all()
    )
    events = CustodyEvent.objects.filter(item__reference=reference).order_by("pk")
    steps = [(open_step(bytes(event.signed), certificates), bytes(event.signed)) for event in events]
    check_chain(steps)
    check_moves(event.verb for event in events)
    return [step for step, _ in steps]


def step(team, item, network, **changes):
    values = {
        "verb": "imaged",
        "by": "Laboratory of Aurelia",
        "at": network.now,
        "where": "Port Meridian",
        "how": "write-blocked, tool A",
        "now": network.now + timedelta(minutes=1),
    }
    return actions.record_step(team["investigator"], item, **{**values, **changes})


def test_every_step_of_an_items_life_is_signed_by_its_officer_and_follows_from_the_one_before(network, add, seal, team):
    item = add().reference
    step(team, item, network)
    assert actions.open_item(team["supervisor"], item, now=network.now + timedelta(minutes=2)).is_file()
    package = seal(item, now=network.now + timedelta(minutes=3))
    officer = team["central_authority"]
    with pytest.raises(NotFoundError, match="court copy"):
        actions.copied_file(officer, package.reference, now=network.now)
    later = network.now + timedelta(minutes=4)
    actions.copy_for_court(
        officer, package.reference, court="District Court of Example", proceedings="File 1/26", now=later
    )
    actions.transfer_package(officer, package.reference, now=later)
    steps = opened(item)
    assert [found.verb for found in steps] == ["collected", "imaged", "opened", "sealed", "copied", "transferred"]
    assert [found.by for found in steps[:2]] == ["First Bank of Aurelia", "Laboratory of Aurelia"]
    assert [found.officer for found in steps[:4]] == [
        team[who].get_full_name() for who in ("investigator", "investigator", "supervisor", "central_authority")
    ]
    assert steps[4].where == "District Court of Example" and "File 1/26" in steps[4].how
    assert {found.package for found in steps[3:]} == {package.reference}
    copied = actions.copied_file(officer, package.reference, now=later)
    report = verify_package(copied, directory.trust(), later)
    assert report.verdict is Verdict.PROVEN
    assert report.checks[7].ok and "Officer Central_Authority" in report.checks[7].detail
    (copy,) = queries.court_copies(officer, package.reference)
    assert copy.recorded_by == officer.get_full_name()
    with pytest.raises(NotFoundError):
        actions.copied_file(team["supervisor"], package.reference, now=later)  # somebody else's copy


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"verb": "sealed"}, InvalidError),
        ({"verb": "destroyed"}, InvalidError),
        ({"verb": "lost"}, InvalidError),
        ({"by": " ", "where": "", "how": ""}, InvalidError),
        ({"how": "x" * 501}, InvalidError),
        ({"at": "ahead"}, InvalidError),
        ({"at": "before"}, InvalidError),
    ],
)
def test_a_step_that_cannot_be_is_refused_and_leaves_nothing(network, add, team, change, error):
    item = add().reference
    times = {"ahead": network.now + timedelta(days=1), "before": network.now - timedelta(days=9)}
    if "at" in change:
        change = {"at": times[change["at"]]}
    with pytest.raises(error):
        step(team, item, network, **change)
    assert len(opened(item)) == 1


def test_what_was_returned_is_received_again_before_anything_else(network, add, team):
    item = add().reference
    step(team, item, network, verb="returned")
    with pytest.raises(ConflictError, match="cannot be imaged"):
        step(team, item, network)
    step(team, item, network, verb="received")
    assert [found.verb for found in opened(item)] == ["collected", "returned", "received"]


def test_two_steps_cannot_follow_the_same_one_whoever_writes_them(network, add, team):
    item = Item.objects.get(reference=add().reference)
    chain.record(item, Verb.OPENED, team["investigator"], now=network.now)
    fork = item.custody.order_by("-pk").first()
    fork.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        fork.save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        item.custody.filter(verb="opened").update(verb="looked at")


def test_an_officers_key_is_made_once_and_ends_when_the_officer_leaves(network, add, team):
    item = add().reference
    add(content=b"another")
    (key,) = CustodyKey.objects.all()
    file = keys_folder() / f"custody-{key.key_id}.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert signing.end_certificates(network.now) == 0
    officer = team["investigator"]
    officer.is_active = False
    officer.save()
    left = network.now + timedelta(hours=1)
    assert signing.end_certificates(left) == 1 and signing.end_certificates(left) == 0
    assert len(opened(item)) == 1  # what was signed before stays verifiable
    later = signing.certificates({key.key_id})[-1]
    certificate = open_certificate(later, directory.verify_keys("AA-POL", left))
    assert certificate.not_after == left and not certificate.covers(left)
    officer.is_active = True
    officer.save()
    signing.signatory(officer, left)
    assert CustodyKey.objects.filter(ended_at=None).get().key_id != key.key_id


def test_an_officer_who_is_renamed_or_moves_signs_with_another_key(network, add, team):
    item = add().reference
    officer = team["investigator"]
    officer.last_name, officer.unit = "Married", Unit.objects.create(code="x", name="Evidence desk")
    officer.save()
    step(team, item, network)
    assert [found.officer for found in opened(item)] == ["Officer Investigator", "Officer Married"]
    assert CustodyKey.objects.get(ended_at=None).unit == "Evidence desk"


@pytest.mark.parametrize("who", ["outsider", "auditor"])
def test_without_need_to_know_nothing_is_opened_stepped_or_copied(network, add, seal, team, who):
    item = add().reference
    package = seal(item).reference
    before = CustodyEvent.objects.count()
    officer = team[who]
    for act in (
        lambda: actions.open_item(officer, item, now=network.now),
        lambda: actions.record_step(
            officer, item, verb="imaged", by="x", at=network.now, where="x", how="x", now=network.now
        ),
        lambda: actions.copy_for_court(officer, package, court="x", proceedings="x", now=network.now),
        lambda: actions.copied_file(officer, package, now=network.now),
        lambda: queries.court_copies(officer, package),
    ):
        with pytest.raises((NotFoundError, AccessDeniedError)):
            act()
    assert CustodyEvent.objects.count() == before


def test_a_court_copy_names_court_and_proceedings(network, add, seal, team):
    package = seal(add().reference).reference
    for wrong in ({"court": " "}, {"proceedings": ""}, {"court": "x" * 201}):
        values = {"court": "District Court of Example", "proceedings": "File 1/26", **wrong}
        with pytest.raises(InvalidError):
            actions.copy_for_court(team["central_authority"], package, **values, now=network.now)
    assert queries.court_copies(team["central_authority"], package) == []


@pytest.mark.parametrize(
    "change",
    [
        {"by": "Somebody Else"},
        {"detail": "at another's order"},
        {"previous": "0" * 64},
        {"signed": b"{}"},
        {"sha256": "0" * 64},
    ],
)
def test_a_changed_step_is_named_by_the_check_of_the_node(network, add, team, change):
    item = add().reference
    step(team, item, network)
    other = add(content=b"other").reference
    assert queries.check() == []
    CustodyEvent.objects.filter(item__reference=item, verb="imaged").update(**change)
    (fault,) = queries.check()
    assert (fault.what, fault.where) == ("custody of an item", item) and other not in fault.detail


def test_a_step_taken_out_or_a_certificate_changed_is_named_as_well(network, add, team):
    item = add().reference
    step(team, item, network)
    step(team, item, network, verb="opened")
    CustodyEvent.objects.filter(item__reference=item, verb="imaged").delete()
    assert [fault.where for fault in queries.check()] == [item]
    OfficerCertificate.objects.update(signed=b"{}")
    assert len(queries.check()) == 2
