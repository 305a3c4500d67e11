"""What may never happen between two nodes, and a search for it.

Whatever the line and the other node do to each post:

- a message takes effect at most once;
- if the sender holds it accepted, it took effect; if rejected, it did not;
- what took effect stands in the ledger exactly once, and what did not, not at all;
- a receipt, once stored, stays.
"""

import random
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

import httpx
import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import actions, delivery, handlers
from palermo.node.exchange.models import Outgoing
from palermo.node.ledger import queries as ledger
from palermo.node.ledger.models import Entry

NOTE = "palermo/test.note+v1"
FAULTS = ["none", "lost on the way", "answer lost", "twice", "not yet", "bug", "refused", "damaged", "answer damaged"]


class InlinePool:
    """A pool that runs each post at once, in this thread, so that both nodes can share the test's transaction."""

    def __init__(self, **_kwargs) -> None:
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_args) -> None:
        pass

    def submit(self, work, *args) -> Future:
        future: Future = Future()
        try:
            future.set_result(work(*args))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def acting_as(member):
    """Be another node for a moment, hundreds of times over: pytest-django's settings pile up each change."""
    with (
        patch.object(directory, "own_code", lambda: member.code),
        patch.object(own_keys, "signing_key", lambda: member.signing),
        patch.object(own_keys, "recipient_keys", lambda: {member.recipient.key_id: member.recipient}),
    ):
        yield


class World:
    """AA-POL sends to BB-POL, which is this process under the other's name."""

    def __init__(self, network, faults: list[str]) -> None:
        self.network, self.faults = network, iter(faults)
        self.now = network.now
        self.effects: list[str] = []
        self.fault = "none"
        handlers.register(NOTE, self._effect)

    def _effect(self, message, *, now) -> None:
        fault, self.fault = self.fault, "none"
        if fault == "not yet":
            raise handlers.NotYetError("later")
        self.effects.append(message.message_id)
        if fault in ("bug", "refused"):
            self.effects.pop()
            raise RuntimeError("a bug") if fault == "bug" else handlers.RefusedError("no")

    def answer(self, request: httpx.Request) -> httpx.Response:
        envelope, fault = request.read(), next(self.faults, "none")
        self.fault = fault
        if fault == "lost on the way":
            raise httpx.ConnectError("lost")
        if fault == "damaged":
            envelope = envelope[:-1] + bytes([envelope[-1] ^ 1])
        with acting_as(self.network.members["BB-POL"]):
            try:
                receipt = actions.receive(envelope, now=self.now)
                if fault == "twice":
                    assert actions.receive(envelope, now=self.now) == receipt
            except (handlers.NotYetError, RuntimeError):
                return httpx.Response(503)
        if fault == "answer lost":
            raise httpx.ReadError("lost")
        if fault == "answer damaged":
            receipt = receipt.replace(b'"payload":"', b'"payload":"A', 1)
        return httpx.Response(200, content=receipt)

    def run(self, messages: int, turns: int) -> None:
        rng = random.Random(3)
        with httpx.Client(transport=httpx.MockTransport(self.answer)) as client:
            for number in range(messages):
                actions.send(
                    recipient="BB-POL",
                    payload_type=NOTE,
                    payload=b"hello",
                    case_reference="C-1",
                    purpose="test",
                    message_id=f"m{number}",
                    not_after=self.now + timedelta(hours=2),
                    now=self.now,
                )
            kept: dict[str, bytes] = {}
            for _ in range(turns):
                delivery.deliver_due(self.now, client, rng=rng)
                self.check(kept)
                self.now += timedelta(minutes=10)

    def check(self, kept: dict[str, bytes]) -> None:
        assert len(set(self.effects)) == len(self.effects)
        entered = list(Entry.objects.filter(kind=f"received.{NOTE}").values_list("index", flat=True))
        assert len(entered) == len(self.effects)
        for row in Outgoing.objects.all():
            if row.state == "accepted":
                assert row.message_id in self.effects and row.partner_index in entered
            if row.state == "rejected":
                assert row.message_id not in self.effects
            if row.receipt is not None:
                assert kept.setdefault(row.message_id, bytes(row.receipt)) == bytes(row.receipt)


@pytest.fixture
def inline(monkeypatch):
    monkeypatch.setattr(delivery, "ThreadPoolExecutor", InlinePool)
    monkeypatch.setattr(handlers, "_handlers", {})
    monkeypatch.setattr(delivery._log, "exception", lambda *_args: None)


@pytest.mark.usefixtures("inline")
def test_nothing_is_lost_doubled_or_claimed(network):
    @settings(max_examples=60, deadline=None)
    @given(messages=st.integers(1, 3), faults=st.lists(st.sampled_from(FAULTS), max_size=10))
    def search(messages: int, faults: list[str]) -> None:
        with transaction.atomic():
            World(network, faults).run(messages, turns=14)
            # Both nodes write one log here, each signing under its own name: the tree must be whole all the same.
            assert {fault.what for fault in ledger.check()} <= {"ledger checkpoint"}
            # By then every fault is used up: all is settled.
            assert set(Outgoing.objects.values_list("state", flat=True)) <= {"accepted", "rejected"}
            transaction.set_rollback(True)

    search()
