"""Recipient keys live 30 days at most: a new one is made in time and told to the partners, who need no new directory.

The statement is signed by the authority's identity, which the directory vouches for. Private keys are destroyed when
no message that was sealed in time can still be on its way.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime

from django.conf import settings

from palermo.node.directory import actions as directory_actions
from palermo.node.directory import currency, own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import queries
from palermo.node.exchange.actions import send
from palermo.node.exchange.actions.forgetting import empty_journal
from palermo.node.exchange.handlers import Effect, Received, RefusedError
from palermo.node.office import actions as office
from palermo.node.office.policy import Role
from palermo.sealing.errors import SealingError
from palermo.sealing.records import format_time

PAYLOAD_TYPE = "palermo/directory.recipient-key+v1"


def renew_keys(now: datetime) -> int:
    """Make a new recipient key when it is time, offer it, and destroy those that have ended; how many were told.

    A partner without a key in force cannot be told: it is told as soon as it has one.
    """
    if directory.directory_version() == 0:
        return 0
    if own_keys.change_over(now):
        office.audit(None, "signing_key.used", own_keys.signing_key().key_id, now=now)
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


def watch_directory(now: datetime) -> bool:
    """Tell the administrators, once for each version, that the directory ends soon; whether it does."""
    standing = currency.standing(now)
    for version in currency.replaced_versions():
        office.finish_task(f"directory.ending:{version}", now=now)
    if standing.currency not in (currency.Currency.ENDING, currency.Currency.EXPIRED) or standing.expires_at is None:
        return False
    office.add_task(
        key=f"directory.ending:{standing.version}",
        title=f"Version {standing.version} of the directory ends at {format_time(standing.expires_at)}. "
        "Get the newest one from a founder: nothing new is sent after that.",
        link="/partners/",
        role=Role.ADMINISTRATOR,
        due_at=standing.expires_at,
        now=now,
    )
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
    "directory.watch": watch_directory,
    "exchange.empty_journal": empty_journal,
}
