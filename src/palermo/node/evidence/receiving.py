"""What every message about evidence passes on arrival: parsed strictly, bounded, and about an item that is known."""

from datetime import datetime
from typing import TypeVar

from palermo.node.evidence.messages import (
    AnswerMessage,
    ConsultationMessage,
    NoticeMessage,
    QuestionMessage,
    RecallAnswerMessage,
    RecallMessage,
    StatementMessage,
)
from palermo.node.evidence.models import Item, Package
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.sealing.errors import FormatError

Message = TypeVar(
    "Message",
    AnswerMessage,
    ConsultationMessage,
    NoticeMessage,
    QuestionMessage,
    RecallAnswerMessage,
    RecallMessage,
    StatementMessage,
)


def parsed(kind: type[Message], message: Received) -> Message:
    """The message. Raises ``RefusedError`` for anything that is not exactly one."""
    try:
        return kind.from_bytes(message.payload)
    except FormatError as error:
        raise RefusedError(f"This message cannot be read ({error}). Update your node and send it again.") from error


def refuse_long(*texts: str, most: int) -> None:
    """Refuse texts that are longer than we keep."""
    if any(len(text) > most for text in texts):
        raise RefusedError(f"A text is longer than {most} characters. Shorten it.")


def refuse_empty(**texts: str) -> None:
    """Refuse a message that leaves out what has to be said."""
    missing = [name.replace("_", " ") for name, text in texts.items() if not text.strip()]
    if missing:
        raise RefusedError(f"Say {', '.join(missing)}: it is kept with the item.")


def new_reference(sender: str, kind: str, reference: str, known: bool) -> str:
    """The sender's reference for what it opens here: its own code first, and never twice."""
    number = reference.removeprefix(f"{sender}-{kind}-").replace("-", "")
    if not reference.startswith(f"{sender}-{kind}-") or not number.isdecimal() or len(reference) > 80:
        raise RefusedError(f"A reference of yours begins with {sender}-{kind}-, then year and number.")
    if known:
        raise RefusedError(f"{reference} was received before. Give each its own reference.")
    return reference


def given_to(partner: str, package: str, sha256: str) -> Item:
    """The item that we gave this partner in that package. One answer for every no: nothing else can be found out."""
    found = Package.objects.filter(reference=package, direction="out", partner=partner).first()
    item = found.items.filter(sha256=sha256).order_by("pk").first() if found else None
    if item is None:
        raise RefusedError("We gave you no such item in that package. Check package and digest.")
    return item


def given_by(partner: str, package: str, sha256: str) -> Item:
    """The item as it came here in that package of this partner."""
    found = Package.objects.filter(reference=package, direction="in", partner=partner).first()
    item = found.items.filter(sha256=sha256).order_by("pk").first() if found else None
    if item is None:
        raise RefusedError("You gave us no such item in that package. Check package and digest.")
    return item


def refuse_future(at: datetime, now: datetime, *, what: str) -> None:
    """Refuse a date that has passed where one ahead is meant."""
    if at <= now:
        raise RefusedError(f"{what} has passed. Give a date ahead.")
