"""The transparency log: what is appended can be proven, and nothing else."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from palermo.node.directory import own_keys
from palermo.node.ledger import actions, queries
from palermo.node.ledger.actions.signing import sign
from palermo.node.ledger.models import Entry, Log, Tile
from palermo.node.office.errors import AccessDeniedError, ConflictError, NotFoundError
from palermo.sealing.checkpoint import parse_checkpoint, verify_checkpoint
from palermo.sealing.leaf import open_fields, verify_opened
from palermo.sealing.merkle import leaf_hash, root, verify_consistency, verify_inclusion


def append(network, number: int = 0, kind: str = "sent.test", partner: str = "BB-POL"):
    return actions.append(
        kind=kind, counterparty=partner, fields={"message": f"m{number}", "case": "C-1"}, now=network.now
    )


def test_an_entry_opens_field_by_field(network):
    row = append(network, 7)
    fields = queries.opened(row.index)
    assert [(field.name, field.value) for field in fields] == [
        ("kind", "sent.test"),
        ("counterparty", "BB-POL"),
        ("recorded_at", "2026-03-02T09:00:00Z"),
        ("message", "m7"),
        ("case", "C-1"),
    ]
    assert len({field.salt for field in fields}) == 5
    leaf = queries_leaf(row.index)
    assert leaf_hash(leaf).hex() == row.leaf_hash
    shown = open_fields(fields, ["kind", "counterparty", "recorded_at"])
    assert verify_opened(leaf, shown)["counterparty"] == "BB-POL"
    assert b"m7" not in leaf and b"C-1" not in leaf


def queries_leaf(index: int) -> bytes:
    return bytes(Entry.objects.get(index=index).leaf)


def test_the_same_values_never_give_the_same_leaf(network):
    assert append(network).leaf_hash != append(network).leaf_hash


def test_a_caller_cannot_replace_the_logs_own_fields(network):
    with pytest.raises(ValueError, match="itself"):
        actions.append(kind="x", counterparty="BB-POL", fields={"kind": "y"}, now=network.now)
    assert queries.size() == 0


def test_an_entry_without_kind_is_refused_by_the_database(network):
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.append(kind="", counterparty="BB-POL", fields={}, now=network.now)


def test_proofs_hold_across_tiles_at_every_kind_of_size(network):
    """The tree over 600 leaves (three tiles, one above them) is the plain one, and its proofs verify."""
    hashes = [bytes.fromhex(append(network, number).leaf_hash) for number in range(600)]
    assert list(Tile.objects.order_by("level", "number").values_list("level", "number", "width")) == [
        (0, 0, 256),
        (0, 1, 256),
        (0, 2, 88),
        (1, 0, 2),
    ]
    signed = verify_checkpoint(sign(queries.size(), network.now), own_keys.signing_key().public)
    assert (signed.origin, signed.size, signed.root) == ("palermo/AA-POL", 600, root(hashes))
    for index in (0, 1, 255, 256, 511, 512, 599):
        proof = queries.inclusion(index)
        verify_inclusion(leaf_hash(proof.leaf), index, proof.size, proof.hashes, signed.root)
    for old in (1, 2, 255, 256, 257, 512, 599, 600):
        proof = queries.consistency(old, 600)
        verify_consistency(old, 600, root(hashes[:old]), signed.root, proof.hashes)
    assert queries.check() == []


def test_what_is_signed_at_once_is_padded_and_signed_once(network):
    append(network)
    first = actions.checkpoint(now=network.now)
    assert (parse_checkpoint(first).size, queries.size()) == (8, 8)
    assert actions.checkpoint(now=network.now + timedelta(hours=1)) == first
    for number in range(9):
        append(network, number)
    assert parse_checkpoint(actions.checkpoint(now=network.now)).size == 24
    assert queries.check() == []


def test_a_checkpoint_is_signed_once_a_size(network):
    append(network)
    first = sign(queries.size(), network.now)
    assert actions.checkpoint(now=network.now + timedelta(hours=1)) == first
    append(network)
    assert sign(queries.size(), network.now) != first
    assert queries.newest_checkpoint() != first


def test_an_entry_newer_than_the_checkpoint_has_no_proof_yet(network):
    append(network)
    with pytest.raises(ConflictError):
        queries.inclusion(0)
    sign(queries.size(), network.now)
    append(network)
    with pytest.raises(ConflictError):
        queries.inclusion(1)
    assert queries.inclusion(0).size == 1
    sign(queries.size(), network.now)
    assert queries.inclusion(0).size == 2
    assert queries.inclusion(0, size=1).size == 1
    with pytest.raises(NotFoundError):
        queries.inclusion(2)


@pytest.mark.parametrize("step", ["palermo.node.ledger.tree.Tree.grow", "palermo.node.ledger.models.Log.save"])
def test_a_failure_after_any_write_leaves_no_trace(network, monkeypatch, step):
    append(network)

    def die(*_args, **_kwargs):
        raise RuntimeError("killed")

    monkeypatch.setattr(step, die)
    with pytest.raises(RuntimeError, match="killed"), transaction.atomic():
        append(network)
    monkeypatch.undo()
    assert (queries.size(), Log.objects.get().size, Tile.objects.get().width) == (1, 1, 1)
    assert append(network).index == 1
    assert queries.check() == []


def test_only_who_may_read_the_ledger_does(network, make_officer):
    append(network, kind="sent.a")
    append(network, kind="received.b", partner="CC-FIU")
    auditor = make_officer("auditor", "auditor")
    assert [row.index for row in queries.entries(auditor)] == [1, 0]
    assert [row.index for row in queries.entries(auditor, kind="sent")] == [0]
    assert [row.index for row in queries.entries(auditor, counterparty="CC-FIU")] == [1]
    assert queries.entries(auditor, since=network.now + timedelta(seconds=1)) == []
    assert queries.entries(auditor, until=network.now) == []
    assert queries.entries(auditor, page=2) == []
    assert queries.entry(auditor, 1).counterparty == "CC-FIU"
    with pytest.raises(NotFoundError):
        queries.entry(auditor, 2)
    investigator = make_officer("investigator", "investigator")
    for read in (lambda: queries.entries(investigator), lambda: queries.entry(investigator, 0)):
        with pytest.raises(AccessDeniedError):
            read()
