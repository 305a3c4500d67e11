"""Entities as JSON lines: strict in, deterministic out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.subjects import Entity, EntityError, read_entities, write_entities
from palermo.subjects.entities import MAX_LINE_BYTES

ANN = Entity("x-1", "Person", {"name": ("Ann Bee",), "alias": ("Annie", "Ann Bee"), "weakAlias": ("A.",)})

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1).filter(str.strip)
ENTITIES = st.builds(
    Entity,
    st.from_regex(r"[!-~]{1,40}", fullmatch=True),
    st.sampled_from(["Person", "Company", "BankAccount"]),
    st.dictionaries(
        st.sampled_from(["name", "alias", "birthDate", "iban"]), st.lists(TEXTS, min_size=1, unique=True).map(tuple)
    ),
)


def line(**parts: object) -> str:
    return json.dumps({"id": "x-1", "schema": "Person", "properties": {"name": ["Ann"]}, **parts})


@given(ENTITIES)
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read(entity: Entity) -> None:
    written = entity.to_json()
    assert "\n" not in written
    assert Entity.from_json(written) == entity
    assert Entity.from_json(written.encode()).to_json() == written


def test_keys_are_sorted_whatever_their_order() -> None:
    one = Entity("x-1", "Person", {"name": ("Ann",), "alias": ("A",)})
    other = Entity("x-1", "Person", {"alias": ("A",), "name": ("Ann",)})
    assert (
        one.to_json() == other.to_json() == '{"id":"x-1","properties":{"alias":["A"],"name":["Ann"]},"schema":"Person"}'
    )
    assert hash(one) == hash(other)


def test_names_and_caption() -> None:
    assert ANN.names == ("Ann Bee", "Annie", "A.")
    assert ANN.caption == "Ann Bee"
    assert ANN.first("alias") == "Annie"
    assert ANN.first("birthDate") is None
    assert Entity("x-2", "BankAccount", {"accountNumber": ("12",)}).caption == "12"
    assert Entity("x-3", "Person", {}).caption == "x-3"


def test_what_other_publishers_add_is_ignored() -> None:
    assert Entity.from_json(line(caption="Ann", datasets=["d"], referents=[])).id == "x-1"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ("{", "not JSON"),
        (b"\xff", "UTF-8"),
        ("\ud800", "UTF-8"),
        ('{"id":"a","id":"b"}', "twice"),
        ("[" * 5000, "deeper"),
        (line(extra=float("nan")), "NaN"),
        (line(id=""), "'id'"),
        (line(id="a b"), "'id'"),
        (line(id=7), "'id'"),
        (line(id="x" * 256), "'id'"),
        (line(schema="person"), "'schema'"),
        (line(schema=None), "'schema'"),
        (line(properties=[]), "'properties'"),
        (line(properties={"Name": ["a"]}), "property name"),
        (line(properties={"name": "Ann"}), "list"),
        (line(properties={"name": []}), "list"),
        (line(properties={"name": [1]}), "no text"),
        (line(properties={"name": [" "]}), "empty"),
        (line(properties={"name": ["\0"]}), "no text"),
        (line(properties={"name": [{"id": "nested"}]}), "no text"),
        (line(properties={"name": ["\ud800"]}), "surrogate"),
        (line(extra="x" * MAX_LINE_BYTES), "longer"),
        (line(extra=1).replace(": 1", ": " + "1" * 5000), "not JSON"),
    ],
)
def test_faults_are_named(text: str | bytes, fault: str) -> None:
    with pytest.raises(EntityError, match=fault) as caught:
        Entity.from_json(text)
    assert caught.value.line_number is None


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
@settings(max_examples=150, deadline=None)
def test_any_line_is_an_entity_or_a_named_fault(text: str | bytes) -> None:
    try:
        Entity.from_json(text)
    except EntityError as error:
        assert error.fault


def test_brackets_in_text_are_no_depth() -> None:
    deep = Entity("x-1", "Person", {"name": ('[[[[{{{{"' * 20,)})
    assert Entity.from_json(deep.to_json()) == deep


def test_a_file_is_read_back_and_its_faulty_line_named(tmp_path: Path) -> None:
    path = tmp_path / "a.ftm.jsonl"
    assert write_entities(path, [ANN, ANN]) == 2
    assert list(read_entities(path)) == [ANN, ANN]
    path.write_text(ANN.to_json() + "\n\nnonsense\n", encoding="utf-8")
    entities = read_entities(path)
    assert next(entities) == ANN
    with pytest.raises(EntityError, match="line 3: not JSON") as caught:
        next(entities)
    assert caught.value.line_number == 3


def test_a_line_without_end_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"x" * (3 * MAX_LINE_BYTES))
    with pytest.raises(EntityError, match="line 1: longer"):
        list(read_entities(path))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_entities(path, [ANN])

    def failing() -> object:
        yield ANN
        raise RuntimeError("source broke")

    with pytest.raises(RuntimeError):
        write_entities(path, failing())  # type: ignore[arg-type]
    assert list(read_entities(path)) == [ANN]
    assert [p.name for p in tmp_path.iterdir()] == ["a.jsonl"]


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, palermo.subjects.selectors\n"
        "print([m for m in ('icu', 'phonenumbers', 'rigour', 'followthemoney', 'idna', 'stdnum') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
