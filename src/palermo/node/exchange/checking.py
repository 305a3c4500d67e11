"""Reading both boxes again: is every stored envelope, signed message and receipt still what was signed?

Each is held against its own signature and digest first, then against the row's columns, so that damage is named where
it is. Of a forgotten message the receipt and the ledger are left to hold the row against.
"""

from collections.abc import Generator, Iterator, Mapping

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import handlers
from palermo.node.exchange.models import Equivocation, Incoming, Outgoing
from palermo.node.exchange.stage_models import Refusal, Statement
from palermo.node.exchange.states import Inbox
from palermo.node.ledger import queries as ledger
from palermo.node.ledger.queries import Fault
from palermo.node.office import queries as office
from palermo.node.office.errors import NotFoundError
from palermo.sealing import dsse
from palermo.sealing.envelope import Header, Outer, envelope_digest, open_envelope, peek, verify_message
from palermo.sealing.errors import SealingError
from palermo.sealing.keys import RecipientKey, VerifyKey
from palermo.sealing.receipt import Receipt, verify_receipt
from palermo.sealing.stage import StageReceipt, verify_stage

_STATEMENTS = 100
_CHUNK = 1  # rows hold whole envelopes, up to 66 MiB each
_COLUMNS = (
    "message_id",
    "sequence",
    "payload_type",
    "case_reference",
    "purpose",
    "in_reply_to",
    "created_at",
    "not_after",
)


def check() -> list[Fault]:
    """Every stored envelope, signed message and receipt that does not fit; empty when all is whole."""
    return [*_outbox(), *_statements(), *_refusals(), *_inbox(), *_proofs()]


def _outbox() -> Iterator[Fault]:
    for row in Outgoing.objects.order_by("pk").iterator(_CHUNK):
        where = f"message {row.message_id} to {row.recipient}"
        outer = yield from _envelope(bytes(row.envelope), row.digest, where)
        if outer is not None and outer.recipient != row.recipient:
            yield Fault("envelope", where, f"is sealed for {outer.recipient}")
        if row.receipt is None:
            continue
        receipt = yield from _receipt(bytes(row.receipt), row.recipient, row.digest, where)
        if receipt is not None and (receipt.status, receipt.reason, receipt.ledger_index) != (
            row.state,
            row.reason,
            row.partner_index,
        ):
            yield Fault("receipt", where, "says another status, reason or ledger index than the row")


def _statements() -> Iterator[Fault]:
    """Signed stages, each against its signer's keys and its message."""
    rows = Statement.objects.select_related("message").defer("message__envelope", "message__receipt")
    for row in rows.order_by("pk").iterator(_STATEMENTS):
        where = f"{row.stage} of message {row.message.message_id} to {row.message.recipient}"
        said = yield from _stage(bytes(row.signed), row.issuer, where)
        columns = (row.stage, row.issuer, row.reason, row.stated_at, row.message.digest, row.message.recipient)
        if said is not None and columns != (
            said.stage,
            said.issuer,
            said.reason,
            said.at,
            said.envelope_digest,
            said.recipient,
        ):
            yield Fault("statement", where, "says something else than the row")


def _refusals() -> Iterator[Fault]:
    for row in Refusal.objects.order_by("pk").iterator(_STATEMENTS):
        where = f"refusal of message {row.message_id}"
        said = yield from _stage(bytes(row.signed), directory.own_code(), where)
        if said is not None and (said.message_id, said.recipient, said.reason, said.at) != (
            row.message_id,
            row.recipient,
            row.reason,
            row.refused_at,
        ):
            yield Fault("statement", where, "says something else than the row")


def _stage(signed: bytes, issuer: str, where: str) -> Generator[Fault, None, StageReceipt | None]:
    try:
        return verify_stage(signed, _keys(issuer))
    except SealingError as error:
        yield Fault("statement", where, str(error))
        return None


def _inbox() -> Iterator[Fault]:
    keys = own_keys.recipient_keys()
    for row in Incoming.objects.order_by("pk").iterator(_CHUNK):
        where = f"message {row.message_id} from {row.sender}"
        if row.signed is None or row.envelope is None:
            yield from _forgotten(row, where)
        else:
            header = yield from _kept(bytes(row.envelope), row.digest, bytes(row.signed), row.sender, keys, where)
            if header is not None:
                yield from _columns(row, header, where)
        receipt = yield from _receipt(bytes(row.receipt), directory.own_code(), row.digest, where)
        if receipt is not None and (receipt.status, receipt.reason, receipt.ledger_index) != (
            row.state,
            row.reason,
            row.ledger_index,
        ):
            yield Fault("receipt", where, "says another status, reason or ledger index than the row")


