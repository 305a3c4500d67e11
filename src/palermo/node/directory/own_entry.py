"""This authority's own entry, as it wants the founders to list it: what the directory says of it, with newer keys."""

from dataclasses import replace
from datetime import datetime, timedelta

from palermo.node.directory import own_keys, queries
from palermo.sealing import directory as sealed
from palermo.sealing.directory import AuthorityEntry, SigningKeyPeriod
from palermo.sealing.envelope import PROTOCOL_VERSION
from palermo.sealing.errors import TrustError

SIGNING_KEY_LIFETIME = timedelta(days=365 * 5)


def listed() -> AuthorityEntry | None:
    """This authority as the directory in force lists it; None before it does."""
    if not queries.directory_version():
        return None
    directory = sealed.open_directory(queries.directory_bytes(), queries.directory_root())
    try:
        return directory.entry(queries.own_code())
    except TrustError:
        return None


def with_keys(entry: AuthorityEntry, now: datetime) -> AuthorityEntry:
    """The entry with this node's keys: the identities with the periods that are listed, or the first from now on.

    The recipient keys are those that partners may still use, the newest of them made now where it is time.
    """
    own_keys.ensure(now)
    own_keys.renew(now)
    before = listed()
    identity = own_keys.signing_key()
    first = SigningKeyPeriod(identity.public.to_bytes(), now, now + SIGNING_KEY_LIFETIME)
    periods = before.signing_keys if before is not None else ()
    if identity.key_id not in {period.verify_key.key_id for period in periods}:
        periods = (*periods, first)
    return replace(
        entry,
        protocol=PROTOCOL_VERSION,
        log_origin=queries.own_log_origin(),
        signing_keys=periods,
        recipient_keys=tuple(signed for period, signed in own_keys.statements() if now < period.not_after),
        cosigner_key=own_keys.cosigner_key().public.to_bytes(),
    )


def with_next_key(entry: AuthorityEntry, start: datetime, overlap: timedelta) -> AuthorityEntry:
    """The entry with the prepared identity from ``start`` on, and the one in use until ``overlap`` after that.

    Raises ``DirectoryError`` where none was prepared.
    """
    prepared = own_keys.next_signing_key()
    if prepared is None:
        raise queries.DirectoryError("No next signing key was prepared: palermo directory rotate-key")
    in_use, new = own_keys.signing_key().key_id, prepared.public.to_bytes()
    kept = [
        replace(period, not_after=min(period.not_after, start + overlap))
        if period.verify_key.key_id == in_use
        else period
        for period in entry.signing_keys
        if period.key != new
    ]
    return replace(entry, signing_keys=(*kept, SigningKeyPeriod(new, start, start + SIGNING_KEY_LIFETIME)))
