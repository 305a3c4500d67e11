"""A line between nodes that loses, doubles, delays, damages, forges and misdelivers what it carries.

A post that arrives goes through the receiving node's real web application (WSGI, all middleware, URLs and views), while
that node acts. What the line does to a post is said by :class:`Fault`, one a post, in the order of the posts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import httpx
from django.core.handlers.wsgi import WSGIHandler

from simulation.disk import StoppedError
from simulation.member import Member

LONGEST_MEMORY = 2000
"""How many posts and answers the line remembers, to carry them again or to look at them."""


class Fault(StrEnum):
    """What becomes of one post."""

    NONE = "none"
    LOST = "lost"
    ANSWER_LOST = "answer lost"
    TWICE = "twice"
    DELAYED = "delayed"  # the sender gives up; the post is remembered and may be carried later: out of order
    DAMAGED = "damaged"
    CUT = "cut"
    MISDELIVERED = "misdelivered"
    ANSWER_DAMAGED = "answer damaged"
    ANSWER_OF_ANOTHER = "answer of another post"
    ANSWER_FORGED = "answer forged"
    ANSWER_EMPTY = "answer empty"
    SERVER_ERROR = "server error"


@dataclass(frozen=True, slots=True)
class Carried:
    """One post as the line saw it; ``answer`` is None where the recipient gave none."""

    sender: str
    recipient: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    status: int = 0
    answer: bytes | None = None


Forge = Callable[[Carried], bytes]
"""Makes the answer that someone in the middle would like the sender to believe."""


@dataclass
class Network:
    """All lines. ``cut``: pairs of codes between which nothing passes. ``faults``: of the next posts."""

    members: Mapping[str, Member]
    forge: Forge
    cut: set[frozenset[str]] = field(default_factory=set)
    faults: Iterator[Fault] = field(default_factory=lambda: iter(()))
    memory: list[Carried] = field(default_factory=list)
    seen: list[Carried] = field(default_factory=list)
    posts: int = 0

    def __post_init__(self) -> None:
        self._web = WSGIHandler()

    def client(self, of: Member) -> httpx.Client:
        """What a node posts with."""
        return httpx.Client(transport=httpx.MockTransport(lambda request: self._carry(of, request)), trust_env=False)

    def next_faults(self, faults: Iterable[Fault]) -> None:
        """What becomes of the next posts; those after them pass unharmed."""
        self.faults = iter(faults)

    def again(self, number: int, to: str | None = None) -> None:
        """Carry an old post once more, to its recipient or to another node; nobody waits for the answer."""
        if self.memory:
            old = self.memory[number % len(self.memory)]
            self.hand_in(old, to or old.recipient)

    def _carry(self, of: Member, request: httpx.Request) -> httpx.Response:
        if of.disk.stopped:
            raise StoppedError
        recipient = request.url.host.removesuffix(".invalid").upper()
        post = Carried(
            of.code,
            recipient,
            request.method,
            request.url.raw_path.decode("ascii"),
            tuple((name, value) for name, value in request.headers.items() if name != "host"),
            request.read(),
        )
        self.posts += 1
        fault = next(self.faults, Fault.NONE)
        if recipient not in self.members or frozenset((of.code, recipient)) in self.cut:
            raise httpx.ConnectError("no route", request=request)
        self.memory.append(post)
        del self.memory[:-LONGEST_MEMORY]
        return self._with_fault(fault, post, request)

    def _with_fault(self, fault: Fault, post: Carried, request: httpx.Request) -> httpx.Response:
        if fault in (Fault.LOST, Fault.DELAYED):
            raise httpx.ConnectTimeout("lost on the way", request=request)
        if fault is Fault.SERVER_ERROR:
            return httpx.Response(502, content=b"a proxy's page")
        if fault is Fault.MISDELIVERED:
            others = sorted(set(self.members) - {post.sender, post.recipient})
            answered = self.hand_in(post, others[len(post.body) % len(others)])
        else:
            answered = self.hand_in(_harmed(fault, post), post.recipient)
        if fault is Fault.TWICE:
            answered = self.hand_in(post, post.recipient)
        if answered.answer is None or fault is Fault.ANSWER_LOST:
            raise httpx.ReadError("the line broke", request=request)
        return httpx.Response(answered.status, stream=httpx.ByteStream(self._harmed_answer(fault, answered)))

    def hand_in(self, post: Carried, to: str = "") -> Carried:
        """Let a node take a post in, and note its answer."""
        to = to or post.recipient
        member = self.members[to]
        if not member.up:
            return post
        transport = httpx.WSGITransport(app=self._web)
        request = httpx.Request(
            post.method, f"http://{member.host}{post.path}", headers=dict(post.headers), content=post.body
        )
        try:
            with member.acting():
                response = transport.handle_request(request)
                answer = response.read()
        except StoppedError:
            return post
        answered = Carried(
            post.sender, to, post.method, post.path, post.headers, post.body, response.status_code, answer
        )
        self.seen.append(replace(answered, body=b""))
        return answered

    def _harmed_answer(self, fault: Fault, answered: Carried) -> bytes:
        answer = answered.answer or b""
        if fault is Fault.ANSWER_DAMAGED:
            return _flipped(answer)
        if fault is Fault.ANSWER_OF_ANOTHER:
            others = [seen.answer for seen in self.seen if seen.recipient == answered.recipient and seen.answer]
            return others[len(others) // 2]
        if fault is Fault.ANSWER_FORGED:
            return self.forge(answered)
        return b"" if fault is Fault.ANSWER_EMPTY else answer


def _harmed(fault: Fault, post: Carried) -> Carried:
    if fault is Fault.DAMAGED:
        body = _flipped(post.body)
    elif fault is Fault.CUT:
        body = post.body[: len(post.body) // 2]
    else:
        return post
    headers = tuple((name, value) for name, value in post.headers if name != "content-length")
    headers += (("content-length", str(len(body))),)
    return Carried(post.sender, post.recipient, post.method, post.path, headers, body)


def _flipped(data: bytes) -> bytes:
    """One bit changed, three quarters in: below headings and clear parts."""
    place = len(data) * 3 // 4
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :] if data else data
