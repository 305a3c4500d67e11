"""``palermo law check`` and ``schema``: exit codes, errors that help, JSON as its schema says, no Django."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from palermo.cli.main import app
from palermo.law.gates import gates

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = tomllib.loads((ROOT / "tests" / "law" / "cases" / "complete.toml").read_text("utf-8"))
NAMES = {"XA": "Aurelia", "XB": "Borealis"}
STATES = "".join(f'[[state]]\ncode = "{code}"\nname = "{name}"\n' for code, name in NAMES.items())
PARTY = """
[[party]]
instrument = "{}"
state = "{}"
in_force = 2004-01-01
source = "Treaty office"
known = 2026-01-15
"""
COUNCIL = STATES + "".join(PARTY.format(code, state) for code in ("UNTOC", "COE-EXTRADITION") for state in NAMES)
SAFE = {code: {"concern": "no", "decision": "proceed", "reason": "Nothing points to it"} for code in gates()}
GOOD: dict[str, Any] = {
    "version": 1,
    "type": "extradition",
    "requesting_state": "Aurelia",
    "requested_state": "XB",
    "offence": "money-laundering",
    "scope": {"group": True, "committed_in_several": True},
    "facts": COMPLETE,
    "gates": SAFE,
}
ARREST = {
    "type": "provisional_arrest",
    "events": [{"event": "arrested", "at": "2026-03-01T14:30:00+01:00"}],
    "calendars": {"requested": {"time_zone": "Europe/Vienna"}},
}


@pytest.fixture
def law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("PALERMO_HOME", raising=False)
    (tmp_path / "treaties.toml").write_text(COUNCIL, "utf-8")

    def run(*more: str, **changes: Any) -> Result:
        path = tmp_path / "request.json"
        path.write_text(json.dumps({**GOOD, **changes}), "utf-8")
        facts = ("--facts", str(tmp_path / "treaties.toml"))
        return CliRunner().invoke(app, ["law", "check", str(path), "--on", "2026-03-16", *facts, *more])

    return run


def test_a_ready_request_leaves_with_exit_code_0(law: Any) -> None:
    found = law()
    assert found.exit_code == 0, found.output
    assert "Ready: nothing is missing." in found.output
    assert "CoE Extradition Convention 12(2)(a)" in found.output


def test_what_is_missing_or_bars_it_or_waits_is_named_with_exit_code_3(law: Any) -> None:
    facts = {**COMPLETE, "document_form": "plain copy", "political": True}
    found = law(facts=facts, gates={})
    assert found.exit_code == 3
    said = found.output.partition("Not ready:")[2]
    assert "Attach the original or an authenticated copy." in said
    assert "3(1) (must refuse)" in said and "A person has to answer" in said


def test_two_states_without_a_treaty_have_no_basis(law: Any) -> None:
    found = law(requested_state="Samoa")
    assert found.exit_code == 3 and "unknown" in found.output


def test_a_clock_stands_as_on_the_day_asked_for(law: Any) -> None:
    found = law(**ARREST)
    assert "ends soon, until 2026-03-19. Tell: case officer, head of unit." in found.output
    rows = {row["code"]: row for row in json.loads(law("--json", **ARREST).output)["clocks"]}
    assert rows["provisional_arrest_must_end"]["last_day"] == "2026-04-10"
    assert rows["provisional_arrest_may_end"]["due"] == "2026-03-19T23:00:00+00:00"


@pytest.mark.parametrize("changes", [{}, {"type": "bank_records"}, ARREST, {"facts": {}, "gates": {}}])
def test_json_is_as_the_published_schema_says(law: Any, changes: dict[str, Any]) -> None:
    printed = law("--json", **changes)
    schema = json.loads((ROOT / "docs" / "reference" / "law-check.schema.json").read_text("utf-8"))
    assert printed.exit_code in (0, 3)
    conforms(json.loads(printed.output), schema)
    request = json.loads((ROOT / "docs" / "reference" / "law-request.schema.json").read_text("utf-8"))
    conforms({**GOOD, **changes}, request)


def conforms(value: Any, schema: dict[str, Any]) -> None:
    """The few words of JSON Schema that ours use."""
    kinds: dict[str, tuple[type, ...]] = {"object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,)}
    kinds |= {"number": (int, float), "integer": (int,), "null": (type(None),)}
    if "anyOf" in schema:
        assert any(_holds(value, one) for one in schema["anyOf"]), value
        return
    if "enum" in schema or "const" in schema:
        assert value in schema.get("enum", [schema.get("const")])
        return
    named = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(isinstance(value, kinds[one]) for one in named), (value, schema)
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value) <= set(schema["properties"])
        for name, one in value.items():
            conforms(one, schema["properties"][name])
    if isinstance(value, list):
        for one in value:
            conforms(one, schema["items"])


def _holds(value: Any, schema: dict[str, Any]) -> bool:
    try:
        conforms(value, schema)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": "extraditon"}, "Did you mean extradition"),
        ({"facts": {"purpos": "x"}}, "Did you mean purpose"),
        ({"requested_state": "Boralis"}, "Borealis"),
        ({"requested_state": "Aurelia"}, "Both States are XA"),
        ({"version": 9}, "reads version 1"),
    ],
)
def test_an_unusable_file_ends_with_exit_code_2_and_what_to_do(law: Any, changes: dict[str, Any], said: str) -> None:
    found = law(**changes)
    assert found.exit_code == 2 and said in found.output


def test_a_file_that_is_not_there() -> None:
    found = CliRunner().invoke(app, ["law", "check", "absent.json"])
    assert found.exit_code == 2 and "cannot be read" in found.output


def test_the_schema_is_printed() -> None:
    found = CliRunner().invoke(app, ["law", "schema"])
    published = (ROOT / "docs" / "reference" / "law-request.schema.json").read_text("utf-8")
    assert found.exit_code == 0 and json.loads(found.output) == json.loads(published)


def test_it_needs_no_django(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(GOOD), "utf-8")
    code = (
        "import sys; from typer.testing import CliRunner; from palermo.cli.main import app; "
        f"CliRunner().invoke(app, ['law', 'check', {str(path)!r}]); "
        "sys.exit(any(name.partition('.')[0] in ('django', 'duckdb', 'followthemoney') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
