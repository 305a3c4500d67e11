"""What an auditor is shown of the log: three fields of every leaf, nothing else, and proof that none is left out."""

import base64
import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from palermo.cli.main import app
from palermo.node.ledger import actions, queries
from palermo.node.ledger.actions.signing import sign
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError
from palermo.sealing.directory import TrustRoot
from palermo.sealing.keys import SigningKey
from palermo.sealing.ledger_export import verify_export

SIZE = 21


@pytest.fixture
def auditor(make_officer):
    return make_officer("auditor", "auditor")


@pytest.fixture
def log(network):
    """A log of 21 entries, signed at 21, that has grown since."""
    for number in range(SIZE):
        actions.append(
            kind="sent.test" if number % 3 else "received.test",
            counterparty="BB-POL" if number % 2 else "CC-FIU",
            fields={"case": f"SECRET-CASE-{number}", "purpose": "a secret purpose"},
            now=network.now + timedelta(hours=number),
        )
    sign(queries.size(), network.now)
    actions.append(kind="later", counterparty="", fields={}, now=network.now)
    return network


@pytest.fixture
def root(log):
    return TrustRoot.from_bytes((log.members["AA-POL"].home / "trust-root.json").read_bytes())


@pytest.mark.parametrize(("start", "end"), [(0, 21), (0, 1), (20, 21), (5, 6), (3, 17), (8, 16), (16, 21)])
def test_every_part_of_the_log_is_proven(log, auditor, root, start, end):
    report = verify_export(queries.shown(auditor, start, end), root)
    assert (report.verdict, [check.ok for check in report.checks]) == ("proven", [True, True, True, True, None, True])
    assert report.counts.total() == end - start
    assert report.latest - report.earliest == timedelta(hours=end - start - 1)


def test_kind_recipient_and_time_of_every_leaf_are_shown_and_no_other_field(log, auditor, root):
    lines = list(queries.shown(auditor))
    report = verify_export(lines, root)
    assert report.counts == {
        ("sent.test", "BB-POL"): 7,
        ("sent.test", "CC-FIU"): 7,
        ("received.test", "BB-POL"): 3,
        ("received.test", "CC-FIU"): 4,
    }
    text = b"".join(lines)
    hidden = [field for index in range(SIZE) for field in queries.opened(index)[3:]]
    assert len(hidden) == 2 * SIZE
    assert not any(field.value.encode() in text for field in hidden)
    assert not any(base64.b64encode(field.salt) in text for field in hidden)


def test_without_a_trust_root_it_is_intact_but_unproven(log, auditor):
    report = verify_export(queries.shown(auditor), None)
    assert (report.verdict, report.checks[-1].ok) == ("unproven", None)


def test_under_another_networks_root_it_is_refused(log, auditor):
    other = TrustRoot("test network", (SigningKey.generate().public.to_bytes(),))
    assert verify_export(queries.shown(auditor), other).verdict == "refused"


def _changed(lines: list[bytes], number: int, change) -> list[bytes]:
    document = json.loads(lines[number])
    change(document)
    line = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    return [*lines[:number], line, *lines[number + 1 :]]


FAULTS = {
    "an entry left out": lambda lines: lines[:5] + lines[6:],
    "an entry twice": lambda lines: lines[:5] + lines[4:],
    "two entries swapped": lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]],
    "cut off": lambda lines: lines[:-1],
    "a line cut": lambda lines: [*lines[:-1], lines[-1][:-1]],
    "more after the end": lambda lines: [*lines, lines[-1]],
    "another kind": lambda lines: _changed(lines, 3, lambda leaf: leaf["opened"][0].update(value="sent.other")),
    "another recipient": lambda lines: _changed(lines, 3, lambda leaf: leaf["opened"][1].update(value="DD-POL")),
    "a field not opened": lambda lines: _changed(lines, 3, lambda leaf: leaf["opened"].pop()),
    "another number": lambda lines: _changed(lines, 3, lambda leaf: leaf.update(index=9)),
    "a proof hash lost": lambda lines: _changed(lines, 0, lambda head: head["proof"].pop()),
    "a proof hash more": lambda lines: _changed(lines, 0, lambda head: head["proof"].append(head["proof"][0])),
    "another authority": lambda lines: _changed(lines, 0, lambda head: head.update(authority="BB-POL")),
    "another size": lambda lines: _changed(lines, 0, lambda head: head.update(size=22)),
    "an unknown field": lambda lines: _changed(lines, 0, lambda head: head.update(extra=1)),
    "nothing": lambda lines: [],
    "no JSON": lambda lines: [b"\xff\n", *lines[1:]],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_was_changed_is_refused(log, auditor, root, fault):
    lines = list(queries.shown(auditor, 3, 17))
    assert verify_export(lines, root).verdict == "proven"
    report = verify_export(FAULTS[fault](lines), root)
    assert report.verdict == "refused"
    assert [check.ok for check in report.checks].count(False) == 1


def test_who_may_and_what_there_is(log, auditor, make_officer):
    for role in ("investigator", "central_authority", "administrator"):
        with pytest.raises(AccessDeniedError):
            queries.shown(make_officer(f"o-{role}", role))
    with pytest.raises(ConflictError, match="No signed checkpoint"):
        queries.shown(auditor, 0, 22)
    for start, end in [(5, 5), (9, 3), (-1, 4), (21, None)]:
        with pytest.raises(InvalidError):
            queries.shown(auditor, start, end)


def test_before_the_first_checkpoint_there_is_nothing_to_export(network, auditor):
    with pytest.raises(ConflictError):
        queries.shown(auditor)


def test_the_command_says_what_went_to_whom_and_its_exit_code_how_sure_it_is(log, auditor, root, tmp_path):
    file, trust, broken = tmp_path / "ledger.jsonl", tmp_path / "root.json", tmp_path / "broken.jsonl"
    lines = list(queries.shown(auditor))
    file.write_bytes(b"".join(lines))
    trust.write_bytes(root.to_bytes())
    broken.write_bytes(b"".join(lines[:-1]))
    run = CliRunner().invoke
    proven = run(app, ["ledger", "verify", str(file), "--trust", str(trust)])
    assert (proven.exit_code, "7  sent.test  BB-POL" in proven.output) == (0, True), proven.output
    assert root.fingerprint in proven.output
    assert run(app, ["ledger", "verify", str(file)]).exit_code == 3
    refused = run(app, ["ledger", "verify", str(broken), "--trust", str(trust)])
    assert (refused.exit_code, "FAILS" in refused.output) == (1, True)
    assert run(app, ["ledger", "verify", str(tmp_path / "absent")]).exit_code == 2
    assert run(app, ["ledger", "verify", str(file), "--trust", str(file)]).exit_code == 2
