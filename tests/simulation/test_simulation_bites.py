"""What is broken is found: each test breaks one rule in the real code and names what must be found.

A rule whose breach nobody saw would be one that is not proven. The first breaches need a machine to stop at the right
instant: it is stopped at every one in turn, so that no luck decides. For the others a few steps are enough.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from django.db import transaction

from palermo.node.exchange import delivery, routes
from palermo.node.exchange.actions import keeping, parcels, reading, receiving, settling
from palermo.node.exchange.models import Incoming
from palermo.node.exchange.states import Inbox, Outbox
from palermo.node.ledger import queries as ledger
from palermo.sealing import dsse, envelope, records
from palermo.sealing.receipt import parse_receipt
from simulation.invariants import ForbiddenError, Seen
from simulation.network import Fault
from simulation.notes import REFUSED
from simulation.world import World

AA, BB, CC = "AA-POL", "BB-POL", "CC-POL"  # the last speaks version 1: one envelope a post


@pytest.fixture
def world(founded, tmp_path):
    with World(tmp_path / "world", founded) as made:
        yield made


TORN = {
    "effect_twice",
    "effect_without_entry",
    "effect_without_receipt",
    "entry_without_effect",
    "message_without_entry",
    "receipt_without_effect",
    "two_entries_for_one_effect",
}
"""What belongs together and is not: which of these is seen first depends on where the machine stopped."""


def _stop_at_every_instant(world: World) -> int:
    """Stop the recipient at each instant of taking in a message, and look each time. Returns how many there were."""
    seen = Seen(world)
    for instant in count():
        world.send(AA, BB)
        world.stop(BB, instant)
        world.post(AA)
        stopped = not world.members[BB].up
        world.members[BB].disk.mend()
        seen.look()
        world.start(BB)
        world.wait(400)
        world.post(AA)
        seen.look()
        if not stopped:
            return instant
    raise AssertionError("a message is taken in at last")


def _found_by_stopping(world: World) -> str:
    with pytest.raises(ForbiddenError) as found:
        _stop_at_every_instant(world)
    return found.value.invariant


def _take_in(patch: pytest.MonkeyPatch, broken: Callable) -> None:
    for module in (receiving, parcels):
        patch.setattr(module, "take_in_all", broken)


def test_a_receipt_committed_before_the_effect(world, monkeypatch) -> None:
    def one(message, now):
        with transaction.atomic():
            if receipt := keeping.stored_receipts([message.digest]).get(message.digest):
                return receipt
            (index,) = keeping.enter_all([keeping.entry_of("received", message)], now)
            (receipt,) = keeping.keep_all([keeping.Decided(message, Inbox.ACCEPTED, "", index, content=True)], now)
        receiving._apply(message, index, now)
        return receipt

    _take_in(monkeypatch, lambda messages, now, **_: [one(message, now) for message in messages])
    assert _found_by_stopping(world) in TORN


def test_an_effect_outside_the_transaction(world, monkeypatch) -> None:
    monkeypatch.setattr(receiving, "_attempt", receiving._attempt.__wrapped__)
    _take_in(monkeypatch, receiving.take_in_all.__wrapped__)
    assert _found_by_stopping(world) in TORN


def test_a_ledger_entry_outside_the_transaction(world, monkeypatch) -> None:
    enter_all = receiving.enter_all

    def broken(entries, now):
        size = ledger.size()
        transaction.on_commit(lambda: enter_all(entries, now))
        return list(range(size, size + len(entries)))

    monkeypatch.setattr(receiving, "enter_all", broken)
    assert _found_by_stopping(world) in TORN


def _found(world: World, *, at_rest: bool = False) -> str:
    with pytest.raises(ForbiddenError) as found:
        seen = Seen(world)
        if at_rest:
            world.settle(3)
            seen.rest()
        seen.look()
    return found.value.invariant


def test_a_refusal_that_leaves_the_effect(world, monkeypatch) -> None:
    for name in ("_apply", "_attempt"):
        monkeypatch.setattr(receiving, name, getattr(receiving, name).__wrapped__)
    world.send(AA, BB, REFUSED)
    world.post(AA)
    assert _found(world) in ("effect_without_entry", "two_entries_for_one_effect", "effect_without_receipt")


def test_a_message_known_by_its_id_alone(world, monkeypatch) -> None:
    take_in_all = receiving.take_in_all

    def one(message, now):
        known = Incoming.objects.filter(message_id=message.header.message_id).first()
        return bytes(known.receipt) if known else take_in_all([message], now)[0]

    def broken(messages, now, **_):
        return [one(message, now) for message in messages]

    _take_in(monkeypatch, broken)
    note = world.send(AA, BB)
    world.post(AA)
    world.send_under_same_id(note, CC)
    world.post(CC)
    assert _found(world, at_rest=True) == "message_not_settled"


def test_a_repetition_taken_for_a_second_message(world, monkeypatch) -> None:
    for module in (receiving, parcels):
        monkeypatch.setattr(module, "stored_receipts", lambda digests: {})
    world.send(AA, BB)
    world.post(AA, [Fault.ANSWER_LOST])
    world.wait(400)
    world.post(AA)
    assert _found(world) == "sender_and_recipient_disagree"


def test_a_receipt_that_nobody_verifies(world, monkeypatch) -> None:
    monkeypatch.setattr(settling, "verify_receipt", lambda data, keys: parse_receipt(data))
    world.send(AA, CC)
    world.post(AA, [Fault.ANSWER_FORGED])
    assert _found(world) == "delivered_without_proof"


def test_a_receipt_of_another_message(world, monkeypatch) -> None:
    monkeypatch.setattr(settling, "_check_answers", lambda receipt, row: None)
    for _ in range(3):
        world.send(AA, CC)
    world.post(AA, [Fault.NONE, Fault.NONE, Fault.ANSWER_OF_ANOTHER])
    assert _found(world) == "delivered_without_proof"


def test_a_sender_that_nobody_verifies(world, monkeypatch) -> None:
    def broken(parsed, keys, **_):
        return dsse.Verified(parsed.payload_type, parsed.payload, next(iter(keys)))

    monkeypatch.setattr(dsse, "verify_parsed", broken)
    world.hand_in(world.forger.impersonate(world.send(AA, BB)))
    assert _found(world) == "delivered_to_a_stranger"


def test_a_message_that_was_sealed_to_another(world, monkeypatch) -> None:
    def broken(unsealed, digest, keys_of):
        head = records.from_bytes(envelope.Header, unsealed.head, "header")
        named = replace(
            unsealed.outer,
            version=head.protocol_version,
            recipient=head.recipient,
            recipient_key_id=head.recipient_key_id,
            suite=head.suite,
        )
        return envelope.open_message(replace(unsealed, outer=named), digest, keys_of)

    monkeypatch.setattr(reading, "open_message", broken)
    note = world.send(AA, BB)
    world.post(AA)
    world.hand_in(world.forger.pass_on(note))
    assert _found(world) == "delivered_to_a_stranger"


def test_a_message_that_had_ended(world, monkeypatch) -> None:
    monkeypatch.setattr(receiving, "_unfit", lambda header, now: None)
    world.send(AA, BB, hours=1)
    world.wait(7200)
    world.post(AA)
    assert _found(world) == "effect_out_of_time"


def test_an_unknown_message_that_is_given_up(world, monkeypatch) -> None:
    due = routes.due_messages
    for module in (routes, delivery):
        monkeypatch.setattr(module, "due_messages", lambda now: due(now).exclude(state=Outbox.UNKNOWN))
    world.send(AA, BB, hours=1)
    world.wait(7200)
    assert _found(world, at_rest=True) == "message_not_settled"


@pytest.mark.slow
def test_the_code_as_it_is_may_stop_at_every_instant(world) -> None:
    assert _stop_at_every_instant(world) > 20


def test_the_code_as_it_is_passes_all_of_these_steps(world) -> None:
    seen = Seen(world)
    note = world.send(AA, BB, REFUSED)
    world.send(AA, BB, hours=1)
    world.send_under_same_id(note, CC)
    for faults in ([Fault.ANSWER_LOST], [Fault.ANSWER_FORGED], [Fault.ANSWER_OF_ANOTHER]):
        world.post(AA, faults)
        world.post(CC, faults)
        world.wait(7200)
        seen.look()
    world.hand_in(world.forger.impersonate(note))
    world.hand_in(world.forger.pass_on(note))
    world.settle()
    seen.rest()
