"""``palermo blind compare``: the table, the pairs, and a clear sentence when the input cannot be used."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from palermo.cli.main import app


def entity(identifier: str, schema: str = "Person", **properties: list[str]) -> str:
    return json.dumps({"id": identifier, "schema": schema, "properties": properties})


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    ours, theirs = tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl"
    ours.write_text(
        "\n".join(
            [
                entity("a-1", name=["Mira Ostrand"], birthDate=["1980-02-03"]),
                entity("a-2", name=["Joren Vask"], phone=["+1 202 555 0143"]),
                entity("a-3", name=["Tilde Marrow"]),
            ]
        )
    )
    theirs.write_text(
        "\n".join(
            [
                entity("b-1", name=["OSTRAND, Mira"], birthDate=["1980-02-03"]),
                entity("b-2", name=["Somebody Else"], phone=["+1 (202) 555-0143"]),
            ]
        )
    )
    return ours, theirs, tmp_path / "common.csv"


def compare(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["blind", "compare", *map(str, arguments)])
    return result.exit_code, result.output


def test_pairs_are_written_sorted_and_steps_are_printed(files) -> None:
    ours, theirs, out = files
    code, output = compare(ours, theirs, "--out", out)
    assert code == 0
    first = out.read_bytes()
    rows = list(csv.reader(first.decode().splitlines()))
    assert rows[0] == ["kind", "our_id", "their_id"]
    assert rows[1:] == [["person", "a-1", "b-1"], ["phone", "a-2", "b-2"]]
    for word in ("read", "publish", "request", "evaluate", "finalize", "confirm", "conclude", "selectors", "bytes"):
        assert word in output
    assert "2 pairs of entities" in output
    assert compare(ours, theirs, "--out", out)[0] == 0
    assert out.read_bytes() == first
    assert not list(out.parent.glob("*.partial"))


def test_empty_files_have_nothing_in_common(files) -> None:
    ours, theirs, out = files
    theirs.write_text("")
    assert compare(ours, theirs, "--out", out)[0] == 0
    assert out.read_text() == "kind,our_id,their_id\n"


def test_unusable_input_is_named(files, tmp_path: Path) -> None:
    ours, theirs, out = files
    code, output = compare(tmp_path / "absent.jsonl", theirs, "--out", out)
    assert (code, "absent.jsonl cannot be read" in output) == (2, True)
    theirs.write_text(entity("b-1", name=["Fine Enough"]) + "\nnot json\n")
    code, output = compare(ours, theirs, "--out", out)
    assert (code, "line 2" in output) == (2, True)
    assert not out.exists()
    theirs.write_text("")
    code, output = compare(ours, theirs, "--out", tmp_path / "no" / "such" / "folder.csv")
    assert code == 2
