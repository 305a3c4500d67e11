"""Laws that every format keeps, over sample files in ``tests/vectors/intake/CODE/``: a new format brings its own."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palermo.intake import IntakeError, Reject, formats, intake

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "intake"
EXPECTED = "expected.ftm.jsonl"
CODES = list(formats())


def samples(code: str) -> list[Path]:
    folder = VECTORS / code
    assert folder.is_dir(), f"a format needs sample files: put some in {folder}"
    return sorted(path for path in folder.iterdir() if path.name != EXPECTED)


@pytest.mark.parametrize("code", CODES)
def test_samples_read_as_expected(code: str, tmp_path: Path) -> None:
    summary = intake(code, samples(code), tmp_path / "out")
    assert summary.rejected == 0
    assert (tmp_path / "out").read_text() == (VECTORS / code / EXPECTED).read_text()


@pytest.mark.parametrize("code", CODES)
def test_same_files_twice_give_the_same_bytes(code: str, tmp_path: Path) -> None:
    for name in ("first", "second"):
        intake(code, samples(code), tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize("code", CODES)
def test_output_read_as_ftm_gives_itself(code: str, tmp_path: Path) -> None:
    summary = intake("ftm", [VECTORS / code / EXPECTED], tmp_path / "again")
    assert summary.rejected == 0
    assert (tmp_path / "again").read_bytes() == (VECTORS / code / EXPECTED).read_bytes()


@pytest.mark.parametrize("code", CODES)
def test_registered_under_its_own_code_with_its_source(code: str) -> None:
    found = formats()[code]
    assert found.code == code
    assert found.title
    assert found.source
    assert found.files


@pytest.mark.parametrize("code", CODES)
def test_missing_and_empty_files_are_unusable(code: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path / "missing", tmp_path / "empty", tmp_path):
        with pytest.raises(IntakeError):
            intake(code, [*samples(code)[:-1], path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("code", CODES)
def test_no_files_at_all_are_unusable(code: str) -> None:
    with pytest.raises(IntakeError):
        list(formats()[code].read([], lambda _: None))


def _survives(code: str, damaged: bytes, name: str, tmp_path: Path) -> None:
    """Anything may be refused or rejected, but only in the ways that callers know."""
    paths = []
    for sample in samples(code):
        target = tmp_path / sample.name
        target.write_bytes(damaged if sample.name == name else sample.read_bytes())
        paths.append(target)
    rejects: list[Reject] = []
    try:
        entities = list(formats()[code].read(paths, rejects.append))
    except IntakeError as error:
        assert error.fault
        return
    assert all(entity.id for entity in entities)
    assert all(reject.reason and reject.line >= 1 for reject in rejects)


@pytest.mark.parametrize("code", CODES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_samples_never_raise_anything_else(code: str, tmp_path: Path, data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(samples(code)))
    content = sample.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 200)))
    junk = data.draw(
        st.binary(max_size=40) | st.sampled_from([b"\x00", b'"', b"\n", b"\xff", b"<", b"&x;", b",", b"]]>"])
    )
    _survives(code, content[:start] + junk + content[end:], sample.name, tmp_path)


@pytest.mark.parametrize("code", CODES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    junk=st.binary(min_size=1, max_size=400)
    | st.text(min_size=1, max_size=200).map(lambda t: t.encode("utf-8", "ignore"))
)
def test_garbage_never_raises_anything_else(code: str, tmp_path: Path, junk: bytes) -> None:
    for sample in samples(code):
        _survives(code, junk, sample.name, tmp_path)
