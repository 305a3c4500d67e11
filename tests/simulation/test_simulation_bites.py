"""The search finds what is broken: each test breaks one rule in the real code and names what must be found.

A rule whose breach the search overlooked would be one that it does not prove.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.db import DatabaseError, transaction

from palermo.node.exchange.actions import committing, parcels, reading, receiving, settling
from palermo.node.exchange.models import Incoming
from palermo.node.exchange.states import OPEN, Inbox
from palermo.sealing import envelope, records
from palermo.sealing.receipt import ReceiptStatus, parse_receipt
from simulation import walk
from simulation.invariants import ForbiddenError

STEPS = 2000
SEED = 5

Breach = Callable[[pytest.MonkeyPatch], None]
BREACHES: dict[str, tuple[Breach, set[str]]] = {}


def found_as(*invariants: str) -> Callable[[Breach], Breach]:
    """Register a breach, with the names of what it must be found by: whichever comes first."""

    def register(breach: Breach) -> Breach:
        BREACHES[breach.__name__] = breach, set(invariants)
        return breach

    return register


def _take_in(patch: pytest.MonkeyPatch, broken: Callable) -> None:
    for module in (receiving, parcels):
        patch.setattr(module, "take_in", broken)


@found_as("receipt_without_effect", "effect_without_receipt", "sender_and_recipient_disagree")
def receipt_committed_before_the_effect(patch) -> None:
    def broken(message, now):
        with transaction.atomic():
            if (receipt := receiving.stored_receipt(message.digest)) is not None:
                return receipt
            index = receiving._enter("received", message, now)
            receipt = receiving._sign(message.digest, message.header, ReceiptStatus.ACCEPTED, now, index=index)
            receiving._keep(message, Inbox.ACCEPTED, "", index, receipt, now, content=True)
        receiving._apply(message, now)
        return receipt

    _take_in(patch, broken)


@found_as("effect_without_receipt", "effect_twice", "entry_without_effect", "two_histories")
def effect_outside_the_transaction(patch) -> None:
    _take_in(patch, receiving.take_in.__wrapped__)


@found_as("effect_without_receipt", "entry_without_effect", "effect_twice")
def refusal_that_leaves_the_effect(patch) -> None:
    patch.setattr(receiving, "_apply", receiving._apply.__wrapped__)


@found_as("effect_without_entry", "message_without_entry")
def entry_outside_the_transaction(patch) -> None:
    enter = receiving._enter

    def broken(verb, message, now, **further):
        transaction.on_commit(lambda: enter(verb, message, now, **further))
        return receiving.ledger.checkpoint(now=now) and _size()

    patch.setattr(receiving, "_enter", broken)


def _size() -> int:
    from palermo.node.ledger.models import Entry

    return Entry.objects.count()


@found_as("message_not_settled", "sender_and_recipient_disagree", "receipt_without_effect")
def known_by_the_id_alone(patch) -> None:
    take_in = receiving.take_in

    def broken(message, now):
        known = Incoming.objects.filter(message_id=message.header.message_id).first()
        return bytes(known.receipt) if known else take_in(message, now)

    _take_in(patch, broken)


@found_as("sender_and_recipient_disagree")
def repetition_taken_for_a_second_message(patch) -> None:
    for module in (receiving, parcels):
        patch.setattr(module, "stored_receipt", lambda digest: None)


@found_as("receipt_without_effect", "sender_and_recipient_disagree")
def answers_given_though_the_commit_failed(patch) -> None:
    def broken(items, step, failed):
        done = []
        try:
            with transaction.atomic():
                done += [step(item) for item in items]
        except DatabaseError:
            return done + [failed(DatabaseError())] * (len(items) - len(done))
        return done

    patch.setattr(parcels, "in_one_commit", broken)


@found_as("delivered_without_proof", "sender_and_recipient_disagree")
def receipt_that_nobody_verifies(patch) -> None:
    patch.setattr(settling, "verify_receipt", lambda data, keys: parse_receipt(data))


@found_as("delivered_without_proof", "sender_and_recipient_disagree")
def receipt_of_another_message(patch) -> None:
    patch.setattr(settling, "_check_answers", lambda receipt, row: None)


@found_as("delivered_to_a_stranger")
def sender_that_nobody_verifies(patch) -> None:
    patch.setattr(envelope.dsse, "verify_parsed", lambda parsed, keys, **_: replace_key(parsed, keys))


def replace_key(parsed, keys):
    from palermo.sealing.dsse import Verified

    return Verified(parsed.payload_type, parsed.payload, next(iter(keys)))


@found_as("delivered_to_a_stranger", "effect_without_receipt")
def message_that_was_sealed_to_another(patch) -> None:
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

    patch.setattr(reading, "open_message", broken)


@found_as("effect_out_of_time")
def message_that_ended(patch) -> None:
    patch.setattr(receiving, "_refuse_untimely", lambda header, now: None)


@found_as("message_not_settled")
def unknown_message_given_up(patch) -> None:
    from palermo.node.exchange import delivery, routes

    due = routes.due_messages
    for module in (routes, delivery):
        patch.setattr(module, "due_messages", lambda now: due(now).exclude(state=OPEN[1]))


@pytest.fixture(params=BREACHES)
def breach(request, monkeypatch) -> Iterator[set[str]]:
    broken, expected = BREACHES[request.param]
    broken(monkeypatch)
    return expected


def test_it_is_found(founded, breach) -> None:
    with pytest.raises(ForbiddenError) as found:
        walk.search(founded, seed=SEED, steps=STEPS, shrink=False)
    assert found.value.invariant in breach


def test_the_real_code_is_what_was_broken() -> None:
    assert committing.in_one_commit is parcels.in_one_commit
