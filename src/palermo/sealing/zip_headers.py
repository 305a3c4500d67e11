"""The headers of our ZIP files: for given names, sizes and places there is exactly one way to write each.

What 32 bits hold stands in the fields that every ZIP has. A size, or a place, of 4 GiB - 1 bytes or more stands in a
ZIP64 extra field, and its own field says so by holding nothing but ones; a table of contents that begins as far behind
is found by a ZIP64 end record. So a package below 4 GiB has the same bytes as ever, and any unzip tool opens the rest.

Source: PKWARE APPNOTE 6.3, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14 to 4.3.16 (its ends),
4.4.3 (versions) and 4.5.3 (the ZIP64 extra field).
"""

import stat
import struct
from collections.abc import Mapping
from typing import NamedTuple

FIELD_IS_ELSEWHERE = 0xFFFFFFFF
LARGEST_FIELD = 0xFFFFFFFE
"""The largest number that stands in a field of 32 bits; from the next on it stands in the ZIP64 extra field."""

LOCAL = struct.Struct("<IHHHHHIIIHH")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
END = struct.Struct("<IHHHHIIH")
_END_64 = struct.Struct("<IQHHIIQQQQ")
_LOCATOR_64 = struct.Struct("<IIQI")
_VERSION, _VERSION_64, _UNIX, _DOS_DATE = 20, 45, 3 << 8, 0x21  # 1980-01-01, the first day that ZIP knows
_MODE = (stat.S_IFREG | 0o644) << 16
_EXTRA_64 = 0x0001
SIZES_64 = struct.Struct("<HHQQ")
"""The extra field of a local header: its id and length, then the size twice, for what is stored is not compressed."""


class Extent(NamedTuple):
    """Where a file lies in a ZIP, in bytes."""

    header_at: int
    data_at: int
    size: int
    crc: int


def local_header(name: str, size: int, crc: int) -> bytes:
    """What stands before a file's bytes."""
    raw = name.encode("ascii", "replace")
    field, extra = size, b""
    if size > LARGEST_FIELD:  # here both sizes, always (4.5.3)
        field, extra = FIELD_IS_ELSEWHERE, SIZES_64.pack(_EXTRA_64, 16, size, size)
    version = _VERSION_64 if extra else _VERSION
    return LOCAL.pack(0x04034B50, version, 0, 0, 0, _DOS_DATE, crc, field, field, len(raw), len(extra)) + raw + extra


def tail(extents: Mapping[str, Extent], at: int) -> bytes:
    """Table of contents and its end, for files that end at byte ``at``."""
    directory = b"".join(_central_header(name, extent) for name, extent in extents.items())
    count = len(extents)
    if at <= LARGEST_FIELD:
        return directory + END.pack(0x06054B50, 0, 0, count, count, len(directory), at, 0)
    end_64 = _END_64.pack(
        0x06064B50, _END_64.size - 12, _UNIX | _VERSION_64, _VERSION_64, 0, 0, count, count, len(directory), at
    )
    locator = _LOCATOR_64.pack(0x07064B50, 0, at + len(directory), 1)
    end = END.pack(0x06054B50, 0, 0, count, count, len(directory), FIELD_IS_ELSEWHERE, 0)
    return directory + end_64 + locator + end


def _central_header(name: str, extent: Extent) -> bytes:
    raw = name.encode("ascii", "replace")
    size, at, wide = extent.size, extent.header_at, []
    if size > LARGEST_FIELD:
        size, wide = FIELD_IS_ELSEWHERE, [extent.size, extent.size]
    if at > LARGEST_FIELD:
        at, wide = FIELD_IS_ELSEWHERE, [*wide, extent.header_at]
    extra = struct.pack(f"<HH{len(wide)}Q", _EXTRA_64, 8 * len(wide), *wide) if wide else b""
    version = _VERSION_64 if wide else _VERSION
    fixed = (0x02014B50, _UNIX | version, version, 0, 0, 0, _DOS_DATE, extent.crc, size, size)
    return _CENTRAL.pack(*fixed, len(raw), len(extra), 0, 0, 0, _MODE, at) + raw + extra
