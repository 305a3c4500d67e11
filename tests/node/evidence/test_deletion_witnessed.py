"""A deletion statement that real witnesses cosigned, checked by the command with nothing but files."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from palermo.cli.main import app
from palermo.node.directory import queries as directory
from palermo.node.evidence import actions, completing, jobs, use_queries
from palermo.node.home import trust_root_file
from palermo.node.ledger import actions as ledger

A, B, C = CODES = ("AA-POL", "BB-POL", "CC-POL")
pytestmark = pytest.mark.parametrize("three", [CODES], indirect=True)


def cosign(hands, witness, log=A):
    """A witness keeps a log, that of who deleted for instance, and signs what it derived of it."""
    with hands.world.at(log):
        ledger.checkpoint(now=hands.world.now)
        request = ledger.next_request(witness, now=hands.world.now)
    with hands.world.at(witness):
        answer = ledger.cosign(log, request, now=hands.world.now)
    assert answer.lines, answer.reason
    with hands.world.at(log):
        ledger.take_answer(witness, answer, now=hands.world.now)


def prove(hands):
    with hands.world.at(A):
        jobs.PERIODIC["evidence.proofs"](hands.world.tick())


@pytest.fixture
def stated(hands):
    """BB-POL recalled what it gave AA-POL, which deleted it and says so; not proven yet."""

    def ready(giver):
        for witness in (A, C):
            cosign(hands, witness, giver)
        completing.complete_ready(hands.world.tick())

    hands.ready = ready
    given = hands.give()
    with hands.world.at(B) as node:
        officer = node.officer("central_authority")
        reference = actions.recall_item(
            officer, item=given.ours, package=given.package, reason="The order was annulled.", now=hands.world.tick()
        ).reference
    hands.post()
    with hands.world.at(A) as node:
        actions.delete_recalled(node.officer("central_authority"), reference, now=hands.world.tick())
    hands.work(A)
    hands.post()
    return SimpleNamespace(recall=reference)


def files(hands, stated, folder):
    """What the provider downloads, and what every member holds."""
    with hands.world.at(B) as node:
        officer = node.officer("central_authority")
        (said,) = use_queries.recall(officer, stated.recall).statements
        signed, proof = use_queries.statement_files(officer, said.reference)
        for name, data in {
            "statement.dsse": signed,
            "proof.json": proof,
            "directory.signed": directory.directory_bytes(),
            "trust-root.json": trust_root_file().read_bytes(),
        }.items():
            (folder / name).write_bytes(data)
    return said


def verify(folder, *, proof=True, **changes):
    options = {"--directory": "directory.signed", "--trust": "trust-root.json"} | changes
    if proof:
        options["--proof"] = "proof.json"
    arguments = [part for name, file in options.items() for part in (name, str(folder / file))]
    done = CliRunner().invoke(
        app, ["evidence", "verify-deletion", str(folder / "statement.dsse"), *arguments, "--json"]
    )
    assert done.exit_code in (0, 1, 3), done.output
    return done.exit_code, json.loads(done.stdout)


def test_a_quorum_of_witnesses_cosigns_it_and_files_alone_prove_it(hands, stated, tmp_path):
    prove(hands)
    assert hands.post() == [], "nothing is proven before a quorum has cosigned"
    cosign(hands, B)
    prove(hands)
    assert hands.post() == [], "one of two witnesses is no quorum"
    cosign(hands, C)
    prove(hands)
    assert hands.post() == ["accepted"]
    said = files(hands, stated, tmp_path)
    assert said.proven_at is not None and set(said.witnesses) == {B, C}
    code, found = verify(tmp_path)
    assert (code, found["verdict"]) == (0, "proven"), found["checks"]
    assert all(check["ok"] for check in found["checks"])
    assert found["statement"]["recall"] == stated.recall
    assert verify(tmp_path, proof=False)[0] == 3

    signed, proof = ((tmp_path / name).read_bytes() for name in ("statement.dsse", "proof.json"))
    (tmp_path / "statement.dsse").write_bytes(signed.replace(b'"payload":"ey', b'"payload":"fy'))
    assert verify(tmp_path)[0] == 1
    (tmp_path / "statement.dsse").write_bytes(signed)
    without = json.loads(proof)
    without["cosignatures"] = without["cosignatures"][:1]
    (tmp_path / "proof.json").write_text(json.dumps(without, separators=(",", ":"), sort_keys=True, ensure_ascii=False))
    code, found = verify(tmp_path)
    assert (code, found["checks"][-1]["lacking"]) == (3, True), found["checks"]
    without["index"] += 1
    (tmp_path / "proof.json").write_text(json.dumps(without, separators=(",", ":"), sort_keys=True, ensure_ascii=False))
    code, found = verify(tmp_path)
    assert (code, [check["name"] for check in found["checks"] if check["ok"] is False]) == (1, ["log"])
