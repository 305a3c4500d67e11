"""Custody: every step in the life of an item, signed by the officer who records it.

An officer has a custody key of their own, kept by the node. The authority says whose it is in a signed *certificate*:
officer, unit, from when, and, once the officer left, until when. A *step* states what was done, by whom, when and
where, both digests of the item then, and the digest of the step before it, so that none can be taken out or put in.

What such a signature proves: the authority's node signed this statement with a key that it uses only inside that
officer's session, opened with password and second factor. It does not prove that the officer's hand pressed the button.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from palermo.sealing import dsse, records
from palermo.sealing.errors import BindingError, FormatError, TrustError, UnknownKeyError
from palermo.sealing.keys import Signer, VerifyKey

STEP_TYPE = "application/vnd.palermo.custody-step.v1"
CERTIFICATE_TYPE = "application/vnd.palermo.officer-certificate.v1"


class Verb(StrEnum):
    """What may be done with an item of evidence."""

    COLLECTED = "collected"
    IMAGED = "imaged"
    SEALED = "sealed"
    TRANSFERRED = "transferred"
    RECEIVED = "received"
    OPENED = "opened"
    COPIED = "copied"
    RETURNED = "returned"
    DESTROYED = "destroyed"


_HELD = frozenset({Verb.IMAGED, Verb.SEALED, Verb.OPENED, Verb.COPIED, Verb.TRANSFERRED, Verb.RETURNED, Verb.DESTROYED})
"""What its holder may do with an item. Sealing and transferring leave the holder its own copy: both may come again."""

MOVES: Mapping[Verb | None, frozenset[Verb]] = {
    None: frozenset({Verb.COLLECTED}),
    Verb.COLLECTED: _HELD | {Verb.RECEIVED},
    Verb.IMAGED: _HELD | {Verb.RECEIVED},
    Verb.SEALED: _HELD | {Verb.RECEIVED},
    Verb.TRANSFERRED: _HELD | {Verb.RECEIVED},
    Verb.RECEIVED: _HELD,
    Verb.OPENED: _HELD,
    Verb.COPIED: _HELD,
    Verb.RETURNED: frozenset({Verb.RECEIVED, Verb.DESTROYED}),
    Verb.DESTROYED: frozenset(),
}
"""From the last step (None: there is none yet) to what may follow.

Collected comes first and once; nothing follows destruction; what was returned is received again before anything else;
and nothing is received twice, or after it was opened, unless it was handed over in between.
"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step as its officer signs it. ``by`` is who did it, ``officer`` who records and signs it: often the same.

    ``reference`` is the item's at ``authority``, ``package`` the package it was done for, ``previous`` the SHA-256 in
    hex of the signed step before this one ("" for the first). Times are UTC, by the node's clock.
    """

    verb: Verb
    by: str
    at: datetime
    sha256: str
    sha512: str
    authority: str
    officer: str
    recorded_at: datetime
    reference: str
    where: str = ""
    how: str = ""
    package: str = ""
    previous: str = ""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """An authority's word that a custody key belongs to an officer of a unit from a day on, and perhaps until one.

    ``machine`` marks the node's own key, for what it takes in while nobody is there. When an officer leaves, the
    authority issues the certificate again with ``not_after``; of two, the one issued later holds.
    """

    authority: str
    officer: str
    unit: str
    key: bytes
    not_before: datetime
    issued_at: datetime
    not_after: datetime | None = None
    machine: bool = False

    def __post_init__(self) -> None:
        """Refuse a certificate for nobody, and a period that ends before it begins."""
        if not self.officer or not self.authority:
            raise FormatError("officer certificate", "names no officer or no authority")
        if self.not_after is not None and self.not_after < self.not_before:
            raise FormatError("officer certificate", "ends before it begins")

    @property
    def verify_key(self) -> VerifyKey:
        """The officer's key. Raises FormatError for bytes that are none."""
        return VerifyKey.from_bytes(self.key)

    def covers(self, at: datetime) -> bool:
        """Whether the officer could sign at a time."""
        return self.not_before <= at and (self.not_after is None or at < self.not_after)

    def signer(self) -> str:
        """Who signs with it, in words."""
        who = self.officer if self.machine or not self.unit else f"{self.officer} ({self.unit})"
        return f"{who}, {self.authority}"


def sign_step(step: Step, key: Signer) -> bytes:
    """A step in its signed envelope. Raises FormatError for times without a zone."""
    return dsse.sign(STEP_TYPE, records.to_bytes(step), key)


