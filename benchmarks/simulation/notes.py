"""The app of a simulated network: it sends notes, and a note's effect is one row at its recipient.

Its tables have no constraint whatever, so that what is done twice is there twice.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction

from palermo.node.exchange import actions, handlers

NOTE = "palermo/simulation.note+v1"
PLAIN, REPLY, REFUSED, NOT_YET, BROKEN = "plain", "reply", "refused", "not yet", "broken"
KINDS = (PLAIN, REPLY, REFUSED, NOT_YET, BROKEN)
"""What becomes of a note: taken; taken and answered; refused after it acted; taken the third time; after a bug."""

TABLES = (
    "CREATE TABLE simulation_asked (message_id TEXT)",
    "CREATE TABLE simulation_effect (sender TEXT, message_id TEXT, payload TEXT, ledger_index INTEGER)",
)
LIFE_HOURS = 168
_PATIENCE = {NOT_YET: 2, BROKEN: 1}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asked its node to send."""

    message_id: str
    sender: str
    recipient: str
    kind: str
    payload: bytes

    @property
    def key(self) -> tuple[str, str]:
        """What a recipient knows it by: sender and id. Another sender may use the same id."""
        return self.sender, self.message_id

    @property
    def is_answer(self) -> bool:
        """Whether a note's own effect asked for it."""
        return self.message_id.startswith("re-")


@dataclass
class Notes:
    """``asked``: every note that any app tried to send, by sender and id, whether or not it went.

    ``returned``: those whose transaction came to its end, so that their app relies on them. ``signed_besides``: digests
    of other payloads that a dishonest sender signed under the same id.
    """

    clock: Callable[[str], datetime]
    asked: dict[tuple[str, str], Asked] = field(default_factory=dict)
    returned: set[tuple[str, str]] = field(default_factory=set)
    signed_besides: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    _attempts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def write(self, sender: str, recipient: str, kind: str, size: int = 0, message_id: str = "") -> Asked:
        """A new note, of so many bytes more than it needs; it is not sent yet. Its id follows from its number."""
        message_id = message_id or f"m{len(self.asked) + 1}"
        note = Asked(message_id, sender, recipient, kind, payload(kind, message_id, size))
        return self.asked.setdefault(note.key, note)

    def send(self, asked: Asked, hours: int = LIFE_HOURS) -> None:
        """Ask the acting node to send a note, in one transaction with a row of the app's own; again changes nothing."""
        with transaction.atomic():
            if not _known(asked.message_id):
                _insert("simulation_asked", message_id=asked.message_id)
            self._send(asked, hours)
            transaction.on_commit(lambda: self.returned.add(asked.key))

    def _send(self, asked: Asked, hours: int = LIFE_HOURS, in_reply_to: str = "") -> None:
        now = self.clock(asked.sender)
        actions.send(
            recipient=asked.recipient,
            payload_type=NOTE,
            payload=asked.payload,
            case_reference="CASE-1",
            purpose="simulation",
            in_reply_to=in_reply_to,
            message_id=asked.message_id,
            not_after=now + timedelta(hours=hours),
            now=now,
        )

    def effect(self, message: handlers.Received, *, now: datetime) -> None:
        """What a note does: its row goes in first, so that whatever undoes the rest must undo it too."""
        kind = json.loads(message.payload)["kind"]
        _insert(
            "simulation_effect",
            sender=message.sender,
            message_id=message.message_id,
            payload=hashlib.sha256(message.payload).hexdigest(),
            ledger_index=message.ledger_index,
        )
        if kind == REFUSED:
            raise handlers.RefusedError("This note is refused, as its sender wished.")
        key = (message.sender, message.message_id)
        if self._attempts[key] < _PATIENCE.get(kind, 0):
            self._attempts[key] += 1
            raise handlers.NotYetError("later") if kind == NOT_YET else RuntimeError("a bug in an app")
        if kind == REPLY:
            answer_id = f"re-{message.message_id}-{message.sender}"
            answer = self.write(self.asked[key].recipient, message.sender, PLAIN, message_id=answer_id)
            self._send(answer, in_reply_to=message.message_id)


def payload(kind: str, message_id: str, size: int) -> bytes:
    """A note's bytes."""
    note = {"kind": kind, "id": message_id, "filling": "x" * size}
    return json.dumps(note, sort_keys=True, separators=(",", ":")).encode()


def _insert(table: str, **values: str | int) -> None:
    places = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", list(values.values()))


def _known(message_id: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM simulation_asked WHERE message_id = %s", [message_id])
        return bool(cursor.fetchone()[0])
