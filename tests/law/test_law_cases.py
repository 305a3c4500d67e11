"""The table of cases written from the articles: ``cases/requests.toml``. Each row is one test."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from palermo.law.check import Asked, Report, Ruling, check
from palermo.law.instruments import provision
from palermo.law.request_types import request_types
from palermo.law.statement import Statement

CASES = Path(__file__).parent / "cases"
COMPLETE = tomllib.loads((CASES / "complete.toml").read_text("utf-8"))
REQUESTS: list[dict[str, Any]] = tomllib.loads((CASES / "requests.toml").read_text("utf-8"))["case"]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIELDS = {"name", "type", "by", "also", "say", "without", "missing", "open", "unknown", "closed", "duties"}


def report(case: dict[str, Any]) -> Report:
    said = {name: value for name, value in COMPLETE.items() if name not in case.get("without", ())}
    ruling = Ruling(contents=(case["by"],), grounds=(case["by"],), binding=(case["by"], *case.get("also", ())))
    asked = Asked(type=request_types()[case["type"]], said=Statement({**said, **case.get("say", {})}))
    return check(asked, ruling, NOW)


@pytest.mark.parametrize("case", REQUESTS, ids=lambda case: f"{case['by']} {case['name']}")
def test_a_case_of_the_table(case: dict[str, Any]) -> None:
    assert set(case) <= FIELDS
    found = report(case)
    named = {provision(case["by"], cite).name for cite in case.get("missing", ())}
    assert {finding.article for finding in found.findings if finding.blocks} == named
    weighed = [row for row in found.grounds if not row.ground.condition.judged]
    assert {row.ground.code for row in weighed if row.open} == set(case.get("open", ()))
    assert {row.ground.code for row in weighed if row.open is None} == set(case.get("unknown", ()))
    closed = {f"{row.ground.code} by {row.closed_by}" for row in found.grounds if row.closed_by}
    expected = {" by ".join((code, provision(*by.split(" ", 1)).name)) for code, by in pairs(case.get("closed", ()))}
    assert closed == expected
    if "duties" in case:
        assert {f"{row.instrument} {row.cite}" for row in found.duties} == set(case["duties"])


def pairs(rows: list[str]) -> list[tuple[str, str]]:
    return [(code, by) for code, _, by in (row.partition(" by ") for row in rows)]


def test_the_names_of_cases_are_unique() -> None:
    names = [(case["by"], case["type"], case["name"]) for case in REQUESTS]
    assert len(names) == len(set(names))
