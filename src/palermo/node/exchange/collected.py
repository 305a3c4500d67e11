"""What a relay or a courier brought is taken in like what a partner posts; its receipts travel back in letters.

There is no line to answer on, so the receipts go to the sender the way that the directory gives: posted, by its relay,
or in the next courier file. A letter of receipts that is lost costs nothing: the sender hands its message in again, and
gets the receipt that was given before.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.keeping import stored_receipts
from palermo.node.exchange.actions.lettering import write_letter
from palermo.node.exchange.actions.parcels import receive_parcels
from palermo.node.exchange.actions.settling import settle
from palermo.node.exchange.handlers import RefusedError
from palermo.node.exchange.letters import Letter, LetterHandler
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.wire import LONGEST_LIFE, NEVER, NOT_YET, TAKEN
from palermo.sealing import batch, parcel
from palermo.sealing.errors import FormatError, SealingError
from palermo.sealing.receipt import ReceiptStatus, parse_receipt

RECEIPTS = "exchange.receipts+v1"
MOST_AT_ONCE = 100
"""How many parcels one letter of receipts answers at most."""

_log = logging.getLogger(__name__)


class Taken(Enum):
    """What became of a parcel that was brought."""

    NEW = auto()
    KNOWN = auto()
    LETTER = auto()
    REJECTED = auto()
    NOT_YET = auto()


@dataclass(frozen=True, slots=True)
class Brought:
    """A parcel, and the member that handed it to the relay or the courier."""

    sender: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a parcel of SHA-256 ``digest`` (hex). ``reason``: why it was not taken, as a sentence.

    ``settled``: it need not be brought again, and whoever brought it may delete it.
    """

    digest: str
    taken: Taken
    settled: bool
    reason: str = ""


def take_in(brought: Sequence[Brought], *, now: datetime) -> list[Outcome]:
    """Take in what was brought, :data:`MOST_AT_ONCE` at most, and queue the receipts: both are committed on return.

    A stop in between loses nothing: the parcels are still where they came from, and when they are brought again each
    gets the receipt that it got before.
    """
    digests = [parcel.digest(item.content) for item in brought]
    known = stored_receipts(digests).keys()
    answers = receive_parcels([item.content for item in brought], now=now)
    receipts: dict[str, dict[str, bytes]] = defaultdict(dict)
    outcomes = []
    for item, digest, answer in zip(brought, digests, answers, strict=True):
        outcome = _outcome(digest, answer, digest in known)
        outcomes.append(outcome)
        if not answer.startswith((NOT_YET, NEVER)) and answer != TAKEN:
            receipts[parse_receipt(answer).sender or item.sender][digest] = answer
    unanswered = {code: set(by_digest) for code, by_digest in receipts.items() if not _answer(code, by_digest, now)}
    lost = set[str]().union(*unanswered.values())
    return [_not_settled(outcome) if outcome.digest in lost else outcome for outcome in outcomes]


def _outcome(digest: str, answer: bytes, known: bool) -> Outcome:
    if answer == TAKEN:
        return Outcome(digest, Taken.LETTER, settled=True)
    if answer.startswith(NEVER):
        return Outcome(digest, Taken.REJECTED, True, answer.removeprefix(NEVER).decode())
    if answer.startswith(NOT_YET):
        return Outcome(digest, Taken.NOT_YET, False, answer.removeprefix(NOT_YET).decode())
    receipt = parse_receipt(answer)
    if receipt.status == ReceiptStatus.REJECTED:
        return Outcome(digest, Taken.REJECTED, True, receipt.reason)
    return Outcome(digest, Taken.KNOWN if known else Taken.NEW, settled=True)


def _not_settled(outcome: Outcome) -> Outcome:
    return Outcome(outcome.digest, outcome.taken, settled=False, reason=outcome.reason)


def _answer(partner: str, receipts: Mapping[str, bytes], now: datetime) -> bool:
    """Queue receipts, by the parcels' digests, for the way back; False where the directory lists no such partner."""
    # The same parcels brought again replace their letter instead of adding one.
    key = hashlib.sha256("".join(sorted(receipts)).encode()).hexdigest()
    body = batch.pack(receipts.values())
    try:
        write_letter(recipient=partner, kind=RECEIPTS, body=body, key=key, not_after=now + LONGEST_LIFE, now=now)
    except directory.UnknownAuthorityError:
        _log.warning("no receipt can be sent to %s: the directory in force does not list it", partner)
        return False
    return True


def receive_receipts(letter: Letter, *, now: datetime) -> None:
    """Settle each message of ours that a letter of receipts is about; one that is none of ours spoils no other."""
    try:
        receipts = batch.unpack(letter.body, part="letter of receipts")
    except FormatError as error:
        raise RefusedError(f"These are no receipts ({error}).") from error
    for receipt in receipts:
        try:
            _settle(letter.sender, receipt, now)
        except SealingError as error:
            _log.warning("a receipt from %s is refused: %s", letter.sender, error)


def _settle(sender: str, receipt: bytes, now: datetime) -> None:
    digest = parse_receipt(receipt).envelope_digest
    found = Outgoing.objects.filter(recipient=sender, digest=digest).values_list("pk", flat=True).first()
    if found is not None:
        settle(found, receipt, now=now)


LETTER_HANDLERS: Mapping[str, LetterHandler] = {RECEIPTS: receive_receipts}
