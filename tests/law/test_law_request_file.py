"""A request as a JSON document: read strictly, every fault named, and its schema published as it is."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palermo.law.checked import Checked
from palermo.law.request_file import KEYS, LARGEST_BYTES, RequestFileError, parse, read
from palermo.law.request_schema import request_schema
from palermo.law.shape import schema

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
GOOD: dict[str, Any] = {
    "version": 1,
    "type": "extradition",
    "requesting_state": "XA",
    "requested_state": "XB",
    "offence": "money-laundering",
    "scope": {"group": True, "committed_in_several": True},
    "facts": {"purpose": "Trial", "maximum_years": 10, "person_located": True},
    "gates": {"torture": {"concern": "no", "decision": "proceed", "reason": "Nothing points to it"}},
    "events": [{"event": "arrested", "at": "2026-03-01T14:30:00+01:00"}, {"event": "released", "at": "2026-03-20"}],
    "agreed": {"execution": "2026-05-01", "stop_payment": 72},
    "calendars": {"requested": {"time_zone": "Europe/Vienna", "weekend": ["sunday"], "holidays": ["2026-05-01"]}},
}


def raw(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_a_good_document_is_read_whole() -> None:
    found = parse(raw())
    assert found.type.code == "extradition" and found.case.maximum_years == 10 and found.case.person_there is True
    assert found.agreed == {"execution": date(2026, 5, 1), "stop_payment": 72}
    assert found.calendars["requested"].rests(date(2026, 5, 1)) and found.gates["torture"].decision == "proceed"


FAULTS = [
    ({"colour": "red"}, "'colour' is unknown"),
    ({"facs": {}}, "Did you mean facts"),
    ({"version": 2}, "reads version 1"),
    ({"version": True}, "whole number"),
    ({"type": "extraditon"}, "Did you mean extradition"),
    ({"type": 3}, "'type' has to be a text"),
    ({"requesting_state": None}, "'requesting_state' is missing"),
    ({"offence": "laundring"}, "No offence is known"),
    ({"facts": {"purpos": "x"}}, "Did you mean purpose"),
    ({"facts": []}, "'facts' has to be an object"),
    ({"scope": {"groop": True}}, "scope.groop is unknown"),
    ({"scope": {"group": "yes"}}, "true or false"),
    ({"scope": {"maximum_years": 3}}, "scope.maximum_years is unknown"),
    ({"gates": {"tortur": {}}}, "Did you mean torture"),
    ({"gates": {"torture": "no"}}, "give concern"),
    ({"gates": {"torture": {"concern": "maybe", "decision": "proceed", "reason": "r"}}}, "no, yes or unknown"),
    ({"gates": {"torture": {"concern": "no", "decision": "proceed", "reason": ""}}}, "Give the reason"),
    ({"events": [{"event": "arested", "at": "2026-03-01"}]}, "Did you mean arrested"),
    ({"events": [{"event": "arrested", "at": "2026-03-01T10:00:00"}]}, "with its offset"),
    ({"events": [{"event": "arrested"}]}, "give 'event' and 'at'"),
    ({"events": ["arrested"]}, "give 'event' and 'at'"),
    ({"events": [{"event": [], "at": "2026-03-01"}]}, "give 'event' and 'at'"),
    ({"agreed": {"noon": 3}}, "is no clock"),
    ({"agreed": {"provisional_arrest_may_end": 30}}, "fixes the length"),
    ({"agreed": {"execution": 0}}, "give a number of days"),
    ({"agreed": {"execution": "soon"}}, "give a number of days"),
    ({"calendars": {"both": {}}}, "one of requested"),
    ({"calendars": {"requested": {"time_zone": "Europe/Nowhere"}}}, "give 'time_zone'"),
    ({"calendars": {"requested": {"time_zone": "../../etc/passwd"}}}, "give 'time_zone'"),
    ({"calendars": {"requested": {"time_zone": 3}}}, "give 'time_zone'"),
    ({"calendars": {"requested": {"weekend": 6}}}, "give 'time_zone'"),
    ({"calendars": {"requested": {"weekend": ["funday"]}}}, "give 'time_zone'"),
    ({"calendars": {"requested": {"holidays": ["soon"]}}}, "give 'time_zone'"),
]


@pytest.mark.parametrize(("changes", "said"), FAULTS)
def test_a_fault_is_refused_and_said(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestFileError, match=said.replace("(", r"\(")):
        parse(raw(**changes))


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(RequestFileError) as caught:
        parse(raw(type="x", offence="y", facts={"purpose": 3}, events=[1], agreed={"z": 1}))
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize(
    "bad", [b"", b"[]", b"\xff", b"{", b'{"version": NaN}', b'{"type": "a", "type": "b"}', b"[" * 9999]
)
def test_what_is_no_such_document_is_refused(bad: bytes) -> None:
    with pytest.raises(RequestFileError):
        parse(bad)


def test_a_file_that_cannot_be_read_or_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestFileError, match="cannot be read"):
        read(tmp_path / "absent.json")
    path = tmp_path / "large.json"
    path.write_bytes(b" " * (LARGEST_BYTES + 1))
    with pytest.raises(RequestFileError, match="larger than"):
        read(path)
    path.write_bytes(raw())
    assert read(path).requested == "XB"


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["2026-03-01", "arrested"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(name=st.sampled_from(sorted(KEYS)), value=junk)
def test_nothing_but_a_named_fault_comes_of_junk(name: str, value: Any) -> None:
    try:
        parse(raw(**{name: value}))
    except RequestFileError as error:
        assert error.problems


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("law-request.schema.json", request_schema()),
        ("law-check.schema.json", schema(Checked, "What 'palermo law check --json' prints")),
    ],
)
def test_the_published_schema_is_the_one_that_the_code_makes(name: str, made: dict[str, Any]) -> None:
    published = json.loads((REFERENCE / name).read_text("utf-8"))
    assert published == json.loads(json.dumps(made)), f"write it anew: see docs/reference/law-check.md ({name})"
