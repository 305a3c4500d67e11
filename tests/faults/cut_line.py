"""The line to a node: a small TCP proxy that knows which post is under way, and has something happen in the middle."""

import random
import re
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

PIECE_BYTES = 4096
LONGEST_HEAD_BYTES = 2**16
SILENCE_SECONDS = 120.0
LONGEST_THOUGHT_SECONDS = 0.3
"""A fault that comes while the post is worked on comes within so many seconds after its last byte arrived."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: what is unread or unsent is dropped, and the peer is told so


class Moment(StrEnum):
    """Where in a post a fault comes."""

    REQUEST = "request"
    THOUGHT = "thought"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Fault:
    """After the given share of the moment has passed (0 to 1), ``deed`` is done, and the line is cut.

    A share of an answer of 0 is its first byte: it was made, and nothing of it arrived. ``hard``: cut by a reset.
    ``prepare`` is called before the post's first byte goes on.
    """

    moment: Moment
    share: float
    hard: bool
    name: str
    deed: Callable[[], None]
    prepare: Callable[[], None]


class _CutError(Exception):
    """The line was cut on purpose."""


class Line:
    """Listens in a node's stead; every second post or so meets the next of the ``faults``, until there are none."""

    def __init__(self, port: int, rng: random.Random) -> None:
        self.faults: deque[Fault] = deque()
        self.met: Counter[str] = Counter()
        self.posts = 0
        self._port, self._rng = port, rng
        self._busy = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, name=f"line to {port}", daemon=True).start()

    @property
    def url(self) -> str:
        """What the directory says of the node behind the line."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        """Take no further connection."""
        self._listening.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return  # it was closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Carry one connection's posts, one after the other, until an end closes it or the line is cut."""
        with client, suppress(OSError, _CutError), socket.create_connection(("127.0.0.1", self._port)) as server:
            for end in (client, server):
                end.settimeout(SILENCE_SECONDS)
            while head := _head(client):
                self._carry(client, server, head, self._next_fault(head))

    def _next_fault(self, head: bytes) -> Fault | None:
        if not head.startswith(b"POST /exchange/"):
            return None
        with self._busy:
            self.posts += 1
            return self.faults.popleft() if self.faults and self._rng.random() < 0.6 else None

    def _carry(self, client: socket.socket, server: socket.socket, head: bytes, fault: Fault | None) -> None:
        """One request and its answer."""
        if fault is not None:
            fault.prepare()
        self._pass(client, server, head, Moment.REQUEST, fault)
        if fault is not None and fault.moment is Moment.THOUGHT:
            time.sleep(fault.share * LONGEST_THOUGHT_SECONDS)
            self._cut(fault, client, server)
        if answer := _head(server):
            self._pass(server, client, answer, Moment.ANSWER, fault)
        else:
            raise _CutError  # the node died of itself, or wants the line no more

    def _pass(
        self, source: socket.socket, sink: socket.socket, head: bytes, moment: Moment, fault: Fault | None
    ) -> None:
        """Hand on a head, of which more may have come already, and its body: all, or as far as the fault allows."""
        length = _LENGTH.search(head)
        total = head.index(b"\r\n\r\n") + 4 + (int(length[1]) if length else 0)
        meets = fault is not None and fault.moment is moment
        left = int(fault.share * (total - 1)) if meets and fault is not None else total
        piece = head
        while left:
            piece = piece or source.recv(min(left, PIECE_BYTES))
            if not piece:
                raise _CutError
            sink.sendall(piece[:left])
            left, piece = left - len(piece[:left]), b""
        if meets and fault is not None:
            self._cut(fault, source, sink)

    def _cut(self, fault: Fault, *ends: socket.socket) -> None:
        fault.deed()
        if fault.hard:
            for end in ends:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        with self._busy:
            self.met[fault.name] += 1
        raise _CutError


def _head(source: socket.socket) -> bytes:
    """What came until a head was whole; nothing where the connection ended."""
    came = b""
    while b"\r\n\r\n" not in came:
        piece = source.recv(PIECE_BYTES)
        if not piece or len(came) > LONGEST_HEAD_BYTES:
            return b""
        came += piece
    return came
