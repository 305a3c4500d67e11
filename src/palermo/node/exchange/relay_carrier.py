"""Handing in at a relay: a signed ticket, the parcels, and the relay's signed statement on each."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import httpx
from django.db import transaction
from django.utils import timezone

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import relay_statements
from palermo.node.exchange.actions.lettering import drop_letters
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.posting import NoReceiptError, post
from palermo.node.exchange.relay_wire import HAND_IN_PATH, MAX_HANDED_BYTES
from palermo.node.exchange.routes import Load, Way
from palermo.node.exchange.wire import BATCH_TYPE
from palermo.sealing import batch, parcel
from palermo.sealing.errors import BindingError, SealingError
from palermo.sealing.ticket import MAX_DIGESTS, Ticket, sign_ticket

Name = TypeVar("Name", int, str)


class RelayCarrier:
    """Carries a load to the relay of its recipient. Handing in twice is harmless: there it is one parcel."""

    def carry(self, client: httpx.Client, way: Way, parcels: tuple[bytes, ...]) -> list[bytes]:
        """Hand parcels in, without a database; the statements, in order. Raises ``NoReceiptError``."""
        starts = range(0, len(parcels), MAX_DIGESTS)
        return [said for start in starts for said in self._hand_in(client, way, parcels[start : start + MAX_DIGESTS])]

    def _hand_in(self, client: httpx.Client, way: Way, parcels: tuple[bytes, ...]) -> list[bytes]:
        """As many as one ticket names."""
        ticket = Ticket(
            relay=way.relay,
            member=directory.own_code(),
            recipient=way.partner,
            at=timezone.now(),
            nonce=secrets.token_hex(16),
            digests=tuple(parcel.digest(content) for content in parcels),
        )
        body = batch.pack([sign_ticket(ticket, own_keys.signing_key()), *parcels])
        url = way.url + HAND_IN_PATH + way.partner
        answer = post(client, url, body, media_type=BATCH_TYPE, most_bytes=MAX_HANDED_BYTES)
        try:
            statements = batch.unpack(answer, part="answer of the relay")
        except SealingError as error:
            raise NoReceiptError(f"{way.relay} answered what is no answer of a relay ({error}).") from error
        if len(statements) != len(parcels):
            raise NoReceiptError(f"{way.relay} answered {len(statements)} of {len(parcels)} parcels.")
        return statements

    @transaction.atomic
    def conclude(self, way: Way, load: Load, brought: list[bytes], now: datetime) -> tuple[int, str]:
        """Keep the statements with their messages; let go of the letters that the relay has. All in one commit.

        A parcel that the relay has no room for stays here, and is handed in again later.
        """
        digests = [parcel.digest(content) for content in load.parcels]
        held, failure = [], ""
        for digest, statement in zip(digests, brought, strict=True):
            if not statement:
                failure = f"{way.relay} has no room for {way.partner} until that collects its post. Trying again."
                continue
            try:
                if relay_statements.keep(way.relay, statement, now=now).envelope_digest != digest:
                    raise BindingError("statement of the relay", "is on another parcel")
            except SealingError as error:
                failure = f"What {way.relay} states does not hold ({error})."
                continue
            held.append(digest)
        return _hand_over(way, load, digests, set(held), now), failure


def _hand_over(way: Way, load: Load, digests: list[str], held: set[str], now: datetime) -> int:
    messages = _held(load.messages, digests, held)
    letters = _held(load.letters, digests[len(load.messages) :], held)
    Outgoing.objects.filter(pk__in=messages).update(handed_at=now)
    drop_letters(letters)
    return len(messages) + len(letters)


def _held(named: Iterable[Name], digests: list[str], held: set[str]) -> list[Name]:
    return [name for name, digest in zip(named, digests, strict=False) if digest in held]
