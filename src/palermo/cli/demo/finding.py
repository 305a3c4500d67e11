"""Second part of the road: blind matches, and a person's judgement on what they found."""

import csv
import io
from pathlib import Path

from palermo.cli.demo import lists, story
from palermo.cli.demo.lists import Comparison
from palermo.cli.demo.nodes import DemoError
from palermo.cli.demo.page import Element
from palermo.cli.demo.person import Person
from palermo.cli.demo.stage import ASKER, HOLDER, Outcome, Stage

JUDGED_OF_EACH = 6
"""So many of the hits on accounts, and of the others; the rest wait in the work queue."""


def compare(stage: Stage, folder: Path, item: Comparison) -> Outcome:
    """Match two real lists blindly, write the report, and hold it against the known pairs where there are some."""
    investigator = stage.person(item.ours.node, "investigator")
    case = _open_case(investigator, lists.CASE)
    run = _run(investigator, case, item.theirs.node, item.ours.code)
    report = investigator.download(f"/runs/{run}/hits.csv")
    (stage.folder / f"{item.name}.csv").write_bytes(report)
    pairs = {(row[0], row[1]) for row in _rows(report)}
    learned = {
        item.ours.node: f"{len(pairs)} pairs of entries; nothing of the rest of the list",
        item.theirs.node: "which of its own entries were found; none of the other queries",
    }
    return Outcome(lists.recall(folder, item, pairs), learned)


def match(stage: Stage) -> Outcome:
    """An investigator opens a case and matches the own holding against a partner's."""
    investigator = stage.person(ASKER, "investigator")
    stage.case = _open_case(investigator, story.CASE)
    stage.run = _run(investigator, stage.case, HOLDER, story.HOLDING_CODE)
    found = _rows(investigator.download(f"/runs/{stage.run}/hits.csv"))
    ours = {row[0] for row in found}
    if stage.covert[0] in ours:
        raise DemoError(f"{stage.covert[0]} was found, though {HOLDER} protects it as covert")
    overlaps = {entry for entry, _ in stage.world.same[ASKER, HOLDER]}
    missed = overlaps - ours - {stage.covert[0]}
    if missed:
        raise DemoError(f"{len(missed)} of {len(overlaps)} known overlaps were not found, such as {sorted(missed)[0]}")
    learned = {
        ASKER: f"that {HOLDER} holds {len(found)} of its entries; nothing of the rest",
        HOLDER: f"that {len(found)} of its entries matter in a case of {ASKER}; none of the other queries",
    }
    return Outcome({"hits": len(found), "known_overlaps": len(overlaps), "kept_covert": 1}, learned)


def _open_case(investigator: Person, facts: dict[str, str]) -> str:
    return investigator.ensure(lambda: investigator.get("/cases/").ref("/cases/", facts["title"]), "/cases/new/", facts)


def _run(investigator: Person, case: str, partner: str, inputs: str) -> str:
    """Run a match of the case with a partner, once, to its end; returns its id."""
    facts = {"partner": partner, "inputs": inputs, "legal_basis": "UNTOC Art. 27"}
    path = f"/cases/{case}/"
    run = investigator.ensure(lambda: investigator.get(path).ref("/runs/", partner), f"{path}runs/new/", facts)
    investigator.wait(f"/runs/{run}/", "done")
    return run


def _rows(report: bytes) -> list[list[str]]:
    """The rows of a run's report: ours, theirs, selectors, judgement."""
    return list(csv.reader(io.StringIO(report.decode("utf-8-sig"))))[1:]


def judge(stage: Stage) -> Outcome:
    """The investigator judges some hits: same where a number agrees, unsure where only a name does."""
    investigator, path = stage.person(ASKER, "investigator"), f"/runs/{stage.run}/"
    report = _rows(investigator.download(f"{path}hits.csv"))
    selectors = {row[0]: row[2] for row in report}
    rows = [row for page in investigator.pages(path) for row in page.rows("/hits/")]
    rows.sort(key=lambda row: "account=" not in selectors[row.attributes["data-ours"]])
    some = rows[:JUDGED_OF_EACH] + rows[JUDGED_OF_EACH:][-JUDGED_OF_EACH:]
    verdicts = [_judge(stage, investigator, row, selectors[row.attributes["data-ours"]]) for row in some]
    if not stage.hit:
        raise DemoError("there is no hit on an account among those judged")
    learned = {ASKER: "which hits a person takes for the same, and why", HOLDER: "nothing"}
    counts = {
        "same": verdicts.count("same"),
        "unsure": verdicts.count("unsure"),
        "waiting": len(report) - len(verdicts),
    }
    return Outcome(counts, learned)


def _judge(stage: Stage, investigator: Person, row: Element, selectors: str) -> str:
    """Judge one hit; remember the first on an account for the request."""
    hit, held = row.attributes["data-ref"], [part.split("=", 1) for part in selectors.split("; ")]
    path = f"/hits/{hit}/"
    verdict = "same" if any(kind != "person" for kind, _ in held) else "unsure"
    reason = "The number itself agrees." if verdict == "same" else "Only name and birth date agree: more is needed."
    judgement = {"verdict": verdict, "reason": reason}
    investigator.ensure(lambda: investigator.get(path).state != "waiting", path, judgement)
    account = next((value for kind, value in held if kind == "account"), "")
    if account and not stage.hit:
        stage.hit, stage.account = hit, account
    return verdict
