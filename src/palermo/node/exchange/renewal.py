"""Recipient keys live 30 days at most: a new one is made in time and told to the partners, who need no new directory.

The statement is signed by the authority's identity, which the directory vouches for. Private keys are destroyed when
no message that was sealed in time can still be on its way.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime

from django.conf import settings

from palermo.node.directory import actions as directory_actions
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import queries
from palermo.node.exchange.actions import send
from palermo.node.exchange.actions.forgetting import empty_journal
from palermo.node.exchange.handlers import Effect, Received, RefusedError
from palermo.node.office import actions as office
from palermo.sealing.errors import SealingError

PAYLOAD_TYPE = "palermo/directory.recipient-key+v1"


def renew_keys(now: datetime) -> int:
    """Make a new recipient key when it is time, offer it, and destroy those that have ended; how many were told.

    A partner without a key in force cannot be told: it is told as soon as it has one.
    """
    if directory.directory_version() == 0:
        return 0
    own_keys.renew(now)
    for key_id in own_keys.destroy_expired(now):
        office.audit(None, "recipient_key.destroyed", key_id, now=now)
    newest, signed = max(own_keys.statements(), key=lambda statement: statement[0].not_before)
    own = {key.key_id for key in directory.keys(directory.own_code()) if key.purpose == "recipient"}
    if own == {newest.recipient_key.key_id}:
        return 0  # the first key came to the partners with the directory
    directory_actions.take_recipient_key(directory.own_code(), signed, now=now)
    told = [_offer(partner.code, newest.recipient_key.key_id, signed, now) for partner in directory.partners()]
    return sum(told)


def _offer(partner: str, key_id: str, signed: bytes, now: datetime) -> bool:
    # Derived, so that a second offer is the same message; secret, since an id must not be guessable.
    secret = settings.SECRET_KEY.encode()
    message_id = hmac.new(secret, f"recipient key {key_id} {partner}".encode(), "sha256").hexdigest()[:32]
    if queries.was_sent(message_id):
        return False
    try:
        send(
            recipient=partner,
            payload_type=PAYLOAD_TYPE,
            payload=signed,
            case_reference="",
            purpose="Renewal of our recipient key",
            message_id=message_id,
            now=now,
        )
    except directory.DirectoryError:
        return False
    return True


def receive_key(message: Received, *, now: datetime) -> None:
    """Take a partner's new recipient key, signed by its identity."""
    try:
        directory_actions.take_recipient_key(message.sender, message.payload, now=now)
    except SealingError as error:
        raise RefusedError(
            f"The recipient key cannot be taken: {error}. Make a new one and send its statement."
        ) from error


EXCHANGE_HANDLERS: Mapping[str, Effect] = {PAYLOAD_TYPE: receive_key}
PERIODIC: Mapping[str, Callable[[datetime], object]] = {
    "exchange.renew_keys": renew_keys,
    "exchange.empty_journal": empty_journal,
}
