"""The demo on real lists: UN, OFAC and UK, one a node, compared blindly. They go no further than a report.

The folder is laid out as ``un/un_*.xml``, ``ofac/*_sdn.csv`` (with ``_alt`` and ``_add``), ``uk/conlist_*.csv``. Where
a folder ``truth`` with judged pairs lies beside it, recall is reported too.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from palermo.cli.demo import story
from palermo.cli.demo.nodes import DemoError
from palermo.intake import format_of
from palermo.subjects.entities import Entity

CASE_TITLE = "Comparison of published lists"
CASE = {
    "title": CASE_TITLE,
    "purpose": "Comparison of published sanctions lists: which entries stand on both",
    "legal_basis": "UNTOC Art. 27",
    "neutrality": "none",
}
_TRUTH_CODES = {"ofac": "ofac", "uk": "uk_2018"}


@dataclass(frozen=True, slots=True)
class ListHolding:
    """A list as a node holds it."""

    node: str
    code: str
    name: str
    source: str
    format: str
    files: tuple[Path, ...]

    def facts(self, partners: list[str]) -> dict[str, object]:
        """The holding's form. The lists are public: a hit may show the entry."""
        published = {"code": self.code, "name": self.name, "source": self.source, "hit_reveals": "data"}
        return story.HOLDING | published | {"purpose": "Sanctions screening", "partners": partners, "caveats": ""}

    def people(self) -> set[str]:
        """Ids of the list's persons."""
        return {entity.id for entity in self.entities() if entity.schema == "Person"}

    def entities(self) -> "list[Entity]":
        """The list, read without a node."""
        return list(format_of(self.format).read(list(self.files), lambda reject: None))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two lists to compare: the node of ``ours`` asks the node of ``theirs``."""

    ours: ListHolding
    theirs: ListHolding

    @property
    def name(self) -> str:
        """Such as ``un-ofac``."""
        return f"{self.ours.code.partition('-')[0]}-{self.theirs.code.partition('-')[0]}"


def comparisons(folder: Path) -> list[Comparison]:
    """What to compare: the newest UN list with OFAC's, and the UN list of the UK list's time with the UK's.

    Raises :class:`DemoError` when a list is not there.
    """
    un = _some(folder, "un/un_*.xml")
    sdn = _some(folder, "ofac/*_sdn.csv")[-1]
    ofac = tuple(sdn.with_name(sdn.name.replace("_sdn", f"_{part}")) for part in ("sdn", "alt", "add"))
    uk = _some(folder, "uk/conlist_*.csv")[-1]
    year_month = uk.stem.partition("_")[2][:4]
    same_year = next((path for path in un if year_month in path.name), un[-1])
    return [
        Comparison(
            ListHolding(
                story.VICTIMS.code, "un-newest", f"UN list, {un[-1].stem}", "United Nations", "un-sc", (un[-1],)
            ),
            ListHolding(story.MULES.code, "ofac-sdn", f"OFAC SDN list, {sdn.stem}", "US Treasury", "ofac-sdn", ofac),
        ),
        Comparison(
            ListHolding(
                story.VICTIMS.code, "un-earlier", f"UN list, {same_year.stem}", "United Nations", "un-sc", (same_year,)
            ),
            ListHolding(story.COMPOUND.code, "uk-conlist", f"UK list, {uk.stem}", "HM Treasury", "uk-conlist", (uk,)),
        ),
    ]


def _some(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise DemoError(f"{folder} has no {pattern}: give the folder that holds un/, ofac/ and uk/")
    return found


def recall(folder: Path, comparison: Comparison, pairs: set[tuple[str, str]]) -> dict[str, int]:
    """Counts of a comparison: pairs of persons named, and, with a truth beside the lists, how many known ones."""
    ours, theirs = comparison.ours.people(), comparison.theirs.people()
    named = {pair for pair in pairs if pair[0] in ours and pair[1] in theirs}
    counts = {"pairs": len(pairs), "person_pairs": len(named)}
    truth = folder.resolve().parent / "truth" / "cross_list_pairs.csv"
    if not truth.is_file():
        return counts
    prefix = comparison.theirs.code.partition("-")[0]
    with truth.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["src_a"], row["type"]) == ("un", "P")]
    known = {(f"un-{row['id_a']}", f"{prefix}-{row['id_b']}") for row in rows if row["src_b"] == _TRUTH_CODES[prefix]}
    known = {pair for pair in known if pair[0] in ours and pair[1] in theirs}
    found = len(known & named)
    percent = 100 * found // max(len(known), 1)
    return counts | {"known": len(known), "found": found, "recall_percent": percent, "not_in_truth": len(named - known)}
