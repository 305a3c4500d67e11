"""Ask a time-stamping authority over HTTP (RFC 3161, section 3.4). Only a digest leaves the node."""

from collections.abc import Sequence

import httpx

from palermo.sealing.errors import SealingError
from palermo.sealing.timestamp import MAX_BYTES, REQUEST_MEDIA_TYPE, RESPONSE_MEDIA_TYPE, open_stamp, stamp_request

SECONDS = 15.0


class TimeStampingError(Exception):
    """No stamp that verifies; the message says what to do."""


def fetch(url: str, message: bytes, authorities: Sequence[bytes]) -> bytes:
    """A time stamp over a message, verified under certificates (DER) that the network's directory lists.

    Raises :class:`TimeStampingError`: no answer, an answer that is no stamp, or one of an authority not listed.
    """
    if not authorities:
        raise TimeStampingError("the directory lists no time-stamping authority: ask a founder to add its certificate")
    stamp = _post(url, stamp_request(message))
    try:
        open_stamp(stamp, message, authorities)
    except SealingError as error:
        raise TimeStampingError(f"{url} gave no stamp that verifies: {error}") from error
    return stamp


def _post(url: str, request: bytes) -> bytes:
    reply = b""
    try:
        with (
            httpx.Client(trust_env=False, timeout=SECONDS, follow_redirects=False) as client,
            client.stream("POST", url, content=request, headers={"Content-Type": REQUEST_MEDIA_TYPE}) as response,
        ):
            kind = response.headers.get("content-type", "").partition(";")[0].strip()
            if response.status_code != httpx.codes.OK or kind != RESPONSE_MEDIA_TYPE:
                raise TimeStampingError(f"{url} answered {response.status_code} ({kind[:60] or 'no type'})")
            for chunk in response.iter_bytes():
                reply += chunk
                if len(reply) > MAX_BYTES:
                    raise TimeStampingError(f"{url} sends more than the {MAX_BYTES} bytes that a stamp may have")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise TimeStampingError(
            f"{url} cannot be reached ({type(error).__name__}): check time_stamps in node.toml"
        ) from (error)
    return reply
