"""The whole road in Chromium: people of three real nodes do every step of it on the pages, some by keyboard alone.

What the demo's own officers do without a browser: most use their one-time links so, one administrator opens an epoch,
and the third authority, which only takes part, loads and publishes. Every page is held against axe-core's rules and the
page policy at the moment it is left.
"""

import copy
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keyboard
import pytest
import walking
from desks import Offices
from playwright.sync_api import expect
from watching import Watch

from palermo.cli.demo import gathering, story
from palermo.cli.demo.invention import invent
from palermo.cli.demo.nodes import Network, run_palermo
from palermo.cli.demo.person import LogIn, Person
from palermo.cli.demo.staff import ADMINISTRATOR, OFFICERS
from palermo.cli.demo.stage import ASKER, HOLDER, Stage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SEED, SIZE = 2000, 250
REQUEST = "palermo/requests.request+v1"
THIRD = story.COMPOUND.code
AT_THE_HOLDER = ("supervisor", "investigator", "central-1")
BY_PROGRAM = {HOLDER: AT_THE_HOLDER, THIRD: ("supervisor",)}


@dataclass
class Road:
    """Three running nodes, the invented world, the desks, and what was found on the way (references at the asker)."""

    stage: Stage
    files: dict[str, Path]
    offices: Offices
    case: str = ""
    run: str = ""
    hit: str = ""
    account: str = ""
    confirmation: str = ""
    request: str = ""


@pytest.fixture
def road(tmp_path, chromium, axe, screenshots) -> Iterator[Road]:
    """Three nodes as processes; nobody has joined yet."""
    network, world = Network(tmp_path, story.AUTHORITIES), invent(SEED, SIZE)
    network.make()
    offices = Offices(chromium, Watch(axe, screenshots), {code: node.url for code, node in network.nodes.items()})
    with network.running():
        stage = Stage(network, world, tmp_path)
        yield Road(stage, world.write(tmp_path), offices)
        stage.staff.leave()


def test_people_walk_the_whole_road(road: Road) -> None:
    people_join(road)
    authorities_load_and_publish(road)
    an_investigator_matches(road)
    a_person_judges_by_keyboard(road)
    police_confirm_the_hit(road)
    a_central_authority_asks_for_records(road)
    the_other_answers_with_sealed_evidence(road)
    the_package_is_verified(road)
    an_auditor_looks(road)
    road.offices.close()
    watch = road.offices.watch
    assert len(watch.visited) > 100
    assert not watch.faults, "\n".join(dict.fromkeys(watch.faults))


# --- officers and holdings ------------------------------------------------------------------


def people_join(road: Road) -> None:
    """The asker's administrator and first officer join on the pages; everyone who works on pages signs in there."""
    stage, offices = road.stage, road.offices
    offices.furnish(ASKER, ADMINISTRATOR).join(stage.network.links[ASKER])
    page, url = offices.at(ASKER, ADMINISTRATOR)
    for username, (full_name, roles) in OFFICERS.items():
        words = [role.replace("central_authority", "central-authority officer").capitalize() for role in roles]
        link = walking.make_officer(page, url, username=username, full_name=full_name, roles=words)
        desk = offices.furnish(ASKER, username)
        if username == "investigator":
            desk.join(link)
        else:
            desk.sign_in_as(join_by_program(stage, ASKER, username, link))
    for node, usernames in BY_PROGRAM.items():
        enrol_by_program(stage, node, usernames)
    for username in AT_THE_HOLDER:
        offices.furnish(HOLDER, username).sign_in_as(stage.person(HOLDER, username).log_in)


def enrol_by_program(stage: Stage, node: str, usernames: tuple[str, ...]) -> None:
    """An administrator joins and invites these officers, without a browser."""
    join_by_program(stage, node, ADMINISTRATOR, stage.network.links[node])
    administrator = stage.person(node, ADMINISTRATOR)
    for username in usernames:
        full_name, roles = OFFICERS[username]
        facts = {"username": username, "full_name": full_name, "roles": roles, "time_zone": "UTC"}
        invited = administrator.post(administrator.get("/officers/new/"), "/officers/new/", facts)
        join_by_program(stage, node, username, invited.value("data-invitation"))


def join_by_program(stage: Stage, node: str, username: str, link: str) -> LogIn:
    """Use a one-time link as the demo's officers do: the same pages and both factors."""
    log_in = LogIn(node, username, (), secrets.token_hex(9))
    stage.staff.people[node, username] = Person(stage.network.nodes[node].url, log_in)
    stage.staff.people[node, username].join(link)
    return log_in


