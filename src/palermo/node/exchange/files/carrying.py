"""The pieces of our files, on their way: to each partner by its route, one partner beside the other.

A turn never waits for a partner: a pass over one file runs in a thread of its own, without a database, for
:data:`PASS_SECONDS` and one piece at most, and its outcome is written down in a later turn. By HTTP it begins with
asking which pieces are lacking, so that none that arrived is sent again, whoever was killed meanwhile. A relay is
handed a few as letters (:mod:`.lettering`); a courier takes all that are lacking.
"""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
from django.db.models import F, Q, QuerySet

from palermo.node.directory.queries import DirectoryError
from palermo.node.exchange.files import lettering, offering, settling, store, working
from palermo.node.exchange.files.lettering import Piece
from palermo.node.exchange.files.models import OutgoingFile
from palermo.node.exchange.files.states import Sending
from palermo.node.exchange.handlers import RefusedError
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.posting import NoReceiptError, post
from palermo.node.exchange.relay_carrier import RelayCarrier
from palermo.node.exchange.routes import HANDED_PATIENCE, Route, Way, way_to
from palermo.node.exchange.states import Outbox
from palermo.node.exchange.wire import FILES_PATH, PIECE_TYPE
from palermo.sealing.errors import SealingError
from palermo.sealing.file_offer import MAX_STATE_BYTES, FileState, read_ranges, write_ranges

PASS_SECONDS = 5.0
"""How long a pass sends pieces: so often the progress is written down."""

MOST_PARTNERS_AT_ONCE = 4
"""Each holds one piece in memory."""

TURN_SECONDS = 0.2
ASK_AGAIN = timedelta(seconds=15)
"""When everything arrived: how long until the recipient is asked for its receipt, which comes by itself as a letter."""
LIST_AGAIN = timedelta(minutes=2)
"""When the recipient says that it has no list of the pieces: how long since it was written until it is once more."""


@dataclass(frozen=True, slots=True)
class _Errand:
    """One file, as a thread without a database needs it."""

    url: str
    file_id: str
    pieces: int
    piece_bytes: int


@dataclass(slots=True)
class _Outcome:
    """What a pass brought. ``lacking`` None: the recipient was not reached. ``handed``: pieces that a relay has taken.

    ``gone``: our sealed file is not there.
    """

    lacking: set[int] | None = None
    listed: bool = True
    receipt: bytes = b""
    sent: int = 0
    handed: tuple[int, ...] = ()
    gone: bool = False
    error: str = ""


