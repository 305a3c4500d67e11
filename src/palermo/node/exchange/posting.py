"""One post to a partner by HTTP: bounded in time and size, whatever the other end does. No database here."""

import time
from collections.abc import Iterator

import httpx

POST_SECONDS = 60.0  # for the whole of one post: the largest envelope needs a line of 1.1 MB/s
CHUNK_BYTES = 2**16
TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=30.0, pool=5.0)


class NoReceiptError(Exception):
    """A post that brought no receipt; the sentence is kept for the administrator."""


def post(client: httpx.Client, url: str, body: bytes, *, media_type: str, most_bytes: int) -> bytes:
    """Hand in ``body`` and return the answer's, ``most_bytes`` at most. Raises :class:`NoReceiptError`."""
    ends = time.monotonic() + POST_SECONDS
    headers = {"Content-Type": media_type, "Accept-Encoding": "identity", "Content-Length": str(len(body))}
    try:
        with client.stream("POST", url, content=_paced(body, ends), headers=headers, timeout=TIMEOUT) as answer:
            brought = _bounded(answer, ends, most_bytes)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoReceiptError(f"No answer from {url}: {error or type(error).__name__}.") from error
    if answer.status_code != httpx.codes.OK:
        said = brought[:300].decode("utf-8", "replace").strip()
        raise NoReceiptError(f"{url} answered {answer.status_code}: {said}")
    return brought


def _paced(body: bytes, ends: float) -> Iterator[bytes]:
    """The body in pieces, so that a partner which reads a byte at a time does not hold the line for ever."""
    for start in range(0, len(body), CHUNK_BYTES):
        if time.monotonic() > ends:
            raise NoReceiptError(f"What was to be handed in could not be within {POST_SECONDS:.0f} seconds.")
        yield body[start : start + CHUNK_BYTES]


def _bounded(answer: httpx.Response, ends: float, most_bytes: int) -> bytes:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise NoReceiptError("The answer is compressed, which was not asked for: it could be larger than it looks.")
    brought = bytearray()
    for chunk in answer.iter_bytes():
        brought += chunk
        if len(brought) > most_bytes:
            raise NoReceiptError(f"The answer is longer than it can be ({most_bytes} bytes).")
        if time.monotonic() > ends:
            raise NoReceiptError(f"The answer took longer than {POST_SECONDS:.0f} seconds.")
    return bytes(brought)
