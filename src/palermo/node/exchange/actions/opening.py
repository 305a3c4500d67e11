"""Retrieval: an officer opened what a message brought, and its sender is told so by letter."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import handlers
from palermo.node.exchange.actions.lettering import write_letter
from palermo.node.exchange.actions.stating import keep_statement
from palermo.node.exchange.handlers import RefusedError
from palermo.node.exchange.letters import Letter, LetterHandler
from palermo.node.exchange.models import Incoming
from palermo.node.exchange.states import Inbox
from palermo.node.exchange.wire import LONGEST_LIFE
from palermo.sealing.errors import BindingError, SealingError
from palermo.sealing.stage import Stage, StageReceipt, sign_stage, verify_stage

RETRIEVED = "exchange.retrieved+v1"


def opened(sender: str, message_id: str, *, now: datetime) -> bool:
    """Note that an officer opened a received message, and tell its sender, once; False if that was done before.

    Internal: the caller has decided access. Which officer it was stays here. A message for machines alone has no such
    step, and one that was rejected brought nothing to open.
    """
    unopened = Incoming.objects.filter(
        sender=sender, message_id=message_id, state=Inbox.ACCEPTED, opened_at__isnull=True
    ).values_list("digest", "payload_type")
    found = unopened.first()
    if found is None or not handlers.for_person(found[1]):
        return False
    with transaction.atomic():
        if not unopened.update(opened_at=now):
            return False  # another officer opened it at the same moment
        _tell(sender, message_id, found[0], now)
    return True


def _tell(sender: str, message_id: str, digest: str, now: datetime) -> None:
    own = directory.own_code()
    statement = StageReceipt(
        stage=Stage.RETRIEVED,
        message_id=message_id,
        envelope_digest=digest,
        sender=sender,
        recipient=own,
        issuer=own,
        at=now,
    )
    try:
        write_letter(
            recipient=sender,
            kind=RETRIEVED,
            body=sign_stage(statement, own_keys.signing_key()),
            key=message_id,
            in_reply_to=message_id,
            not_after=now + LONGEST_LIFE,
            now=now,
        )
    except directory.UnknownAuthorityError:
        return  # it left the network: nobody is there to be told


def receive_retrieved(letter: Letter, *, now: datetime) -> None:
    """Keep a recipient's signed word that an officer there opened a message of ours."""
    try:
        statement = verify_stage(letter.body, directory.verify_keys(letter.sender, now))
        if statement.stage is not Stage.RETRIEVED or statement.issuer != letter.sender:
            raise BindingError("stage", "is not the recipient's word that it opened a message")
        if (statement.sender, statement.recipient) != (directory.own_code(), letter.sender):
            raise BindingError("stage", "is about a message between others")
        keep_statement(statement, letter.body, now=now)
    except SealingError as error:
        raise RefusedError(f"This is no statement on a message of ours ({error}).") from error


LETTER_HANDLERS: Mapping[str, LetterHandler] = {RETRIEVED: receive_retrieved}