def _forgotten(row: Incoming, where: str) -> Iterator[Fault]:
    """A message without content: refused, of a type that is forgotten, or erased; its columns are as in the ledger."""
    erased = office.was_audited("message.erased", row.message_id)
    if row.state != Inbox.REJECTED and not handlers.forgets(row.payload_type) and not erased:
        yield Fault("signed message", where, f"is gone, though messages of type {row.payload_type} are kept")
    try:
        entered = {field.name: field.value for field in ledger.opened(row.ledger_index)}
    except (NotFoundError, ValueError, TypeError, SealingError):
        return  # the check of the ledger names what is wrong there
    expected = {
        "counterparty": row.sender,
        "message": row.message_id,
        "envelope": row.digest,
        "case": row.case_reference,
        "purpose": row.purpose,
        "in_reply_to": row.in_reply_to,
    }
    for name, value in expected.items():
        if entered.get(name) != value:
            yield Fault("message", where, f"its {name} is not what the ledger's entry {row.ledger_index} says")


def _proofs() -> Iterator[Fault]:
    keys = own_keys.recipient_keys()
    rows = Equivocation.objects.select_related("first").defer("first__envelope", "first__signed")
    for row in rows.order_by("pk").iterator(_CHUNK):
        where = f"second message under {row.first.message_id} from {row.first.sender}"
        yield from _kept(bytes(row.envelope), row.digest, bytes(row.signed), row.first.sender, keys, where)
        yield from _receipt(bytes(row.receipt), directory.own_code(), row.digest, where)


def _envelope(envelope: bytes, digest: str, where: str) -> Generator[Fault, None, Outer | None]:
    """An envelope against its digest; returns its clear part."""
    if envelope_digest(envelope) != digest:
        yield Fault("envelope", where, "does not hash to the digest that was recorded: changed after it was stored")
        return None
    try:
        return peek(envelope)
    except SealingError as error:
        yield Fault("envelope", where, str(error))
        return None


def _kept(
    envelope: bytes, digest: str, signed: bytes, sender: str, keys: Mapping[str, RecipientKey], where: str
) -> Generator[Fault, None, Header | None]:
    """A received envelope and what its sender signed; returns the signed header if the signature holds."""
    outer = yield from _envelope(envelope, digest, where)
    try:
        message = verify_message(signed, directory.verify_keys(sender))
    except SealingError as error:
        yield Fault("signed message", where, str(error))
        return None
    if message.header.sender != sender:
        yield Fault("signed message", where, f"was signed by {message.header.sender}")
    if outer is not None and outer.header_digest != message.header_digest:
        yield Fault("signed message", where, "belongs to another envelope")
    elif outer is not None and outer.recipient_key_id in keys:
        try:
            same = open_envelope(envelope, keys, directory.verify_keys).signed == signed
        except SealingError as error:
            yield Fault("envelope", where, str(error))
        else:
            if not same:
                yield Fault("signed message", where, "is not what lies in the envelope")
    return message.header


def _columns(row: Incoming, header: Header, where: str) -> Iterator[Fault]:
    for name in _COLUMNS:
        if getattr(row, name) != getattr(header, name):
            yield Fault("message", where, f"its column {name} is not what the sender signed")


def _receipt(data: bytes, signer: str, digest: str, where: str) -> Generator[Fault, None, Receipt | None]:
    """A receipt against its signer's keys and its envelope; returns it if the signature holds."""
    try:
        receipt = verify_receipt(data, dsse.by_id(*_keys(signer)))
    except SealingError as error:
        yield Fault("receipt", where, str(error))
        return None
    if receipt.envelope_digest != digest or receipt.recipient != signer:
        yield Fault("receipt", where, "is that of another message")
    return receipt


def _keys(signer: str) -> list[VerifyKey]:
    keys = directory.verify_keys(signer)
    return [*keys, own_keys.signing_key().public] if signer == directory.own_code() else keys
