"""``palermo law``: exit codes, errors that help, JSON as its schema says, and no Django."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from palermo.cli.demo.nodes import TREATIES
from palermo.cli.main import app
from palermo.law.basis import Report
from palermo.law.shape import schema

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "docs" / "reference" / "law-basis.schema.json"
PAIR = """
[[state]]
code = "XA"
name = "Aurelia"
[[state]]
code = "XB"
name = "Borealis"
[[party]]
instrument = "UNTOC"
state = "XA"
in_force = 2004-01-01
source = "Treaty office"
known = 2026-01-15
[[party]]
instrument = "UNTOC"
state = "XB"
in_force = 2004-01-01
source = "Treaty office"
known = 2026-01-15
[[declaration]]
instrument = "UNTOC"
state = "XB"
article = "18(14)"
says = "English or French"
languages = ["en", "fr"]
source = "the depositary"
known = 2026-01-15
"""


@pytest.fixture
def facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("PALERMO_HOME", raising=False)
    path = tmp_path / "treaties.toml"
    path.write_text(PAIR, "utf-8")
    return str(path)


def law(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["law", *arguments])


COVERED = ("--transnational", "--group", "--on", "2026-05-31")


def test_a_known_basis_is_printed_with_its_topics(facts: str) -> None:
    found = law("basis", "Aurelia", "XB", "money-laundering", *COVERED, "--facts", facts, "--form", "assistance")
    assert found.exit_code == 0, found.output
    assert "Aurelia (XA) asks Borealis (XB) about money-laundering, on 2026-05-31." in found.output
    assert "ASSISTANCE: a basis is known" in found.output
    assert "UNTOC 18(1)" in found.output and "possible: UNTOC 18(15)" in found.output
    assert "notified by Borealis: en, fr. the depositary, of 2026-01-15." in found.output
    assert "EXTRADITION" not in found.output and "(the offence by UNTOC 6(1))" in found.output


def test_what_depends_on_the_unknown_ends_with_3_and_says_what_to_do(facts: str) -> None:
    found = law("basis", "XA", "XB", "money-laundering", "--on", "2026-05-31", "--facts", facts)
    assert found.exit_code == 3
    assert "it depends on what is unknown" in found.output and "reasonable grounds to suspect" in found.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Itlay", "FR", "kidnapping"), "Did you mean IT (Italy)"),
        (("IT", "FR", "kidnaping"), "Did you mean kidnapping"),
        (("IT", "Italy", "kidnapping"), "Both States are IT"),
        (("IT", "FR", "kidnapping", "--on", "31.5.2026"), "--on"),
        (("IT", "FR", "kidnapping", "--form", "help"), "none of: assistance"),
        (("IT", "FR", "kidnapping", "--facts", "absent.toml"), "cannot be opened"),
    ],
)
def test_what_cannot_be_used_ends_with_2(
    arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PALERMO_HOME", raising=False)
    found = law("basis", *arguments)
    assert found.exit_code == 2 and said in " ".join(found.output.split())


def test_the_nodes_own_files_are_read_first(facts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "law").mkdir()
    (tmp_path / "law" / "states.toml").write_text(PAIR, "utf-8")
    monkeypatch.setenv("PALERMO_HOME", str(tmp_path))
    assert law("basis", "XA", "XB", "money-laundering", *COVERED).exit_code == 0


def test_the_demos_states_come_from_such_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PALERMO_HOME", raising=False)
    arguments = (*COVERED, "--facts", str(TREATIES), "--form", "assistance")
    for asks, asked in (("Veltria", "Meridosa"), ("Meridosa", "Calvoria"), ("XC", "XV")):
        found = law("basis", asks, asked, "telecom-fraud", "--years", "10", *arguments)
        assert found.exit_code == 0 and "contents  UNTOC 18(15)" in found.output, found.output


def test_a_file_is_checked_and_counted_and_its_faults_named(facts: str, tmp_path: Path) -> None:
    good = law("facts", facts)
    assert good.exit_code == 0 and "2  [[party]]" in good.output
    Path(facts).write_text(PAIR.replace('source = "Treaty office"', "sources = 1"), "utf-8")
    bad = law("facts", facts)
    assert bad.exit_code == 2 and bad.output.count("'sources' is unknown") == 2 and "Mend this" in bad.output


def test_offences_are_listed(facts: str) -> None:
    assert "telecom-fraud: Deceiving people" in law("offences").output
    rows = json.loads(law("offences", "--json").output)
    assert {"code", "name", "conduct", "names", "covered"} <= set(rows[0])


def fits(value: Any, kind: dict[str, Any]) -> bool:
    """Whether a value is as the schema says: no more of JSON Schema than ours uses."""
    if "anyOf" in kind:
        return any(fits(value, one) for one in kind["anyOf"])
    if kind["type"] == "object":
        return set(value) == set(kind["required"]) and all(fits(value[key], kind["properties"][key]) for key in value)
    if kind["type"] == "array":
        return isinstance(value, list) and all(fits(one, kind["items"]) for one in value)
    python = {"string": str, "boolean": bool, "integer": int, "null": type(None)}[kind["type"]]
    return type(value) is python


def test_the_json_is_as_the_published_schema_says(facts: str) -> None:
    published = json.loads(SCHEMA.read_text("utf-8"))
    assert published == schema(Report, "palermo law basis --json")
    found = law("basis", "XA", "XB", "money-laundering", *COVERED, "--facts", facts, "--json")
    assert found.exit_code == 0 and fits(json.loads(found.output), published)


def test_it_loads_no_django() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from palermo.cli.main import app;"
        "found = CliRunner().invoke(app, ['law', 'basis', 'IT', 'FR', 'corruption']);"
        "assert found.exit_code == 0, found.output; print('django' in sys.modules, 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
