"""How large files may be, how much of them a partner may send, and why so much.

A file is refused when it is offered, signed and with the reason, before any of it has come: nobody can fill the disk
with pieces, and nobody sends for a day what is refused at its end.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q, Sum

from palermo.node.exchange.files import store
from palermo.node.exchange.files.models import IncomingFile
from palermo.node.exchange.files.states import ARRIVING_OPEN
from palermo.node.exchange.handlers import RefusedError
from palermo.node.exchange.wire import CLOCK_SKEW
from palermo.sealing.file_offer import FEWEST_BYTES, MOST_SMALL_PIECES, sealed_at_most
from palermo.sealing.sealed_file import PIECE_BYTES

LIFE = timedelta(days=31)
"""How long a file may be on its way: as long as the longest message, so that a courier can go twice."""

LONGEST_LIFE = LIFE + CLOCK_SKEW

QUOTA_DAY = timedelta(days=1)

RESERVE_BYTES = 2**30
"""What files leave free on the disk: for the database, whose messages must never wait for a file."""

COPIES = 3
"""A file needs its own size three times while it is opened: in pieces, in clear, and as the originals within it."""


class Bound(NamedTuple):
    """A number of bytes or of files, and the reason for it."""

    most: int
    reason: str


LARGEST_FILE = Bound(256 * 2**30, "the image of a large disk; more is better carried as several")
PARTNER_BYTES = Bound(64 * 2**30, "six packages of ten gigabytes in a day: more than an office looks at")
PARTNER_FILES = Bound(20, "each takes a folder and up to a thousand small pieces")


def inline_bytes() -> int:
    """Up to which size a file travels within its message (``PALERMO_INLINE_BYTES``)."""
    return int(settings.PALERMO_INLINE_BYTES)


def piece_bytes(size: int) -> int:
    """How large the pieces of a file of ours are: as ``PALERMO_PIECE_BYTES`` says, as far as the partner takes them."""
    wanted = min(int(settings.PALERMO_PIECE_BYTES) or PIECE_BYTES, PIECE_BYTES)
    if wanted < FEWEST_BYTES:
        wanted = max(wanted, min(FEWEST_BYTES, -(-sealed_at_most(size) // MOST_SMALL_PIECES)))
    return wanted


def refuse_too_much(sender: str, size: int, now: datetime) -> None:
    """Raise ``RefusedError`` where a partner's file of this size has no room here. Call as its message is received."""
    if size > LARGEST_FILE.most:
        raise RefusedError(f"A file may have {LARGEST_FILE.most} bytes. Send it as several.")
    opened = Q(state__in=[state.value for state in ARRIVING_OPEN])
    counted = IncomingFile.objects.filter(opened | Q(created_at__gt=now - QUOTA_DAY), sender=sender)
    on_its_way = IncomingFile.objects.filter(opened, sender=sender).count()
    taken = counted.aggregate(size=Sum("size"))["size"] or 0
    if taken + size > PARTNER_BYTES.most or on_its_way >= PARTNER_FILES.most:
        raise RefusedError(
            f"We take files of {PARTNER_BYTES.most} bytes from a partner in one day, {PARTNER_FILES.most} at a time. "
            "Send this one tomorrow, or ask our contact point."
        )
    promised = IncomingFile.objects.filter(opened).aggregate(size=Sum("size"))["size"] or 0
    if COPIES * (promised + size) + RESERVE_BYTES > store.free_bytes():
        raise RefusedError(
            "There is no room for a file of this size here now. Ask our contact point to make some, then send it again."
        )
