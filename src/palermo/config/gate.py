"""The gate before the web application: reads each request whole, within bounds, before one of few threads works on it.

A partner that sends a byte at a time, reads none, or sends too much costs a connection and a little memory, never a
thread. What must hold:

- a thread is taken only by a request that has arrived whole, and is free again when the answer is made, or (for a long
  answer) when its reader pauses for :data:`Bounds.pause_seconds`;
- nobody takes more than half of the threads, nor more than :data:`Bounds.open_each` connections at once; who asks more
  waits behind its own requests, not before others';
- a body is bounded in size and time, and rests on disk from :data:`Bounds.memory_bytes` on;
- nobody asks for more than :data:`Bounds.rate` units a second for long: a request is one, and each MiB of it another.

``Nobody`` is here an address; partners' posts and people's pages from one address count apart.
"""

import asyncio
import math
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from palermo.config.gate_pace import Pace
from palermo.config.gate_wsgi import Answer, environ_of

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Key = tuple[str, bool]
_FOR_NODES = "/exchange/"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one request, one address and all of them may take, and why so much.

    ``open_each``: a busy partner has one post under way and asks for a few pieces of a file; a browser opens six.
    ``post_seconds``: a post's sender itself gives up after 60. ``least_rate``: bytes a second of a slower body, such as
    a large file of an officer's, after its first ``pause_seconds``. ``rate`` and ``burst``: a partner's busiest worker
    posts some batches a second, a page with its pictures is twenty requests.
    """

    threads: int = 4
    open_each: int = 32
    open_all: int = 1024
    post_seconds: float = 90.0
    pause_seconds: float = 30.0
    least_rate: int = 1024
    post_bytes: int = 80 << 20
    memory_bytes: int = 1 << 20
    answer_bytes: int = 4 << 20
    rate: float = 50.0
    burst: float = 500.0


class RefusedError(Exception):
    """The gate lets no more in. ``status``: 408, 413, 429 or 503; ``retry_seconds``: when to ask again."""

    def __init__(self, status: int, sentence: str, retry_seconds: float = 2.0) -> None:
        super().__init__(sentence)
        self.status, self.retry_seconds = status, retry_seconds


class Gate:
    """An ASGI application before a WSGI application. All of its state is the event loop's own."""

    def __init__(self, application: Any, bounds: Bounds, *, behind_proxy: bool, folder: str | None = None) -> None:
        self._application, self._bounds = application, bounds
        self._behind_proxy, self._folder = behind_proxy, folder
        self._pool = ThreadPoolExecutor(bounds.threads, thread_name_prefix="web")
        self._open: Counter[Key] = Counter()
        self._turns = Turns(bounds.threads)
        self._pace = Pace(bounds.rate, bounds.burst, most_keys=4 * bounds.open_all)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request, or the server's start and stop."""
        if scope["type"] == "lifespan":
            return await _live(receive, send)
        if scope["type"] != "http":
            return None
        key = (self._address(scope), scope["path"].startswith(_FOR_NODES))
        try:
            self._enter(key)
        except RefusedError as error:
            return await _refuse(send, error)
        try:
            await self._serve(key, scope, receive, send)
        except RefusedError as error:
            await _refuse(send, error)
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
        return None

    def _address(self, scope: Message) -> str:
        """Who asks; behind a proxy of this machine, whom the proxy names last."""
        address = str((scope.get("client") or ("", 0))[0])
        if self._behind_proxy:
            for name, value in scope["headers"]:
                if name.lower() == b"x-forwarded-for":
                    address = value.decode("latin1").rpartition(",")[2].strip()
        return address

    def _enter(self, key: Key) -> None:
        if self._open[key] >= self._bounds.open_each or self._open.total() >= self._bounds.open_all:
            raise RefusedError(503, "Too many connections at once. Finish some, then try again.")
        now = asyncio.get_running_loop().time()
        if seconds := self._pace.wait(key, now):
            raise RefusedError(429, f"Too many requests. Go on in {math.ceil(seconds)} seconds.", seconds)
        self._pace.charge(key, 1, now)
        self._open[key] += 1

    async def _serve(self, key: Key, scope: Message, receive: Receive, send: Send) -> None:
        with SpooledTemporaryFile(max_size=self._bounds.memory_bytes, dir=self._folder) as body:
            if not await self._read(key, scope, receive, body):
                return
            self._pace.charge(key, body.tell() / (1 << 20), asyncio.get_running_loop().time())
            body.seek(0)
            answer = Answer(asyncio.get_running_loop(), send, self._bounds.answer_bytes, self._bounds.pause_seconds)
            environ = environ_of(scope, body)
            with suppress(TimeoutError):  # its reader paused too long: the connection ends without the answer's end
                async with self._turns.of(key):
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(self._pool, answer.make, self._application, environ)
                await answer.finish()

    async def _read(self, key: Key, scope: Message, receive: Receive, body: IO[bytes]) -> bool:
        """The whole body; False if its sender left. Raises :class:`RefusedError`."""
        bounds, of_node = self._bounds, key[1]
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if of_node and stated.isdigit() and int(stated[:20]) > bounds.post_bytes:
            raise RefusedError(413, f"There may be at most {bounds.post_bytes} bytes.")
        clock, size = asyncio.get_running_loop().time, 0
        began = clock()
        while True:
            patience = bounds.pause_seconds
            if of_node:
                patience = min(patience, began + bounds.post_seconds - clock())
            try:
                message = await asyncio.wait_for(receive(), max(patience, 0.001))
            except TimeoutError as error:
                raise RefusedError(408, "It came too slowly. Send it again over a better line.") from error
            if message["type"] != "http.request":
                return False
            chunk = message.get("body", b"")
            size += len(chunk)
            if of_node and size > bounds.post_bytes:
                raise RefusedError(413, f"There may be at most {bounds.post_bytes} bytes.")
            if not of_node and size < (clock() - began - bounds.pause_seconds) * bounds.least_rate:
                raise RefusedError(408, "It came too slowly. Send it again over a better line.")
            body.write(chunk)
            if not message.get("more_body"):
                return True


