"""First part of the road: officers join, each authority loads what it knows and publishes sealed filters of it."""

from collections.abc import Mapping
from pathlib import Path

from palermo.cli.demo import story
from palermo.cli.demo.lists import Comparison
from palermo.cli.demo.nodes import DemoError
from palermo.cli.demo.page import Element, Page
from palermo.cli.demo.person import Person
from palermo.cli.demo.staff import ADMINISTRATOR
from palermo.cli.demo.stage import HOLDER, Counts, Outcome, Stage, until


def people(stage: Stage) -> Outcome:
    """Administrators join by their links and invite the others."""
    return Outcome({"officers": stage.staff.enrol(stage.network), "nodes": len(stage.network.nodes)})


def holdings(stage: Stage) -> Outcome:
    """Each authority loads its invented file; one protects an item as covert."""
    files = stage.world.write(stage.folder)
    counts: Counts = {}
    for code in stage.network.nodes:
        facts = story.HOLDING | {"partners": stage.partners_of(code)}
        counts[code] = _load(stage, code, facts, "ftm", [files[code]])
    supervisor, path = stage.person(HOLDER, "supervisor"), f"/holdings/{story.HOLDING_CODE}/protect/"
    covert = stage.covert[1]
    supervisor.ensure(lambda: supervisor.get(path).ref("", covert), path, {"entity_ids": covert, "reason": "covert"})
    return Outcome(counts, dict.fromkeys(stage.network.nodes, "nothing of the others"))


def real_lists(stage: Stage, compared: list[Comparison]) -> Outcome:
    """Each authority loads a real list. Real persons go as far as matching and a report, never further."""
    counts: Counts = {}
    for item in (holding for pair in compared for holding in (pair.theirs, pair.ours)):
        facts = item.facts(stage.partners_of(item.node))
        counts[item.code] = _load(stage, item.node, facts, item.format, list(item.files))
    return Outcome(counts, dict.fromkeys(stage.network.nodes, "nothing of the others"))


def _load(stage: Stage, node: str, facts: Mapping[str, object], list_format: str, files: list[Path]) -> int:
    """Make a holding at a node and load files into it; returns how many entries it holds."""
    supervisor, code = stage.person(node, "supervisor"), str(facts["code"])
    path = f"/holdings/{code}/"
    supervisor.ensure(lambda: supervisor.get("/holdings/").ref("/holdings/", code), "/holdings/new/", facts)
    uploads = [("file", file) for file in files]
    supervisor.ensure(lambda: _loads(supervisor.get(path)), path, {"format": list_format}, uploads)
    page = supervisor.wait(path, "kept")
    if any(row.attributes["data-state"] == "failed" for row in _loads(page)):
        raise DemoError(f"{node}{path}: the load failed: {page.text[:1500]}")
    return int(page.fact("Entries").replace(",", ""))


def _loads(page: Page) -> list[Element]:
    return [row for row in page.rows() if "data-state" in row.attributes]


def publish(stage: Stage) -> Outcome:
    """Each authority opens an epoch; the manifests reach the partners."""
    nodes = stage.network.nodes
    for code in nodes:
        _open_epoch(stage.person(code, ADMINISTRATOR))
    for code in nodes:
        _await_manifests(stage.person(code, ADMINISTRATOR), len(nodes) - 1)
    learned = dict.fromkeys(nodes, "how much the others hold, in padded steps; nothing of it")
    return Outcome({"epochs": len(nodes), "manifests": (len(nodes) - 1) * len(nodes)}, learned)


def _open_epoch(administrator: Person) -> None:
    administrator.ensure(lambda: administrator.get("/matching/").state != "none", "/matching/", {})


def _await_manifests(administrator: Person, partners: int) -> None:
    administrator.wait("/matching/", "open")

    def arrived() -> bool:
        rows = administrator.get("/matching/").with_attribute("data-partner")
        return len({row.attributes["data-partner"] for row in rows}) == partners

    until(arrived, f"the partners' manifests at {administrator.log_in.node}")
