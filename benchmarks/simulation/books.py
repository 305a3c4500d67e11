"""What stands in the nodes' databases, read from outside by plain SQL, and what stood there before.

Nothing of the code under test is used but the parsing of receipts and the verifying of signatures.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from simulation.member import Member

_COLUMNS = "message_id, sequence, payload_type, digest, state, receipt, reason, ledger_index, created_at, not_after"


@dataclass(frozen=True, slots=True)
class Entry:
    """One ledger entry: its kind, and the fields that name a message."""

    index: int
    kind: str
    counterparty: str
    message: str
    envelope: str


@dataclass(frozen=True, slots=True)
class Effect:
    """One row that a note's effect wrote."""

    sender: str
    message_id: str
    payload: str
    ledger_index: int


@dataclass
class Books:
    """One node's books at the last reading. ``leaves``: leaf hashes in order; ``shrank``: what was there and is gone.

    ``checkpoints``: roots that it signed, by size; ``witnessed``: partner, size and root of what it saw of others.
    """

    member: Member
    effects: list[Effect] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    outbox: dict[str, dict[str, Any]] = field(default_factory=dict)
    inbox: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    checkpoints: dict[int, bytes] = field(default_factory=dict)
    witnessed: set[tuple[str, int, bytes]] = field(default_factory=set)
    second_histories: int = 0
    shrank: list[str] = field(default_factory=list)
    _version: object = None

    @property
    def code(self) -> str:
        """Whose books these are."""
        return self.member.code

    def read(self) -> bool:
        """Read again if anything changed; what an earlier reading found and this one does not is kept in ``shrank``."""
        version = self.member.version()
        if version == self._version:
            return False
        self._version = version
        self._read_ledger()
        self._read_boxes()
        rows = self.member.rows
        self.effects = [
            Effect(*row) for row in rows("SELECT sender, message_id, payload, ledger_index FROM simulation_effect")
        ]
        self.asked = [row[0] for row in rows("SELECT message_id FROM simulation_asked")]
        return True

    def _read_ledger(self) -> None:
        rows = self.member.rows
        leaves = [bytes(row[0]) for row in rows('SELECT leaf_hash FROM ledger_entry ORDER BY "index"')]
        kept = len(self.leaves)
        if leaves[:kept] != self.leaves:
            self.shrank.append(f"{self.code}: the first {kept} entries are not what they were")
            kept, self.entries = 0, []
        self.leaves = leaves
        new = rows('SELECT "index", kind, counterparty, fields FROM ledger_entry WHERE "index" >= ? ORDER BY 1', kept)
        self.entries += [_entry(*row) for row in new]
        self.checkpoints |= {row[0]: bytes(row[1]) for row in rows("SELECT size, root FROM ledger_checkpoint")}
        seen = rows("SELECT partner, size, root FROM ledger_witnessed")
        self.witnessed |= {(partner, size, bytes(root)) for partner, size, root in seen}
        (conflicts,) = rows("SELECT count(*) FROM ledger_witnessed WHERE conflicts_with_id IS NOT NULL")[0]
        self.second_histories = conflicts

    def _read_boxes(self) -> None:
        outbox = {row["message_id"]: row for row in self._box("exchange_outgoing")}
        inbox = {(row["sender"], row["message_id"]): row for row in self._box("exchange_incoming")}
        for name, before in self.outbox.items():
            now = outbox.get(name)
            if now is None:
                self.shrank.append(f"{self.code}: message {name} is gone from the outbox")
            elif before["receipt"] is not None and now["receipt"] != before["receipt"]:
                self.shrank.append(f"{self.code}: the receipt of {name} was replaced")
        for key, before in self.inbox.items():
            if key not in inbox or inbox[key]["receipt"] != before["receipt"]:
                self.shrank.append(f"{self.code}: message {key} or its receipt is gone from the inbox")
        self.outbox, self.inbox = outbox, inbox

    def _box(self, table: str) -> list[dict[str, Any]]:
        other = "recipient" if table == "exchange_outgoing" else "sender, received_at"
        return [dict(row) for row in self.member.rows(f"SELECT {_COLUMNS}, {other} FROM {table}")]


def _entry(index: int, kind: str, counterparty: str, fields: str) -> Entry:
    values = {name: value for name, value, _ in json.loads(fields)}
    return Entry(index, kind, counterparty, values.get("message", ""), values.get("envelope", ""))


def roots(leaves: list[bytes], sizes: set[int]) -> dict[int, bytes]:
    """Roots of the first so many leaves (RFC 6962, section 2.1), for each of the sizes that the list has."""
    found = {0: hashlib.sha256().digest()} if 0 in sizes else {}
    peaks: list[tuple[int, bytes]] = []
    for size, leaf in enumerate(leaves, start=1):
        height, node = 0, leaf
        while peaks and peaks[-1][0] == height:
            height, node = height + 1, _node(peaks.pop()[1], node)
        peaks.append((height, node))
        if size in sizes:
            root = peaks[-1][1]
            for _, left in reversed(peaks[:-1]):
                root = _node(left, root)
            found[size] = root
    return found


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