class Turns:
    """Gives out the threads: each address its turn, none more than half of them."""

    def __init__(self, threads: int) -> None:
        self._free, self._each = threads, max(1, threads // 2)
        self._running: Counter[Key] = Counter()
        self._waiting: OrderedDict[Key, deque[asyncio.Future[None]]] = OrderedDict()

    def of(self, key: Key) -> "Turn":
        """A turn of this key's, as an asynchronous context."""
        return Turn(self, key)

    async def begin(self, key: Key) -> None:
        """Wait for a thread."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.end(key)
            raise

    def end(self, key: Key) -> None:
        """Give the thread back."""
        self._free += 1
        self._running[key] -= 1
        if not self._running[key]:
            del self._running[key]
        self._hand_out()

    def _hand_out(self) -> None:
        for key in list(self._waiting):
            queue = self._waiting[key]
            while queue and queue[0].cancelled():
                queue.popleft()
            if queue and self._free and self._running[key] < self._each:
                self._free -= 1
                self._running[key] += 1
                queue.popleft().set_result(None)
                self._waiting.move_to_end(key)  # whoever had a turn comes after those who had none
            if not queue:
                del self._waiting[key]


@dataclass(frozen=True, slots=True)
class Turn:
    """One thread for one request."""

    turns: Turns
    key: Key

    async def __aenter__(self) -> None:
        await self.turns.begin(self.key)

    async def __aexit__(self, *_: object) -> None:
        self.turns.end(self.key)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _refuse(send: Send, error: RefusedError) -> None:
    body = f"{error}\n".encode()
    headers: Iterable[tuple[bytes, bytes]] = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        (b"retry-after", str(math.ceil(error.retry_seconds)).encode()),
    ]
    with suppress(Exception):  # whoever was too slow may be gone
        await send({"type": "http.response.start", "status": error.status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})
