"""Every way in which evidence is used passes the one gate. A new way that does not fails here by its being there.

Two laws. Over the source: whoever learns where bytes of evidence lie either asks the gate in the same function, or
stands in a table that says why it need not. Over the rules: what the gate forbids follows from origin and marks alone,
the strictest wins, and no state, partner or officer is named in it.
"""

import ast
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path

import palermo
from palermo.node.evidence.marks import HandlingCode, InformationGrade, Marks, Origin, SourceGrade, Tlp
from palermo.node.evidence.uses import ASKABLE, BY_HANDLING_CODE, BY_ORIGIN, BY_TLP, Use, needing_consent

SOURCE = Path(palermo.__file__).parent
PLACES = {"path_of", "packages_folder", "blobs_folder"}
"""What tells where bytes of evidence lie."""

WITHOUT_GATE = {
    "node/home.py:packages_folder": "names the folder",
    "node/home.py:blobs_folder": "names the folder",
    "node/evidence/blobs.py:path_of": "names the place",
    "node/evidence/blobs.py:path": "names the place",
    "node/evidence/blobs.py:store_chunks": "writes, and reads nothing",
    "node/evidence/queries.py:verify": "examines the seal; what comes out is the report",
    "node/evidence/queries.py:certificate": "examines the seal; what comes out is the report on a page",
    "node/evidence/queries.py:_blob_faults": "compares digests, for the node itself",
    "node/evidence/queries.py:_package_faults": "compares digests, for the node itself",
    "node/evidence/queries.py:changed": "names the damaged file in an error",
    "node/evidence/actions/arrivals.py:receive_package": "takes in, and gives nothing out",
    "node/evidence/actions/arrivals.py:take_package": "takes in, and gives nothing out",
    "node/evidence/actions/custody.py:sealed_file": "its caller, copy_for_court, asks the gate for each item",
    "node/evidence/actions/packages.py:_package_item": "of items that _chosen let through the gate just before",
    "node/evidence/completing.py:complete": "writes the file; when it leaves, package_for asks the gate again",
    "node/evidence/completing.py:_draft": "writes the file; when it leaves, package_for asks the gate again",
    "node/evidence/completing.py:_put_in_place": "writes the file; when it leaves, package_for asks the gate again",
    "node/evidence/copies.py:unlink_files": "destroys",
}


def functions() -> Iterator[tuple[str, set[str]]]:
    """Every function of the source with the names that it uses."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not any(place in text for place in PLACES):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                names = {found.attr for found in ast.walk(node) if isinstance(found, ast.Attribute)}
                names |= {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}
                yield f"{path.relative_to(SOURCE).as_posix()}:{node.name}", names | {node.name}


def test_who_learns_where_evidence_lies_asks_the_gate_or_says_why_not():
    ungated = {name for name, names in functions() if names & PLACES and not {"limits", "require"} <= names}
    assert ungated == WITHOUT_GATE.keys()


def test_nothing_outside_evidence_opens_its_files():
    rooms = {name.partition(":")[0].rpartition("/")[0] for name, names in functions() if names & PLACES}
    assert rooms <= {"node", "node/evidence", "node/evidence/actions"}


def marks_of(tlp: Tlp, handling_code: HandlingCode, use_limit: str = "") -> Marks:
    return Marks(tlp, handling_code, SourceGrade.A, InformationGrade.CERTAIN, use_limit)


def test_the_strictest_wins_and_a_stricter_mark_frees_nothing():
    for origin, tlp, code in product((Origin.RECEIVED, Origin.INTELLIGENCE), Tlp, HandlingCode):
        forbidden = needing_consent(origin, marks_of(tlp, code))
        court_is_theirs = {Use.COURT} if origin is Origin.RECEIVED else set()
        assert forbidden == (BY_ORIGIN[origin] | BY_TLP[tlp] | BY_HANDLING_CODE[code]) - court_is_theirs
        assert forbidden <= needing_consent(origin, marks_of(tlp, code, "Not to be shown to anyone."))
    for scale, table in ((Tlp, BY_TLP), (HandlingCode, BY_HANDLING_CODE)):
        steps = [table[mark] for mark in scale]
        assert all(freer <= stricter for freer, stricter in pairwise(steps))


def test_what_is_our_own_needs_nobody_and_what_is_given_never_leaves_its_case_freely():
    for tlp, code in product(Tlp, HandlingCode):
        assert needing_consent(Origin.OWN, marks_of(tlp, code, "any")) == frozenset()
        received = needing_consent(Origin.RECEIVED, marks_of(tlp, code))
        assert {Use.CASE, Use.EXPORT, Use.SHARE, Use.CITE} <= received  # UNTOC 18(19)
        intelligence = needing_consent(Origin.INTELLIGENCE, marks_of(tlp, code))
        assert {Use.COURT, Use.SHARE, Use.CITE} <= intelligence  # no evidence without its originator's consent


def test_consent_is_never_asked_for_what_is_free_by_law():
    assert not {Use.STATED, Use.EXCULPATORY} & set(ASKABLE)
