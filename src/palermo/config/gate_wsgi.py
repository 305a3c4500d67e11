"""Between the gate and the web application: a request as WSGI wants it, and an answer made in a thread (PEP 3333)."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import IO, Any

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def environ_of(scope: Mapping[str, Any], body: IO[bytes]) -> dict[str, Any]:
    """The request's WSGI environment. A header with an underscore is left out: it could pass for another."""
    server = scope.get("server") or ("localhost", 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "REMOTE_ADDR": (scope.get("client") or ("", 0))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name:
            continue
        words = name.decode("latin1").upper().replace("-", "_")
        key = words if words in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{words}"
        text = value.decode("latin1")
        separator = "; " if words == "COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{text}" if key in environ else text
    return environ


class Answer:
    """One answer. A short one is kept and sent when its thread is free; a long one is sent from the thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send, most_bytes: int, pause_seconds: float) -> None:
        self._loop, self._send, self._most, self._pause = loop, send, most_bytes, pause_seconds
        self._start: dict[str, Any] = {}
        self._kept: list[bytes] = []
        self._size = 0
        self._begun = False

    def make(self, application: Any, environ: dict[str, Any]) -> None:
        """Run the application, in a thread. Raises ``TimeoutError`` when a long answer's reader pauses too long."""
        content: Iterable[bytes] = application(environ, self._start_response)
        try:
            for chunk in content:
                self._kept.append(chunk)
                self._size += len(chunk)
                if self._size > self._most:
                    self._flush()
        finally:
            close = getattr(content, "close", None)
            if close is not None:
                close()

    async def finish(self) -> None:
        """Send what is left, and the end."""
        await asyncio.wait_for(self._push(more=False), self._pause)

    def _flush(self) -> None:
        asyncio.run_coroutine_threadsafe(self._push(more=True), self._loop).result(self._pause)

    async def _push(self, *, more: bool) -> None:
        if not self._begun:
            self._begun = True
            await self._send(self._start)
        chunk, self._kept, self._size = b"".join(self._kept), [], 0
        await self._send({"type": "http.response.body", "body": chunk, "more_body": more})

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        self._start = {
            "type": "http.response.start",
            "status": int(status[:3]),
            "headers": [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers],
        }
        return self._kept.append
