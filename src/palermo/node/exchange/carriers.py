"""Who carries a load, by route and version of the protocol; the two that post directly to a partner's node."""

import logging
from datetime import datetime

import httpx

from palermo.node.exchange.actions.lettering import drop_letters
from palermo.node.exchange.actions.settling import settle_all
from palermo.node.exchange.posting import NoReceiptError, post
from palermo.node.exchange.routes import Carrier, Load, Route, Way
from palermo.node.exchange.wire import (
    BATCH_TYPE,
    ENVELOPE_TYPE,
    MAX_RECEIPT_BYTES,
    NEVER,
    NOT_YET,
    PARCELS_PATH,
    PATH,
    TAKEN,
)
from palermo.sealing import batch
from palermo.sealing.errors import FormatError

_log = logging.getLogger(__name__)


class Unlisted:
    """To a partner that the directory in force does not name: nothing goes, and the reason is kept."""

    def carry(self, client: httpx.Client, way: Way, parcels: tuple[bytes, ...]) -> list[bytes]:
        """Refuse."""
        raise NoReceiptError("The directory in force does not list this partner. Import the newest directory.")

    def conclude(self, way: Way, load: Load, brought: list[bytes], now: datetime) -> tuple[int, str]:
        """Nothing was brought."""
        return 0, ""


class OneByOne:
    """Version 1: one envelope a post, answered with its receipt. Letters wait until the partner speaks version 2."""

    def carry(self, client: httpx.Client, way: Way, parcels: tuple[bytes, ...]) -> list[bytes]:
        """Post the envelope."""
        (envelope,) = parcels
        return [post(client, way.url + PATH, envelope, media_type=ENVELOPE_TYPE, most_bytes=MAX_RECEIPT_BYTES)]

    def conclude(self, way: Way, load: Load, brought: list[bytes], now: datetime) -> tuple[int, str]:
        """Store the receipt."""
        return _settled(load, brought, now)


class Batches:
    """Version 2: several parcels a post, answered one by one in the same order."""

    def carry(self, client: httpx.Client, way: Way, parcels: tuple[bytes, ...]) -> list[bytes]:
        """Post them and read as many answers."""
        most = len(batch.HEADING) + len(parcels) * (MAX_RECEIPT_BYTES + 4)
        body = batch.pack(parcels)
        answer = post(client, way.url + PARCELS_PATH, body, media_type=BATCH_TYPE, most_bytes=most)
        try:
            brought = batch.unpack(answer, part="answer")
        except FormatError as error:
            raise NoReceiptError(f"{way.url} answered something that is not one answer for each parcel.") from error
        if len(brought) != len(parcels) or any(len(item) > MAX_RECEIPT_BYTES for item in brought):
            raise NoReceiptError(
                f"{way.url} answered {len(brought)} parcels of {len(parcels)}, or at too great length."
            )
        return brought

    def conclude(self, way: Way, load: Load, brought: list[bytes], now: datetime) -> tuple[int, str]:
        """Store receipts and drop the letters that were taken."""
        settled, sentence = _settled(load, brought[: len(load.messages)], now)
        taken, refused = _letters(way, load, brought[len(load.messages) :])
        return settled + taken, sentence or refused


def _settled(load: Load, brought: list[bytes], now: datetime) -> tuple[int, str]:
    """How many messages a receipt settled, and the first sentence on one that none did."""
    said = [_said(answer) for answer in brought]
    receipts = [(key, answer) for key, answer, words in zip(load.messages, brought, said, strict=True) if words is None]
    faults = settle_all(receipts, now=now)
    sentences = [words for words in (*said, *faults) if words]
    return faults.count(""), sentences[0] if sentences else ""


def _letters(way: Way, load: Load, brought: list[bytes]) -> tuple[int, str]:
    """Drop the letters that were taken or never will be; how many, and a sentence on one that must go again."""
    done, sentence = [], ""
    for letter, answer in zip(load.letters, brought, strict=True):
        if answer == TAKEN or answer.startswith(NEVER):
            done.append(letter)
            if answer != TAKEN:
                _log.warning("%s does not take a letter: %s", way.partner, _said(answer))
        else:
            sentence = _said(answer) or "The answer to a letter is none that there is."
    drop_letters(done)
    return len(done), sentence


def _said(answer: bytes) -> str | None:
    """The sentence of an answer that is no receipt; None for what may be one."""
    if not answer.startswith((NOT_YET, NEVER)):
        return None
    return answer[1:301].decode("utf-8", "replace") or "The answer gives no reason."


_carriers: dict[tuple[Route, int], Carrier] = {
    (Route.DIRECT, 0): Unlisted(),
    (Route.DIRECT, 1): OneByOne(),
    (Route.DIRECT, 2): Batches(),
}


def register(route: Route, protocol: int, carrier: Carrier) -> None:
    """Say who carries by a route to partners that speak this version or a later one; the later registration counts."""
    _carriers[route, protocol] = carrier


def carrier_for(way: Way) -> Carrier | None:
    """Who carries that way; None for a way that only a person's own hands can go, such as a courier's."""
    spoken = [protocol for route, protocol in _carriers if route is way.route and protocol <= way.protocol]
    return _carriers[way.route, max(spoken)] if spoken else None
