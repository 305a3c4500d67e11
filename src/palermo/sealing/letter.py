"""The letter: a small sealed and signed note between two nodes' machines, such as a receipt or a cosignature.

It is sealed like a message (:mod:`palermo.sealing.parcel`), so that nobody on the way can tell them apart, but has no
number and no place in a ledger: it discloses nothing that the other side does not hold. Taking a letter twice, or late,
or after a newer one, must do no harm: its handler sees to that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from palermo.sealing import dsse, parcel, records
from palermo.sealing.directory import CODE, CODE_RULE
from palermo.sealing.errors import BindingError, FormatError
from palermo.sealing.keys import RecipientKey, RecipientPublicKey, Signer, VerifyKey
from palermo.sealing.parcel import Unsealed

LETTER_TYPE = "application/vnd.palermo.letter.v1"
LETTER_VERSION = 2
MAX_BODY_BYTES = 8 << 20


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is signed. ``kind`` says who acts on ``body``; ``letter_id`` is random. FormatError for values outside."""

    kind: str
    letter_id: str
    sender: str
    recipient: str
    recipient_key_id: str
    created_at: datetime
    not_after: datetime
    body: bytes = b""
    in_reply_to: str = ""

    def __post_init__(self) -> None:
        """Refuse what no node may send."""
        for name in ("sender", "recipient"):
            if not CODE.fullmatch(getattr(self, name)):
                raise FormatError(f"letter.{name}", CODE_RULE)
        for name in ("letter_id", "recipient_key_id"):
            if not parcel.ID.fullmatch(getattr(self, name)):
                raise FormatError(f"letter.{name}", "not 1 to 64 letters, digits, dots, dashes or underscores")
        if not parcel.TYPE.fullmatch(self.kind):
            raise FormatError("letter.kind", "not 1 to 128 letters, digits, dots, dashes, pluses or slashes")
        if len(self.body) > MAX_BODY_BYTES or len(self.in_reply_to) > 64:
            raise FormatError("letter", f"a body over {MAX_BODY_BYTES} bytes, or a reference over 64")
        if self.created_at.tzinfo is None or self.not_after.tzinfo is None or self.not_after <= self.created_at:
            raise FormatError("letter.not_after", "must lie after created_at, both with a time zone")


def seal_letter(letter: Letter, signing_key: Signer, key: RecipientPublicKey) -> bytes:
    """Sign a letter and encrypt it to its recipient. Raises BindingError when it names another key than ``key``."""
    if letter.recipient_key_id != key.key_id:
        raise BindingError("letter", "names another recipient key than the one it is sealed with")
    head = records.to_bytes(replace(letter, body=b""))
    return parcel.seal(
        LETTER_VERSION, letter.recipient, key, signing_key, payload_type=LETTER_TYPE, head=head, body=letter.body
    )


def open_letter(
    data: bytes, recipient_keys: Mapping[str, RecipientKey], verify_keys: Callable[[str], Sequence[VerifyKey]]
) -> Letter:
    """Open and verify a letter, with the errors of :func:`palermo.sealing.envelope.open_envelope`."""
    return read_letter(parcel.unseal(data, recipient_keys), verify_keys)


def read_letter(unsealed: Unsealed, verify_keys: Callable[[str], Sequence[VerifyKey]]) -> Letter:
    """The rest of :func:`open_letter`, for a parcel that is unsealed already."""
    outer = unsealed.outer
    head = records.from_bytes(Letter, unsealed.head, "letter")
    if head.body or outer.version < LETTER_VERSION:
        raise FormatError("letter", "its body lies beside its head, in version 2 and later")
    if (head.recipient, head.recipient_key_id) != (outer.recipient, outer.recipient_key_id):
        raise BindingError("letter", "recipient or key differ between the signed letter and the clear part")
    keys = dsse.by_id(*verify_keys(head.sender))
    dsse.verify_parsed(unsealed.parsed, keys, payload_type=LETTER_TYPE, part=f"letter from {head.sender}")
    return replace(head, body=unsealed.body)
