"""One value, one spelling: JSON in the canonical form of RFC 8785, for the values that our messages use.

Those are objects with text keys, lists, text, whole numbers below 2**53, booleans and null; floating point is refused,
so that two implementations cannot differ about it. :func:`decode` bounds size, depth and number of values before it
parses, refuses a key given twice, and re-encodes and compares: there is exactly one byte string for each value.
"""

import base64
import binascii
import json
import re
from typing import Any

from palermo.sealing.errors import FormatError

MAX_BYTES = 1 << 20
MAX_DEPTH = 16
MAX_INTEGER = 2**53
MAX_TOKENS = 1 << 21
"""How many strings, brackets and commas there may be: a million empty lists are few bytes and much memory."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

# A string, or one bracket or comma: what is needed to bound depth and number of values before parsing. Possessive, and
# a string may lack its end, so that each byte is looked at once whatever the input.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)


def encode(value: Any) -> bytes:
    """Write a value in canonical form: keys sorted, no white space, UTF-8. Raises FormatError for lone surrogates."""
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError as error:
        raise FormatError("JSON", "text holds a lone surrogate, which UTF-8 cannot carry") from error


def decode(data: bytes, part: str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Read one canonical JSON object. ``part`` names it in errors. Raises FormatError for anything else."""
    if len(data) > max_bytes:
        raise FormatError(part, f"{len(data)} bytes, more than the {max_bytes} allowed")
    _check_shape(data, part, max_depth)
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=lambda pairs: _object(pairs, part),
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_whole_number,
        )
    except (ValueError, RecursionError) as error:
        raise FormatError(part, f"not the JSON we write ({error})") from error
    if not isinstance(value, dict):
        raise FormatError(part, "not a JSON object")
    if encode(value) != data:
        raise FormatError(part, "not in canonical form: written again it gives other bytes")
    return value


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode()


def decode_base64(text: str, part: str) -> bytes:
    """Read standard base64; raises FormatError for other alphabets, white space, or unused bits that are not zero."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(part, "not base64") from error
    if encode_base64(data) != text:
        raise FormatError(part, "not canonical base64")
    return data


def _check_shape(data: bytes, part: str, max_depth: int) -> None:
    opened, others = data.count(b"[") + data.count(b"{"), sum(data.count(mark) for mark in (b"]", b"}", b",", b'"'))
    if opened <= max_depth and opened + others <= MAX_TOKENS:
        return  # so few marks, in strings or not, that neither bound can be passed
    depth = 0
    for count, token in enumerate(_TOKEN.finditer(data)):
        first = data[token.start()]
        depth += (first in b"[{") - (first in b"]}")
        if depth > max_depth:
            raise FormatError(part, f"nested deeper than {max_depth} levels")
        if count >= MAX_TOKENS:
            raise FormatError(part, "holds more values than any message of ours")


def _object(pairs: list[tuple[str, Any]], part: str) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise FormatError(part, "an object names a key twice")
    return value


def _refuse_number(text: str) -> Any:
    raise ValueError(f"the number {text[:20]} is not a whole number")


def _whole_number(text: str) -> int:
    value = int(text) if len(text) <= 17 else MAX_INTEGER
    if abs(value) >= MAX_INTEGER:
        raise ValueError("a number of 2**53 or more")
    return value