def authorities_load_and_publish(road: Road) -> None:
    """Supervisors make the holdings and load the files, administrators open the epochs."""
    stage, offices = road.stage, road.offices
    for node in (ASKER, HOLDER):
        page, url = offices.at(node, "supervisor")
        partners = stage.partners_of(node)
        code = walking.make_holding(page, url, code=story.HOLDING_CODE, name="Telephone fraud", partners=partners)
        walking.load_files(page, url, code, [road.files[node]])
        assert walking.fact(page, "Entries") == str(len(stage.world.entities[node]))
    supervisor, path = stage.person(THIRD, "supervisor"), f"/holdings/{story.HOLDING_CODE}/"
    holding = story.HOLDING | {"partners": stage.partners_of(THIRD)}
    supervisor.post(supervisor.get("/holdings/new/"), "/holdings/new/", holding)
    supervisor.post(supervisor.get(path), path, {"format": "ftm"}, [("file", road.files[THIRD])])
    supervisor.wait(path, "kept")
    others = copy.copy(stage)
    others.network = copy.copy(stage.network)
    others.network.nodes = {code: stage.network.nodes[code] for code in (HOLDER, THIRD)}
    gathering.publish(others)
    page, url = offices.at(ASKER, ADMINISTRATOR)
    walking.open_epoch(page, url)
    for partner in stage.partners_of(ASKER):
        walking.wait_for_row(page, f"{url}/matching/", f'tr[data-partner="{partner}"]')


# --- match and judgement --------------------------------------------------------------------


def an_investigator_matches(road: Road) -> None:
    """A case, and a run of the own holding against the partner's: it finds what both hold."""
    page, url = road.offices.at(ASKER, "investigator")
    facts = {name: story.CASE[name] for name in ("title", "purpose", "legal_basis")}
    road.case = walking.open_case(page, url, **facts)
    road.run = walking.start_run(
        page, url, road.case, partner=HOLDER, legal_basis="UNTOC Art. 27", inputs=story.HOLDING_CODE
    )
    walking.wait_for_state(page, "done")
    found = {row.get_attribute("data-ours") for row in page.locator("tr[data-ours]").all()}
    assert found >= {ours for ours, _ in road.stage.world.same[ASKER, HOLDER]}


def a_person_judges_by_keyboard(road: Road) -> None:
    """A hit on an account is the same; one on a name alone stays unsure. No mouse."""
    page, url = road.offices.at(ASKER, "investigator")
    accounts = page.locator('tr[data-ours*="mule-account"]')
    names = page.locator("tr[data-ours]").filter(has_not_text="Account").filter(has_not_text="Telephone")
    road.hit = accounts.first.get_attribute("data-ref") or ""
    unsure = names.filter(has_not_text="Passport").first.get_attribute("data-ref") or ""
    road.account = accounts.first.locator(".palermo-code").last.inner_text()
    judgements = (
        (road.hit, "same", "The number of the account itself agrees."),
        (unsure, "unsure", "Only name and birth date agree: more is needed."),
    )
    for hit, verdict, reason in judgements:
        walking.go(page, f"{url}/hits/{hit}/")
        keyboard.fill_in(page, {"verdict": verdict, "reason": reason}, "Keep the judgement")
        walking.go(page, f"{url}/hits/{hit}/")
        assert walking.state(page) == verdict


# --- requests -------------------------------------------------------------------------------


def police_confirm_the_hit(road: Road) -> None:
    """Drafted, safeguarded, approved by a second person, sent; the holder's police answer with their consent."""
    offices = road.offices
    road.confirmation = draft_by_keyboard(
        road, "investigator", "hit_confirmation", story.CONFIRMATION | {"partner": HOLDER, "hits": road.hit}
    )
    send(road, road.confirmation, drafter="investigator", gatekeeper="supervisor", approver="supervisor")
    inquiry = staffed(road, "hit_confirmation", "investigator")
    walking.answer_gates(*offices.at(HOLDER, "supervisor"), inquiry)
    walking.answer(*offices.at(HOLDER, "investigator"), inquiry, {"outcome": "executed"} | story.CONSENT)
    page, url = offices.at(ASKER, "investigator")
    walking.go(page, f"{url}/requests/{road.confirmation}/")
    walking.wait_for_state(page, "executed")
    assert walking.fact(page, "Consent to use the hit in a formal request") == "Given"


def a_central_authority_asks_for_records(road: Road) -> None:
    """What UNTOC 18(15) demands is there; the second officer of the team approves."""
    offices = road.offices
    for name in story.CENTRAL_OFFICERS:
        walking.add_member(*offices.at(ASKER, "investigator"), road.case, name)
    bank, _, number = road.account.partition(":")
    asked = {"partner": HOLDER, "hits": road.hit, "accounts": f"{bank.title()}, {number}"}
    road.request = draft_by_keyboard(road, "central-1", "bank_records", story.ASSISTANCE | asked)
    page, _ = offices.at(ASKER, "central-1")
    assert page.locator('[data-article="UNTOC 18(15)(b)"][data-state="ok"]').count()
    assert page.locator('[data-article][data-state="missing"]').count() == 0
    send(road, road.request, drafter="central-1", gatekeeper="central-1", approver="central-2")