def sign_certificate(certificate: Certificate, authority_key: Signer) -> bytes:
    """A certificate signed by the authority's own key."""
    return dsse.sign(CERTIFICATE_TYPE, records.to_bytes(certificate), authority_key)


def step_digest(signed: bytes) -> str:
    """What the next step names as its ``previous``: SHA-256 in hex of the signed step."""
    return hashlib.sha256(signed).hexdigest()


def claimed_step(signed: bytes) -> Step:
    """A step that was read, not verified: whose signature was verified before. Raises FormatError."""
    return records.from_bytes(Step, dsse.parse(signed, "custody step").payload, "custody step")


def claimed_certificate(signed: bytes) -> Certificate:
    """A certificate that was read, not verified: to learn whose keys to look up. Raises FormatError."""
    return records.from_bytes(Certificate, dsse.parse(signed, "officer certificate").payload, "officer certificate")


def open_certificate(signed: bytes, authority_keys: Iterable[VerifyKey]) -> Certificate:
    """Verify a certificate under the keys that its authority had when it was issued.

    Raises FormatError, UnknownKeyError, SignatureError.
    """
    part = "officer certificate"
    verified = dsse.verify(signed, dsse.by_id(*authority_keys), payload_type=CERTIFICATE_TYPE, part=part)
    return records.from_bytes(Certificate, verified.payload, part)


def newest_by_key(certificates: Iterable[Certificate]) -> dict[str, Certificate]:
    """Verified certificates by the id of the officer's key; of several for one key the one issued last."""
    newest: dict[str, Certificate] = {}
    for certificate in certificates:
        key_id = certificate.verify_key.key_id
        known = newest.get(key_id)
        if known is None or known.issued_at <= certificate.issued_at:
            newest[key_id] = certificate
    return newest


def open_step(signed: bytes, certificates: Mapping[str, Certificate], part: str = "custody step") -> Step:
    """Verify a step under the verified certificate of its officer, given by key id.

    Raises FormatError, SignatureError, UnknownKeyError (no certificate for that key), TrustError (the certificate is
    another officer's, or did not cover the day).
    """
    claimed = dsse.parse(signed, part)
    certificate = certificates.get(claimed.key_id)
    if certificate is None:
        raise UnknownKeyError(part, f"is signed by the key {claimed.key_id[:40]!r}, for which no certificate is here")
    verified = dsse.verify_parsed(claimed, dsse.by_id(certificate.verify_key), payload_type=STEP_TYPE, part=part)
    step = records.from_bytes(Step, verified.payload, part)
    if (step.authority, step.officer) != (certificate.authority, certificate.officer):
        raise TrustError(part, f"says {step.officer[:80]!r} recorded it, but the key is that of {certificate.signer()}")
    if not certificate.covers(step.recorded_at):
        raise TrustError(part, f"was signed when the certificate of {certificate.signer()} was not in force")
    return step


def check_chain(steps: Sequence[tuple[Step, bytes]], part: str = "custody") -> None:
    """See that steps of one item, oldest first, each with its signed bytes, follow from one another without a gap.

    Raises BindingError for a step that does not name the one before it, that was recorded before it was done or before
    the one before it, or that saw other bytes.
    """
    before: Step | None = None
    previous = ""
    for number, (step, signed) in enumerate(steps, start=1):
        where = f"{part}, step {number}"
        if step.previous != previous:
            raise BindingError(where, "does not follow from the one before it: a step was taken out, put in or moved")
        if step.recorded_at < step.at or (before is not None and step.recorded_at < before.recorded_at):
            raise BindingError(where, "was recorded before it was done, or before the step that it follows")
        if before is not None and (step.sha256, step.sha512) != (before.sha256, before.sha512):
            raise BindingError(where, "saw other bytes than the step before it")
        before, previous = step, step_digest(signed)


def check_moves(verbs: Iterable[str], part: str = "custody") -> None:
    """See that each step of an item may follow the one before it. Raises FormatError naming the first that may not."""
    last: Verb | None = None
    for number, verb in enumerate(verbs, start=1):
        if verb not in list(Verb):
            raise FormatError(f"{part}, step {number}", f"{verb[:40]!r} is none of {', '.join(Verb)}")
        if Verb(verb) not in MOVES[last]:
            raise FormatError(f"{part}, step {number}", f"{verb} cannot follow {last or 'nothing'}")
        last = Verb(verb)
