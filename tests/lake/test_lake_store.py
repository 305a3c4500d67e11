"""A holding through its life: loaded, loaded again, changed, damaged, dropped."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palermo.lake import (
    DamagedHoldingError,
    HoldingNameError,
    Lake,
    RepeatedEntityError,
    UnknownHoldingError,
    paths,
)
from palermo.subjects import Entity


def person(number: int, *names: str, email: str | None = None) -> Entity:
    properties = {"name": names or (f"Ada Quillfeather {number}",)}
    return Entity(f"p-{number}", "Person", {**properties, "email": (email,)} if email else properties)


def by_name(entity: Entity) -> Iterator[tuple[str, str]]:
    """Stands in for the selectors, which have tests of their own."""
    for name in entity.names:
        yield "name", name.lower()
    for address in entity.all("email"):
        yield "email", address


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_what_went_in_comes_out_sorted(lake: Lake) -> None:
    people = [person(2, "Bo", email="x@y.example"), person(1, "Ada", "Bo"), Entity("c-1", "Company", {"name": ("Öl",)})]
    report = lake.load("bureau", people, selectors=by_name)
    assert (report.added, report.changed, report.removed, report.unchanged) == (3, 0, 0, 0)
    assert (report.entities, report.selectors) == (3, 5)
    assert list(report.added_ids) == ["c-1", "p-1", "p-2"]
    assert list(lake.entities("bureau")) == [people[2], people[1], people[0]]
    assert lake.entity("bureau", "p-1") == people[1]
    assert lake.entity("bureau", "p-9") is None
    assert list(lake.selectors("bureau")) == [
        ("p-2", "email", "x@y.example"),
        ("p-1", "name", "ada"),
        ("p-1", "name", "bo"),
        ("p-2", "name", "bo"),
        ("c-1", "name", "öl"),
    ]
    assert lake.find("bureau", "name", "bo") == ["p-1", "p-2"]
    assert lake.find("bureau", "email", "bo") == []
    counts = lake.counts("bureau")
    assert counts.by_schema == {"Company": 1, "Person": 2}
    assert counts.by_kind == {"email": 1, "name": 4}
    assert lake.verify("bureau") == []
    assert lake.holdings() == ["bureau"]


def test_the_same_content_again_changes_nothing(lake: Lake) -> None:
    people = [person(n) for n in range(5)]
    first = lake.load("bureau", people, selectors=by_name)
    folder = paths.version_folder(lake.root, "bureau", first.version)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = lake.load("bureau", reversed(people), selectors=by_name)
    assert again.version == first.version
    assert (again.added, again.changed, again.removed, again.unchanged) == (0, 0, 0, 5)
    assert list(again.added_ids) == list(again.changed_ids) == list(again.removed_ids) == []
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_equal_content_has_equal_bytes_in_any_lake(tmp_path: Path) -> None:
    content = []
    for name in ("a", "b"):
        lake = Lake(tmp_path / name)
        report = lake.load("bureau", [person(n) for n in range(50)], selectors=by_name)
        folder = paths.version_folder(lake.root, "bureau", report.version)
        content.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert content[0] == content[1]


def test_a_newer_version_says_what_changed(lake: Lake) -> None:
    first = lake.load("bureau", [person(1), person(2), person(3)], selectors=by_name)
    second = lake.load("bureau", [person(2), person(3, "Renamed"), person(4)], selectors=by_name)
    assert (second.added, second.changed, second.removed, second.unchanged) == (1, 1, 1, 1)
    assert list(second.added_ids) == ["p-4"]
    assert list(second.changed_ids) == ["p-3"]
    assert list(second.removed_ids) == ["p-1"]
    assert [(v.version, v.is_current) for v in lake.versions("bureau")] == [
        (second.version, True),
        (first.version, False),
    ]
    third = lake.load("bureau", [person(9)], selectors=by_name)
    assert [v.version for v in lake.versions("bureau")] == [third.version, second.version]
    assert not paths.version_folder(lake.root, "bureau", first.version).exists()
    back = lake.load("bureau", [person(2), person(3, "Renamed"), person(4)], selectors=by_name)
    assert back.version == second.version
    assert (back.added, back.removed) == (3, 1)
    assert lake.verify("bureau") == []


def test_other_selectors_of_the_same_entities_are_another_version(lake: Lake) -> None:
    first = lake.load("bureau", [person(1)], selectors=by_name)
    second = lake.load("bureau", [person(1)], selectors=lambda entity: [("id", entity.id)])
    assert second.version != first.version
    assert (second.added, second.changed, second.unchanged) == (0, 0, 1)
    assert list(lake.selectors("bureau")) == [("p-1", "id", "p-1")]


def test_protected_entities_are_kept_and_never_published(lake: Lake) -> None:
    people = [person(1, "Bo"), person(2, "Bo"), person(3, "Cy")]
    report = lake.load("bureau", people, protected=lambda entity: entity.id != "p-1", selectors=by_name)
    assert list(lake.selectors("bureau")) == [("p-1", "name", "bo")]
    assert report.selectors == 1
    assert lake.counts("bureau").protected == 2
    assert lake.find("bureau", "name", "bo") == ["p-1", "p-2"]
    assert lake.is_protected("bureau", "p-2")
    assert not lake.is_protected("bureau", "p-1")
    assert not lake.is_protected("bureau", "p-9")
    lifted = lake.load("bureau", people, selectors=by_name)
    assert list(lifted.changed_ids) == ["p-2", "p-3"]


def test_an_id_that_comes_twice_is_refused_and_nothing_changes(lake: Lake) -> None:
    first = lake.load("bureau", [person(1)], selectors=by_name)
    with pytest.raises(RepeatedEntityError) as caught:
        lake.load("bureau", [person(2), person(2, "Other")], selectors=by_name)
    assert caught.value.ids == ("p-2",)
    assert lake.counts("bureau").version == first.version


def test_a_source_that_fails_changes_nothing(lake: Lake) -> None:
    def failing() -> Iterator[Entity]:
        yield person(1)
        raise RuntimeError("source gone")

    first = lake.load("bureau", [person(1)], selectors=by_name)
    with pytest.raises(RuntimeError, match="source gone"):
        lake.load("bureau", failing(), selectors=by_name)
    assert lake.counts("bureau").version == first.version
    assert not list(paths.holding_folder(lake.root, "bureau").glob("staging-*"))


def test_an_empty_holding_is_a_holding(lake: Lake) -> None:
    assert lake.load("bureau", [], selectors=by_name).entities == 0
    assert list(lake.entities("bureau")) == list(lake.selectors("bureau")) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a b", "-a", "x" * 129, "a\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(lake: Lake, name: str) -> None:
    for use in (lambda: lake.load(name, []), lambda: lake.counts(name), lambda: lake.drop(name)):
        with pytest.raises(HoldingNameError):
            use()


def test_an_unknown_holding_is_named(lake: Lake) -> None:
    with pytest.raises(UnknownHoldingError, match="nobody"):
        lake.counts("nobody")
    with pytest.raises(UnknownHoldingError):
        next(lake.entities("nobody"))
    assert lake.holdings() == []


def test_a_dropped_holding_leaves_nothing(lake: Lake) -> None:
    lake.load("bureau", [person(1)], selectors=by_name)
    lake.drop("bureau")
    lake.drop("bureau")
    assert lake.holdings() == []
    assert [path for path in lake.root.rglob("*") if path.is_file()] == [paths.lock_file(lake.root, "bureau")]


@pytest.mark.parametrize("name", [paths.ENTITIES, paths.SELECTORS, paths.CHANGES, paths.MANIFEST])
def test_each_flipped_bit_is_found_and_its_file_named(lake: Lake, name: str) -> None:
    report = lake.load("bureau", [person(n) for n in range(20)], selectors=by_name)
    path = paths.version_folder(lake.root, "bureau", report.version) / name
    content = path.read_bytes()
    for position in range(0, len(content), max(1, len(content) // 40)):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        assert lake.verify("bureau") == [name]
    path.unlink()
    assert lake.verify("bureau") == [paths.CURRENT if name == paths.MANIFEST else name]


def test_a_damaged_pointer_is_named(lake: Lake) -> None:
    lake.load("bureau", [person(1)], selectors=by_name)
    pointer = paths.current_file(lake.root, "bureau")
    content = pointer.read_bytes()
    for damaged in (b"", b"x", b"\xff", content[:-5], b"../../etc " + b"0" * 64):
        pointer.write_bytes(damaged)
        assert lake.verify("bureau") == [paths.CURRENT]
        with pytest.raises(DamagedHoldingError, match="CURRENT"):
            lake.counts("bureau")


def test_a_manifest_of_another_format_is_refused(lake: Lake) -> None:
    from palermo.lake.loading import Manifest

    report = lake.load("bureau", [person(1)], selectors=by_name)
    content = (paths.version_folder(lake.root, "bureau", report.version) / paths.MANIFEST).read_bytes()
    document = json.loads(content)
    for changed in ({**document, "format": 2}, {**document, "more": 1}, {"format": 1}):
        with pytest.raises(ValueError, match="manifest"):
            Manifest.from_bytes(json.dumps(changed, sort_keys=True, indent=1).encode() + b"\n")


def test_real_selectors_by_default(lake: Lake) -> None:
    lake.load("bureau", [Entity("p-1", "Person", {"name": ("Ada Quillfeather",), "email": ("Ada@Quill.example",)})])
    assert lake.find("bureau", "email", "ada@quill.example") == ["p-1"]
    assert lake.counts("bureau").by_kind["person"] >= 1


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8).filter(str.strip)
HOLDINGS = st.dictionaries(st.integers(0, 12), st.tuples(NAMES, st.booleans()), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=HOLDINGS, new=HOLDINGS)
def test_loads_equal_ten_lines_of_python(
    tmp_path: Path, old: dict[int, tuple[str, bool]], new: dict[int, tuple[str, bool]]
) -> None:
    lake = Lake(tmp_path / "lake")
    for content in (old, new):
        people = [person(number, name) for number, (name, _) in content.items()]
        hidden = {f"p-{number}" for number, (_, flag) in content.items() if flag}
        report = lake.load("bureau", people, protected=lambda e, hidden=hidden: e.id in hidden, selectors=by_name)
    key = str.encode
    assert list(lake.entities("bureau")) == sorted(people, key=lambda entity: entity.id)
    expected = {(e.id, kind, value) for e in people if e.id not in hidden for kind, value in by_name(e)}
    assert list(lake.selectors("bureau")) == sorted(expected, key=lambda s: (key(s[1]), key(s[2]), key(s[0])))
    if new != old:
        assert set(report.added_ids) == {f"p-{n}" for n in new.keys() - old.keys()}
        assert set(report.removed_ids) == {f"p-{n}" for n in old.keys() - new.keys()}
        assert set(report.changed_ids) == {f"p-{n}" for n in new.keys() & old.keys() if new[n] != old[n]}
    lake.drop("bureau")
