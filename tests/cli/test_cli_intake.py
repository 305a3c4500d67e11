"""``palermo intake`` as a user meets it: exit codes, outputs, what it says."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from palermo.cli.intake import app

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "intake"
SAMPLE = VECTORS / "ftm" / "people.jsonl"
GOOD = '{"id":"b-%d","schema":"Person","properties":{"name":["Ada Quillfeather"]}}\n'


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def test_all_loaded_is_exit_0_with_a_summary_by_schema(tmp_path: Path) -> None:
    code, out, err = run("ftm", SAMPLE, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "Loaded 3 entities" in out
    assert ["Person", "1"] in [line.split() for line in out.splitlines()]
    assert len((tmp_path / "out").read_text().splitlines()) == 3


def test_rejects_are_exit_3_and_named_ten_at_most(tmp_path: Path) -> None:
    (tmp_path / "in").write_text(GOOD % 1 + "spoon\n" * 13 + GOOD % 2)
    code, out, err = run("ftm", tmp_path / "in", "--out", tmp_path / "out", "--rejects", tmp_path / "rejects")
    assert code == 3
    assert err.count("not JSON") == 10
    assert f"{tmp_path / 'in'}:2: not JSON" in err
    assert f"and 3 more: see {tmp_path / 'rejects'}" in err
    assert "rejected 13 rows" in out
    rejects = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
    assert len(rejects) == 13
    assert rejects[0]["line"] == 2
    assert set(rejects[0]) == {"file", "line", "reason", "row"}
    assert rejects[0]["row"] == "spoon"
    assert len((tmp_path / "out").read_text().splitlines()) == 2


def test_many_rejects_without_a_file_for_them_say_how_to_keep_them(tmp_path: Path) -> None:
    (tmp_path / "in").write_text(GOOD % 1 + "spoon\n" * 12)
    code, _, err = run("ftm", tmp_path / "in", "--out", tmp_path / "out")
    assert code == 3
    assert "and 2 more: name a file with --rejects" in err


@pytest.mark.parametrize(
    ("code", "content", "says"),
    [
        ("ftm", None, "no such file"),
        ("ftm", b"", "empty"),
        ("ftm", b"\n\n", "no entity"),
        ("ftm", b"spoon\n", "none of its rows"),
        ("un-sc", b"spoon", "not well-formed XML"),
        ("un-sc", b"<SPOONS/>", "root element"),
        ("un-sc", b"<CONSOLIDATED_LIST/>", "no entity"),
        ("ofac-sdn", b"a,b\n", "none of OFAC"),
        ("uk-conlist", b"a,b\n", "no OFSI list"),
        ("csv", b"a,b\n", "one mapping"),
        ("goaml", b"x", "unknown format 'goaml'"),
    ],
)
def test_unusable_input_is_exit_2_and_leaves_no_output(
    tmp_path: Path, code: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / "in").write_bytes(content)
    exit_code, out, err = run(code, tmp_path / "in", "--out", tmp_path / "out")
    assert exit_code == 2
    assert says in err
    assert out == ""
    assert not (tmp_path / "out").exists()


def test_a_mapping_may_be_named_by_option_or_among_the_files(tmp_path: Path) -> None:
    table, mapping = VECTORS / "csv" / "people.csv", VECTORS / "csv" / "mapping.toml"
    assert run("csv", table, "--mapping", mapping, "--out", tmp_path / "a")[0] == 0
    assert run("csv", mapping, table, "--out", tmp_path / "b")[0] == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_missing_arguments_are_exit_2() -> None:
    assert run("ftm")[0] == 2
    assert run("ftm", SAMPLE)[0] == 2


def test_killed_amid_the_rows_no_half_output_is_left(tmp_path: Path) -> None:
    pipe, out = tmp_path / "in", tmp_path / "out"
    out.write_text("before\n")
    pipe.write_text("".join(GOOD % n for n in range(400_000)))
    command = [sys.executable, "-c", "from palermo.cli.intake import app; app()", "ftm", str(pipe), "--out", str(out)]
    process = subprocess.Popen(command)
    for _ in range(400):
        if list(tmp_path.glob(".out.*.partial")):
            break
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert out.read_text() == "before\n"
    assert run("ftm", SAMPLE, "--out", out)[0] == 0


def test_help_needs_neither_the_model_nor_duckdb() -> None:
    heavy = "{'followthemoney', 'rigour', 'duckdb', 'pyarrow', 'django', 'rich'}"
    probe = (
        "import sys; from palermo.cli import main; sys.argv = ['palermo', 'intake', '--help']\n"
        f"try: main.main()\nexcept SystemExit: pass\nprint(sorted({heavy} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout
    assert "un-sc" in output
    assert output.splitlines()[-1] == "[]"
