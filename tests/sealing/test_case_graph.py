"""The custody as CASE/UCO: the ontology's own validator accepts it, and it says what the manifest says."""

import dataclasses
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from palermo.sealing.case_graph import custody_graph
from palermo.sealing.custody import Verb
from palermo.sealing.manifest import Manifest, read_manifest


@pytest.fixture(scope="module")
def manifest(network: Any) -> Manifest:
    return read_manifest(network.draft().manifest)


def case_validate(path: Path, version: str) -> subprocess.CompletedProcess[str]:
    """The validator's own command, in a process of its own."""
    command = [str(Path(sys.executable).with_name("case_validate")), "--built-version", version, str(path)]
    return subprocess.run(command, capture_output=True, text=True)


def every_verb(manifest: Manifest, now: Any) -> Manifest:
    """A manifest whose first item has a step of every verb, at two places, in words that need escaping."""
    events = [
        dataclasses.replace(
            manifest.custody[0],
            verb=verb,
            by=f'Officer "Ünïcödé" <{number % 2}>',
            at=now + timedelta(minutes=number, microseconds=number),
            where=("", "Nordhavn", "Søndre\\Havn")[number % 3],
            how="" if number % 2 else "with a\ttool, per § 3",
        )
        for number, verb in enumerate(Verb)
    ]
    return dataclasses.replace(manifest, custody=(*events, *manifest.custody[2:]))


@pytest.mark.parametrize("version", ["case-1.4.0", "case-1.5.0"])
def test_the_validator_of_the_ontology_accepts_it(
    manifest: Manifest, network: Any, tmp_path: Path, version: str
) -> None:
    for number, made in enumerate((manifest, every_verb(manifest, network.now))):
        path = tmp_path / f"custody-{number}.jsonld"
        path.write_bytes(custody_graph(made))
        result = case_validate(path, version)
        assert result.returncode == 0, result.stdout
        assert "Conforms: True" in result.stdout


def test_the_validator_finds_what_is_wrong(manifest: Manifest, tmp_path: Path) -> None:
    """So that the test above means something."""
    graph = json.loads(custody_graph(manifest))
    action = next(node for node in graph["@graph"] if node["@type"] == "case-investigation:InvestigativeAction")
    action["uco-action:startTime"] = {"@type": "xsd:dateTime", "@value": "yesterday"}
    path = tmp_path / "custody.jsonld"
    path.write_text(json.dumps(graph))
    assert case_validate(path, "case-1.4.0").returncode == 1


def test_it_has_each_item_and_each_step_in_order_and_is_the_same_each_time(manifest: Manifest) -> None:
    data = custody_graph(manifest)
    assert custody_graph(manifest) == data
    graph = json.loads(data)["@graph"]
    by_id = {node["@id"]: node for node in graph}
    actions = [node for node in graph if node["@type"] == "case-investigation:InvestigativeAction"]
    files = [node for node in graph if node["@type"] == "uco-observable:File"]
    assert len(files) == len(manifest.items) and len(actions) == len(manifest.custody)
    assert [node["uco-core:name"] for node in actions] == [event.verb for event in manifest.custody]
    second = actions[1]
    assert by_id[second["case-investigation:wasInformedBy"]["@id"]] is actions[0]
    assert by_id[second["uco-action:performer"]["@id"]]["uco-core:name"] == manifest.custody[1].by
