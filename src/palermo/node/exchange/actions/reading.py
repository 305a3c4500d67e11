"""Reading: a parcel is hostile until it opened and its sender is proven; nothing is written here."""

from dataclasses import dataclass
from datetime import datetime

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.wire import unstorable
from palermo.node.office.errors import NodeError
from palermo.sealing.envelope import Header, envelope_digest, open_message
from palermo.sealing.errors import FormatError, SealingError
from palermo.sealing.keys import VerifyKey
from palermo.sealing.letter import LETTER_TYPE, Letter, read_letter
from palermo.sealing.parcel import Unsealed, VersionError, peek, unseal


class UnreadableError(NodeError):
    """The bytes are no envelope at all: there is nothing to sign a receipt about."""

    status = 400


class UnprovenError(Exception):
    """An envelope that cannot be proven to come from a partner. ``reason``: what the sender can do about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that opened and verified, with the bytes to keep."""

    header: Header
    payload: bytes
    digest: str
    envelope: bytes
    signed: bytes


class Reader:
    """Opens parcels and proves their senders, before any transaction; looks each key up once."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._own = directory.own_code()
        self._opening = own_keys.recipient_keys()
        self._proving: dict[str, list[VerifyKey]] = {}

    def read(self, parcel: bytes) -> Arrival | Letter:
        """What is in a parcel.

        Raises :class:`UnreadableError` for what is no parcel, :class:`UnprovenError` for one that is not a partner's.
        """
        try:
            return self._proven(self._unseal(parcel), parcel)
        except directory.UnknownAuthorityError as error:
            version = directory.directory_version()
            raise UnprovenError(
                f"The directory in force here, version {version}, lists no authority {error.code[:64]!r}. "
                "Ask the founders to list you, and this authority to import that directory."
            ) from error
        except SealingError as error:
            raise UnprovenError(f"The envelope does not verify ({error}). Seal it again and send it.") from error

    def _unseal(self, parcel: bytes) -> Unsealed:
        try:
            outer = peek(parcel)
        except VersionError as error:
            raise UnprovenError(f"The envelope {error.message}. Seal it in one of these and send it again.") from error
        except FormatError as error:
            raise UnreadableError(f"This is not an envelope ({error}). Send the sealed bytes as they are.") from error
        if outer.recipient != self._own:
            raise UnprovenError(
                f"This node is {self._own}, the envelope is for {outer.recipient}: check the address you post to."
            )
        if outer.recipient_key_id not in self._opening:
            raise UnprovenError(
                "The key that this was sealed to has ended. Import the newest directory and send again."
            )
        return unseal(parcel, self._opening, outer)

    def _proven(self, unsealed: Unsealed, parcel: bytes) -> Arrival | Letter:
        if unsealed.parsed.payload_type == LETTER_TYPE:
            return read_letter(unsealed, self._keys_of)
        opened = open_message(unsealed, envelope_digest(parcel), self._keys_of)
        header = opened.header
        fault = unstorable(case_reference=header.case_reference, purpose=header.purpose, in_reply_to=header.in_reply_to)
        if fault:
            raise UnprovenError(fault)
        return Arrival(header, opened.payload, opened.digest, parcel, opened.signed)

    def _keys_of(self, sender: str) -> list[VerifyKey]:
        if sender not in self._proving:
            self._proving[sender] = directory.verify_keys(directory.authority(sender).code, self._now)
        return self._proving[sender]
