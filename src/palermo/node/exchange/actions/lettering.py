"""Letters out: queued in the caller's transaction, sealed when they leave, gone from here when they are taken."""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.letters import DEFAULT_LIFE
from palermo.node.exchange.models import Peer, QueuedLetter
from palermo.sealing.letter import Letter, seal_letter


@transaction.atomic
def write_letter(
    *,
    recipient: str,
    kind: str,
    body: bytes,
    key: str,
    in_reply_to: str = "",
    not_after: datetime | None = None,
    now: datetime,
) -> str:
    """Queue a letter to a partner's machine, in the caller's transaction; returns its id.

    ``key`` (up to 128 characters) names what the letter is about: one of the same recipient, kind and key that was not
    taken yet is replaced. ``not_after``: 7 days from now if not given. A partner that does not speak version 2 yet gets
    it when the directory says that it does. Raises ``FormatError`` (a body over 8 MiB), ``UnknownAuthorityError``.
    """
    letter_id, not_after = uuid4().hex, not_after or now + DEFAULT_LIFE
    Letter(  # refuses here what could not be sealed later
        kind=kind,
        letter_id=letter_id,
        sender=directory.own_code(),
        recipient=directory.authority(recipient).code,
        recipient_key_id="later",
        created_at=now,
        not_after=not_after,
        body=body,
        in_reply_to=in_reply_to,
    )
    Peer.objects.get_or_create(code=recipient)
    written = {
        "letter_id": letter_id,
        "in_reply_to": in_reply_to,
        "body": body,
        "created_at": now,
        "not_after": not_after,
        "handed_at": None,
    }
    QueuedLetter.objects.update_or_create(recipient=recipient, kind=kind, key=key, defaults=written)
    return letter_id


def seal_queued(rows: Iterable[QueuedLetter], now: datetime) -> list[bytes]:
    """Seal queued letters to one partner, for post, relay or courier. Raises ``DirectoryError`` without a key."""
    letters, signing = list(rows), own_keys.signing_key()
    if not letters:
        return []
    public = directory.recipient_key(letters[0].recipient, now)
    return [
        seal_letter(
            Letter(
                kind=row.kind,
                letter_id=row.letter_id,
                sender=directory.own_code(),
                recipient=row.recipient,
                recipient_key_id=public.key_id,
                created_at=row.created_at,
                not_after=row.not_after,
                body=bytes(row.body),
                in_reply_to=row.in_reply_to,
            ),
            signing,
            public,
        )
        for row in letters
    ]


def drop_letters(letter_ids: Iterable[str]) -> None:
    """Letters that were taken, or never will be; one that was replaced meanwhile has another id, and stays."""
    QueuedLetter.objects.filter(letter_id__in=list(letter_ids)).delete()


def drop_old_letters(now: datetime) -> None:
    """Letters whose time has run out: what they said is said anew by whoever still has to say it."""
    QueuedLetter.objects.filter(not_after__lte=now).delete()
