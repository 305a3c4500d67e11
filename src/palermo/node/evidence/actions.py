"""Writes of evidence. Each is one transaction; the time is passed in."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from palermo.node.evidence.rows import ConsentRow, ItemRow, PackageRow
from palermo.node.office.policy import Actor


def add_item(
    officer: Actor,
    *,
    case: str,
    content: bytes | Path,
    name: str,
    media_type: str,
    what: str,
    collected_by: str,
    how: str,
    collected_at: datetime,
    where: str,
    tlp: str = "amber",
    handling_code: str = "H1",
    source_grade: str = "A",
    information_grade: str = "1",
    use_limit: str = "",
    origin: str = "own",
    now: datetime,
) -> ItemRow:
    """Keep an item: its bytes under their SHA-256, its collection, its marks, and the first custody event."""
    raise NotImplementedError


def seal_package(
    officer: Actor, *, case: str, items: Sequence[str], recipient: str, request_reference: str, now: datetime
) -> PackageRow:
    """Seal items (by reference) for one partner's request into a package that verifies offline."""
    raise NotImplementedError


def record_consent(officer: Actor, *, item: str, case: str, given_by: str, statement: str, now: datetime) -> ConsentRow:
    """Record the provider's consent to use a received item in another case (UNTOC Art. 18(19))."""
    raise NotImplementedError


def use_in_case(officer: Actor, *, item: str, case: str, now: datetime) -> ItemRow:
    """Add a received item to another case; refused without the provider's recorded consent."""
    raise NotImplementedError