@dataclass(slots=True)
class Carrier:
    """Sends pieces by HTTP, turn by turn. One a process; it uses the database in the thread that calls it alone."""

    client: httpx.Client
    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(max_workers=MOST_PARTNERS_AT_ONCE, thread_name_prefix="pieces")
    )
    _passes: dict[Future[_Outcome], tuple[int, str]] = field(default_factory=dict)

    def turn(self, now: datetime) -> int:
        """Begin what is due, and write down what was done; returns how many passes ended."""
        write_lists(now)
        busy = {partner for _, partner in self._passes.values()}
        for row in _due(now).exclude(recipient__in=busy):
            if len(self._passes) >= MOST_PARTNERS_AT_ONCE:
                break
            if row.recipient not in busy and (begun := self._begin(row, now)) is not None:
                self._passes[begun] = (row.pk, row.recipient)
                busy.add(row.recipient)
        done = wait(self._passes, timeout=TURN_SECONDS, return_when=FIRST_COMPLETED).done if self._passes else ()
        for future in done:
            key, _ = self._passes.pop(future)
            _conclude(key, future.result(), now)
        return len(done)

    def _begin(self, row: OutgoingFile, now: datetime) -> Future[_Outcome] | None:
        """A pass over this file by its recipient's route; None where there is nothing to do now."""
        way = way_to(row.recipient)
        if way.route is Route.COURIER:
            return None
        if not way.url:
            working.put_off(row, "The directory in force does not list this partner. Import the newest one.", now)
            return None
        if way.route is Route.DIRECT:
            errand = _Errand(f"{way.url}{FILES_PATH}{row.file_id}", row.file_id, row.pieces, row.piece_bytes)
            return self._pool.submit(_pass, self.client, errand)
        try:
            pieces = list(lettering.sealed(row, lettering.due(row, now)[:1], now))
        except FileNotFoundError:
            offering.seal_anew(row)
            return None
        except (OSError, DirectoryError) as error:
            working.put_off(row, f"The next piece cannot be sealed ({error}).", now)
            return None
        return self._pool.submit(_hand_in, self.client, way, pieces[0]) if pieces else None

    def close(self) -> None:
        """Let the threads end; what they send still may arrive, and the next process asks for it."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def accepted() -> Q:
    """Files whose message the recipient has accepted: nothing is sent for any other."""
    taken = Outgoing.objects.filter(state=Outbox.ACCEPTED)
    return Q(state=Sending.SENDING, message_id__in=taken.values("message_id"))


def _due(now: datetime) -> QuerySet[OutgoingFile]:
    return OutgoingFile.objects.filter(accepted(), working.is_due(now)).order_by("pk")


def write_lists(now: datetime) -> None:
    """Tell the recipient of each accepted file its pieces; again if it lacks the list, or after long silence."""
    not_heard = Q(listed_at__isnull=True) | Q(listed_at__lte=now - HANDED_PATIENCE)
    for row in list(OutgoingFile.objects.filter(accepted(), not_heard)):
        offering.write_list(row, now)


def _pass(client: httpx.Client, errand: _Errand) -> _Outcome:
    """Ask what is lacking, and send that, for a while."""
    ends, outcome = time.monotonic() + PASS_SECONDS, _Outcome()
    try:
        said = post(client, errand.url, b"", media_type=PIECE_TYPE, most_bytes=MAX_STATE_BYTES)
        state = FileState.from_bytes(said)
        outcome.receipt, outcome.listed = state.receipt, state.listed
        outcome.lacking = {number for number in read_ranges(state.lacking) if number < errand.pieces}
        for number in sorted(outcome.lacking):
            if time.monotonic() > ends:
                break
            piece = store.sealed_piece(errand.file_id, number, errand.piece_bytes)
            outcome.sent += 1
            post(client, f"{errand.url}/{number}", piece, media_type=PIECE_TYPE, most_bytes=0)
            outcome.lacking.discard(number)
    except (NoReceiptError, SealingError) as error:
        outcome.error = str(error)
    except FileNotFoundError:
        outcome.gone = True
    except OSError as error:
        outcome.error = f"Our sealed file cannot be read ({error.strerror}): see to the disk of this node."
    return outcome


def _hand_in(client: httpx.Client, way: Way, piece: Piece) -> _Outcome:
    """Hand a piece to the recipient's relay."""
    try:
        (statement,) = RelayCarrier().carry(client, way, (piece.parcel,))
    except NoReceiptError as error:
        return _Outcome(error=str(error))
    if not statement:
        return _Outcome(error=f"{way.relay} has no room for {way.partner} until that collects its post.")
    return _Outcome(handed=(piece.number,))


def _conclude(key: int, outcome: _Outcome, now: datetime) -> None:
    if outcome.sent:
        OutgoingFile.objects.filter(pk=key).update(sent=F("sent") + outcome.sent)
    row = OutgoingFile.objects.get(pk=key)
    if row.state != Sending.SENDING:
        return
    try:
        if outcome.receipt:
            settling.settle(key, outcome.receipt, now=now)
            return
        if outcome.lacking is not None and outcome.listed:
            settling.note_lacking(row, write_ranges(outcome.lacking), listed=True)
    except (SealingError, RefusedError) as error:
        outcome.error = f"What {row.recipient} answered is not about this file ({error})."
    if outcome.gone:
        offering.seal_anew(row)
        return
    if outcome.error:
        working.put_off(row, outcome.error, now)
        return
    if outcome.handed:
        lettering.handed(key, list(outcome.handed), now)
        OutgoingFile.objects.filter(pk=key).update(failures=0, last_error="", next_attempt_at=None)
        return
    listed_long_ago = row.listed_at is None or row.listed_at <= now - LIST_AGAIN
    if not outcome.listed and listed_long_ago:
        OutgoingFile.objects.filter(pk=key).update(listed_at=None)
    pause = timedelta(seconds=1) if not outcome.listed else None if outcome.lacking else ASK_AGAIN
    OutgoingFile.objects.filter(pk=key).update(
        failures=0, last_error="", next_attempt_at=None if pause is None else now + pause
    )