def draft_by_keyboard(road: Road, officer: str, code: str, facts: dict[str, str]) -> str:
    """Draft a request of the case without a mouse; returns its reference."""
    page, url = road.offices.at(ASKER, officer)
    walking.go(page, f"{url}/cases/{road.case}/requests/new/{code}/")
    keyboard.fill_in(page, facts, "Save the draft")
    expect(page.locator("main")).to_have_attribute("data-state", "draft")
    return walking.reference(page)


def send(road: Road, reference: str, *, drafter: str, gatekeeper: str, approver: str) -> None:
    """Safeguards, completeness, the second person, and off it goes."""
    offices = road.offices
    walking.answer_gates(*offices.at(ASKER, gatekeeper), reference)
    approval = walking.submit(*offices.at(ASKER, drafter), reference)
    page, url = offices.at(ASKER, approver)
    walking.go(page, f"{url}/")
    expect(page.locator(f'a[href="/approvals/{approval}/"]')).to_have_count(1)
    walking.approve(page, url, approval)
    walking.send(*offices.at(ASKER, drafter), reference)


def staffed(road: Road, code: str, officer: str) -> str:
    """The request as it arrived at the holder, once its supervisor has put an officer on the case's team."""
    page, url = road.offices.at(HOLDER, "supervisor")
    arrived = walking.wait_for_row(page, f"{url}/requests/?direction=in", f'tr[data-type="{code}"]')
    walking.go(page, f"{url}/requests/{arrived}/")
    walking.add_member(page, url, walking.fact(page, "Case"), OFFICERS[officer][0])
    return arrived


def the_other_answers_with_sealed_evidence(road: Road) -> None:
    """Accepted first; then the records are added, sealed, and go with the answer."""
    asked = staffed(road, "bank_records", "central-1")
    page, url = road.offices.at(HOLDER, "central-1")
    walking.answer_gates(page, url, asked)
    walking.answer(page, url, asked, {"outcome": "accepted"})
    walking.go(page, f"{url}/requests/{asked}/")
    case = walking.fact(page, "Case")
    records = road.stage.folder / "statement-of-account.csv"
    records.write_text(story.RECORDS, "utf-8")
    item = walking.add_item(page, url, case, records, what=story.ITEM["what"])
    package = walking.seal(page, url, case, [item], recipient=ASKER, request=asked)
    conditions = "For the proceedings named in the request."
    walking.answer(page, url, asked, {"outcome": "executed", "package": package, "conditions": conditions})


# --- what comes of it -----------------------------------------------------------------------


def the_package_is_verified(road: Road) -> None:
    """On the page, and without a node under the network's trust root."""
    page, url = road.offices.at(ASKER, "central-1")
    walking.go(page, f"{url}/requests/{road.request}/")
    walking.wait_for_state(page, "executed")
    package = page.locator("[data-package]").get_attribute("data-package") or ""
    assert walking.verify(page, url, package) == "proven"
    expect(page.locator('[data-check][data-state="failed"]')).to_have_count(0)
    walking.download(page, url, package, road.stage.package)
    assert walking.fact(page, "SHA-256 of the file") == hashlib.sha256(road.stage.package.read_bytes()).hexdigest()
    run_palermo("evidence", "verify", road.stage.package, "--trust", road.stage.network.trust_root)


def an_auditor_looks(road: Road) -> None:
    """The ledger, signed and checked; the proof of an entry; a message with its receipt; what officers did."""
    page, url = road.offices.at(ASKER, "auditor")
    walking.go(page, f"{url}/ledger/")
    walking.press(page, "Sign a checkpoint")
    sent = page.locator(f'tr[data-kind="sent.{REQUEST}"]')
    expect(sent).to_have_count(2)
    entry = sent.first.get_attribute("data-ref")
    walking.press(page, "Check every entry")
    assert walking.state(page) == "intact"
    walking.go(page, f"{url}/ledger/{entry}/")
    assert walking.state(page) == "proven"
    message = walking.wait_for_row(page, f"{url}/messages/", f'tr[data-kind="{REQUEST}"]')
    walking.go(page, f"{url}/messages/{message}/")
    assert walking.fact(page, "Our ledger entry") == entry
    for path in ("/messages/?box=in", "/partners/", f"/partners/{HOLDER}/", "/audit/"):
        walking.go(page, f"{url}{path}")
    walking.sign_out(page)
