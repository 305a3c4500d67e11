"""Third part of the road: police confirm a hit, one central authority asks the other for records, and it answers."""

from palermo.cli.demo import story
from palermo.cli.demo.nodes import DemoError
from palermo.cli.demo.person import Person
from palermo.cli.demo.stage import ASKER, HOLDER, Outcome, Stage, until


def confirm(stage: Stage) -> Outcome:
    """Police ask police to confirm the hit; the answer carries the consent to cite it."""
    investigator, supervisor = stage.person(ASKER, "investigator"), stage.person(ASKER, "supervisor")
    facts = story.CONFIRMATION | {"partner": HOLDER, "hits": stage.hit}
    stage.confirmation = _draft(investigator, stage.case, "hit_confirmation", facts)
    _send(investigator, supervisor, supervisor, stage.confirmation)
    answering, leading = stage.person(HOLDER, "investigator"), stage.person(HOLDER, "supervisor")
    inquiry = _incoming(leading, "hit_confirmation")
    _join_team(leading, leading.get(f"/requests/{inquiry}/").fact("Case"), story.INVESTIGATOR)
    _answer_gates(leading, inquiry)
    _answer(answering, inquiry, "executed", story.CONSENT)
    investigator.wait(f"/requests/{stage.confirmation}/", "executed")
    learned = {
        ASKER: "the account is in use, and the hit may be cited (intelligence, by police channel)",
        HOLDER: "what the investigation is about",
    }
    return Outcome({"requests": 1, "answers": 1, "consents": 1}, learned)


def request(stage: Stage) -> Outcome:
    """The central authority asks for records under UNTOC Art. 18, on the police file."""
    asking, approving = stage.person(ASKER, "central-1"), stage.person(ASKER, "central-2")
    for name in story.CENTRAL_OFFICERS:  # who approves must be able to read
        _join_team(stage.person(ASKER, "investigator"), stage.case, name)
    bank, _, number = stage.account.partition(":")
    facts = story.ASSISTANCE | {"partner": HOLDER, "hits": stage.hit, "accounts": f"{bank.title()}, {number}"}
    stage.request = _draft(asking, stage.case, "bank_records", facts)
    demands = asking.get(f"/requests/{stage.request}/").with_attribute("data-article")
    missing = [" ".join(demand.text.split()) for demand in demands if demand.attributes["data-state"] == "missing"]
    _send(asking, approving, asking, stage.request)
    if missing:
        raise DemoError(f"an incomplete request left: {missing}")
    learned = {HOLDER: "what UNTOC 18(15) lists: who asks, why, what, for which purpose", ASKER: "nothing yet"}
    return Outcome({"requests": 1, "demands_checked": len(demands), "approvals": 1}, learned)


def answer(stage: Stage) -> Outcome:
    """The other central authority accepts, adds the records as evidence, seals them and answers."""
    officer = stage.person(HOLDER, "central-1")
    asked = _incoming(officer, "bank_records")
    _answer_gates(officer, asked)
    if officer.get(f"/requests/{asked}/").state == "received":
        _answer(officer, asked, "accepted", {})
    case = officer.get(f"/requests/{asked}/").fact("Case")
    sealed = _seal(stage, officer, case, asked)
    _answer(officer, asked, "executed", {"package": sealed, "conditions": "For the proceedings named in the request."})
    asking = stage.person(ASKER, "central-1")
    asking.wait(f"/requests/{stage.request}/", "executed")
    received = until(lambda: asking.get(f"/cases/{stage.case}/").ref("/packages/"), "the package")
    page = f"/packages/{received}/"
    court = {"court": "District Court of Example", "proceedings": "File 1/26"}
    asking.ensure(lambda: "District Court of Example" in asking.get(page).text, f"{page}copy/", court)
    stage.package.write_bytes(asking.download(f"/packages/{received}/download"))
    learned = {ASKER: "the records, sealed, for the purpose stated", HOLDER: "that they arrived"}
    return Outcome({"items": 1, "packages": 1, "bytes": stage.package.stat().st_size}, learned)


def _seal(stage: Stage, officer: Person, case: str, asked: str) -> str:
    """Add the records as an item of the case and seal them for the asker; returns the package's reference."""
    records = stage.folder / "statement-of-account.csv"
    records.write_text(story.RECORDS, "utf-8")
    page, content = f"/cases/{case}/", [("content", records)]
    what = story.ITEM["what"]
    item = officer.ensure(
        lambda: officer.get(page).ref("/evidence/", what), f"{page}evidence/new/", story.ITEM, content
    )
    facts = {"items": item, "recipient": ASKER, "request_reference": asked}
    sealed = officer.ensure(lambda: officer.get(page).ref("/packages/"), f"{page}packages/new/", facts)
    officer.wait(f"/packages/{sealed}/", "out")  # not while it waits for witnesses
    return sealed


# --- what both kinds of request need --------------------------------------------------------------


def _draft(officer: Person, case: str, code: str, facts: dict[str, str]) -> str:
    """Draft a request of the case, once; returns its reference."""
    path = f"/cases/{case}/"
    return officer.ensure(lambda: officer.get(path).ref("/requests/", code), f"{path}requests/new/{code}/", facts)


def _send(drafter: Person, approver: Person, gatekeeper: Person, reference: str) -> None:
    """Safeguards, completeness, a second person's approval, sending."""
    path = f"/requests/{reference}/"
    _answer_gates(gatekeeper, reference)
    drafter.ensure(lambda: drafter.get(path).state != "draft", f"{path}submit/", {})
    if drafter.get(path).state == "awaiting approval":
        page = f"/approvals/{drafter.get(path).value('data-approval')}/"
        approver.ensure(lambda: approver.get(page).state != "asked", page, story.APPROVAL)
    unsent = ("awaiting approval", "approved")
    drafter.ensure(lambda: drafter.get(path).state not in unsent, f"{path}send/", {})


def _incoming(officer: Person, code: str) -> str:
    """The asker's request of a kind, as soon as it has arrived."""
    return until(lambda: officer.get("/requests/?direction=in").ref("/requests/", code), f"the {code} at the partner")


def _answer_gates(officer: Person, reference: str) -> None:
    """Answer every safeguard that is open."""
    path = f"/requests/{reference}/"
    for gate in officer.get(path).rows(f"{path}gates/"):
        _answer_gate(officer, path, gate.attributes["data-ref"])


def _answer_gate(officer: Person, path: str, gate: str) -> None:
    officer.ensure(lambda: officer.get(path).state_of(gate) != "open", f"{path}gates/{gate}/", story.GATE)


def _answer(officer: Person, reference: str, outcome: str, facts: dict[str, str]) -> None:
    """Answer a request, once."""
    path = f"/requests/{reference}/"
    officer.ensure(lambda: officer.get(path).state == outcome, f"{path}answer/", {"outcome": outcome, **facts})


def _join_team(officer: Person, case: str, name: str) -> None:
    """Put an officer on the case's team."""
    path = f"/cases/{case}/members/"
    page = officer.get(path)
    if not page.ref("", name):
        officer.ensure(lambda: officer.get(path).ref("", name), path, {"member": page.option("member", name)})
