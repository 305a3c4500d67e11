"""A person at a browser, as a program: signs in with two factors, reads pages, fills in forms, waits for a state.

Everything goes through the pages that people use. A node may be killed at any moment, so a person whose page does not
load tries again; before pressing a button twice, the road looks at the page to see whether the first press arrived
(:mod:`palermo.cli.demo.road`).
"""

import hashlib
import hmac
import itertools
import struct
import time
from base64 import b32decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from palermo.cli.demo.nodes import DemoError
from palermo.cli.demo.page import Page

PATIENCE_SECONDS = 300.0
T = TypeVar("T")
Uploads = Sequence[tuple[str, Path]]
"""Field names and files; a field may come several times."""


def one_time_code(secret: str, at: float) -> str:
    """The six digits of RFC 6238 (TOTP, SHA-1, 30 seconds) for a base-32 secret at a Unix time."""
    key = b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 0x0F)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


@dataclass
class LogIn:
    """What a person needs to sign in."""

    node: str
    username: str
    roles: tuple[str, ...]
    password: str
    secret: str = ""


class Person:
    """One officer with a session at one node."""

    def __init__(self, url: str, log_in: LogIn) -> None:
        self.url = url
        self.log_in = log_in
        self._client = httpx.Client(base_url=url, timeout=60.0, follow_redirects=True)
        self._last_step = 0

    def leave(self) -> None:
        """Close the connection to the node."""
        self._client.close()

    def get(self, path: str) -> Page:
        """Load a page, again and again while the node is down; signs in anew where the session was lost."""
        page = Page(self._patiently("GET", path))
        if urlsplit(page.url).path.startswith("/sign-in") and not path.startswith(("/sign-in", "/join")):
            self.sign_in()
            page = Page(self._patiently("GET", path))
        if page.status != httpx.codes.OK:
            raise DemoError(
                f"{self.log_in.username} of {self.log_in.node}: {path} answers {page.status}: {page.text[:500]}"
            )
        return page

    def pages(self, path: str) -> Iterator[Page]:
        """Load a list page by page, as long as a page links to the next."""
        separator = "&" if "?" in path else "?"
        for number in itertools.count(1):
            page = self.get(f"{path}{separator}page={number}")
            yield page
            if not any(f"page={number + 1}" in e.attributes.get("href", "") for e in page.elements if e.tag == "a"):
                return

    def post(self, page: Page, path: str, values: Mapping[str, Any] | None = None, files: Uploads = ()) -> Page:
        """Fill in a page's form and send it. Fields that are not named keep what the page put into them.

        A transport error is raised to the caller, who looks whether the press arrived. Raises :class:`DemoError` when
        the node refuses.
        """
        form = page.form(path)
        data: dict[str, list[str]] = {name: list(given) for name, given in form.fields.items()}
        for name, value in (values or {}).items():
            data[name] = [str(item) for item in value] if isinstance(value, (list, tuple)) else [str(value)]
        uploads = [(name, (file.name, file.read_bytes())) for name, file in files]
        response = self._client.post(form.action, data=data, files=uploads or None, headers={"Referer": page.url})
        answer = Page(response)
        if answer.status >= httpx.codes.BAD_REQUEST:
            raise DemoError(
                f"{self.log_in.username} of {self.log_in.node}: {path} answers {answer.status}: {answer.text[:1500]}"
            )
        return answer

    def try_once(self, path: str, values: Mapping[str, Any], files: Uploads = (), form: str = "") -> Page | None:
        """Open a page, fill in its form and send it; None where the answer was lost and nobody knows if it arrived."""
        try:
            return self.post(self.get(path), form or path, values, files)
        except httpx.TransportError:
            return None

    def ensure(
        self,
        seen: Callable[[], T],
        path: str,
        values: Mapping[str, Any],
        files: Uploads = (),
        form: str = "",
    ) -> T:
        """Press a button until its effect is seen, and never again once it is.

        ``seen`` looks at the node's pages and returns something true when the effect is there. Raises
        :class:`DemoError` when a press was answered but has no effect.
        """
        answered = 0
        while not (effect := seen()):
            if answered:
                raise DemoError(f"{self.log_in.username} of {self.log_in.node}: {path} was answered, without effect")
            answered += self.try_once(path, values, files, form) is not None
        return effect

    def download(self, path: str) -> bytes:
        """Fetch a file."""
        response = self._patiently("GET", path)
        if response.status_code != httpx.codes.OK:
            raise DemoError(f"{path} answers {response.status_code}")
        return response.content

    def wait(self, path: str, *states: str, failed: tuple[str, ...] = ("failed",)) -> Page:
        """Load a page until its main element is in one of these states."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        pause = 0.1
        while True:
            page = self.get(path)
            if page.state in states:
                return page
            if page.state in failed or time.monotonic() > deadline:
                raise DemoError(
                    f"{self.log_in.node}{path} is {page.state!r}, not {' or '.join(states)}: {page.text[:1500]}"
                )
            time.sleep(pause)
            pause = min(pause * 1.3, 1.0)

    def join(self, link: str) -> None:
        """Use a one-time link: set the password, enrol the second factor. The link works until both are done."""
        path = urlsplit(link).path
        while True:
            page = Page(self._patiently("GET", path))
            if page.status == httpx.codes.NOT_FOUND and self.log_in.secret:
                return  # the last press arrived, its answer did not
            try:
                page = self.post(page, path, {"password1": self.log_in.password, "password2": self.log_in.password})
                self.log_in.secret = page.value("data-totp-secret")
                self.post(page, urlsplit(page.url).path, {"code": one_time_code(self.log_in.secret, time.time())})
            except httpx.TransportError:
                continue
            return

    def sign_in(self) -> None:
        """Sign in with password and one-time code."""
        while True:
            self._client.cookies.clear()
            page = Page(self._patiently("GET", "/sign-in/"))
            try:
                answer = self.post(page, "/sign-in/", {"login": self.log_in.username, "password": self.log_in.password})
                self.post(answer, "/sign-in/second-factor/", {"code": self._code()})
            except httpx.TransportError:
                continue
            return

    def _code(self) -> str:
        """A one-time code that was not used yet: the present one, or the next, which the node takes too."""
        self._last_step = max(self._last_step + 1, int(time.time()) // 30)
        while self._last_step > int(time.time()) // 30 + 1:
            time.sleep(0.2)
        return one_time_code(self.log_in.secret, self._last_step * 30)

    def _patiently(self, method: str, path: str) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._client.request(method, path)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise DemoError(f"{self.url}{path} cannot be reached: {error}") from error
                time.sleep(0.2)
