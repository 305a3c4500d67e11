"""The targets, by name. Each takes any bytes and returns; what it raises is a fault that was found."""

import io
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fuzzing import seeds
from fuzzing.reading import record, refused_or, same, signed
from palermo.sealing import batch, canonical, courier, dsse, parcel, records, ticket
from palermo.sealing.archive import open_tree, write_zip
from palermo.sealing.bagit import read_bag
from palermo.sealing.checkpoint import parse_checkpoint
from palermo.sealing.cosignature import verify_cosignature
from palermo.sealing.directory import Directory, RecipientKeyPeriod, open_directory
from palermo.sealing.envelope import Header, open_envelope, verify_message
from palermo.sealing.errors import SealingError
from palermo.sealing.letter import Letter, open_letter
from palermo.sealing.receipt import Receipt, parse_receipt
from palermo.sealing.stage import StageReceipt, parse_stage
from palermo.sealing.trust_root import TrustRoot, read_trust
from palermo.sealing.verify import verify_package


@dataclass(frozen=True)
class Target:
    """``read`` takes any bytes; ``seeds`` are bytes that it accepts."""

    read: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


TARGETS: dict[str, Target] = {}


def target(valid: Callable[[], list[bytes]]) -> Callable[[Callable[[bytes], None]], Callable[[bytes], None]]:
    """Register a reader under its name."""

    def register(read: Callable[[bytes], None]) -> Callable[[bytes], None]:
        TARGETS[read.__name__] = Target(read, valid)
        return read

    return register


def _parcel(data: bytes) -> None:
    with suppress(SealingError):
        outer = parcel.peek(data)
        clear = parcel._Clear(outer.recipient, outer.recipient_key_id, outer.suite, outer.header_digest)
        same(b"palermo-envelope/%d\n%b\n%b" % (outer.version, records.to_bytes(clear), outer.ciphertext), data)


def _within(cls: type[Header] | type[Letter], data: bytes) -> None:
    """What lies inside a parcel's encryption: a partner may put anything there."""
    record(cls, data)
    with suppress(SealingError):
        head, body = parcel.split(dsse.parse(data, "message").payload)
        same(parcel.join(head, body), dsse.parse(data, "message").payload)
        record(cls, head)


@target(lambda: [*seeds.envelopes(), *seeds.within(seeds.envelopes()[1:])])
def envelope(data: bytes) -> None:
    """A message: sealed, and as it lies within."""
    _parcel(data)
    _within(Header, data)
    keys = {seeds.recipient_key().key_id: seeds.recipient_key()}
    refused_or(lambda: open_envelope(data, keys, lambda _: [seeds.signing_key().public]))
    refused_or(lambda: verify_message(data, [seeds.signing_key().public]))


@target(lambda: [*seeds.letters(), *seeds.within(seeds.letters())])
def letter(data: bytes) -> None:
    """A letter: sealed, and as it lies within."""
    _parcel(data)
    _within(Letter, data)
    keys = {seeds.recipient_key().key_id: seeds.recipient_key()}
    refused_or(lambda: open_letter(data, keys, lambda _: [seeds.signing_key().public]))


@target(seeds.receipts)
def receipt(data: bytes) -> None:
    """A receipt."""
    signed(Receipt, data)
    refused_or(lambda: parse_receipt(data))


@target(seeds.stages)
def stage(data: bytes) -> None:
    """A statement of a stage."""
    signed(StageReceipt, data)
    refused_or(lambda: parse_stage(data))


@target(seeds.tickets)
def relay(data: bytes) -> None:
    """What members and relays tell each other."""
    signed(ticket.Ticket, data)
    signed(ticket.Collection, data)
    record(ticket.Index, data)


@target(lambda: [seeds.vector("directory.dsse"), seeds.bare(seeds.vector("directory.dsse")), _recipient_key()])
def directory(data: bytes) -> None:
    """A directory, and the statement of a key that it holds."""
    signed(Directory, data)
    signed(RecipientKeyPeriod, data)
    refused_or(lambda: open_directory(data, TrustRoot.from_bytes(seeds.vector("trust-root.json"))))


def _recipient_key() -> bytes:
    return seeds.bare(seeds.vector("recipient-key.dsse"))


@target(lambda: [seeds.vector("trust-root.json")])
def trust_root(data: bytes) -> None:
    """A trust root, or a chain of them."""
    if (root := refused_or(lambda: TrustRoot.from_bytes(data))) is not None:
        same(root.to_bytes(), data)
    refused_or(lambda: read_trust(data))


@target(seeds.checkpoints)
def checkpoint(data: bytes) -> None:
    """A checkpoint, with or without a witness's lines."""
    text = data.decode("utf-8", "replace")
    found = refused_or(lambda: parse_checkpoint(text))
    if found is not None:
        same(found.text.encode(), text.encode())
    head, blank, lines = text.partition("\n\n")
    named = "".join(lines.splitlines(keepends=True)[2:])
    signed_text = head + blank + "".join(lines.splitlines(keepends=True)[:2])
    refused_or(lambda: verify_cosignature(signed_text, named, "palermo/CC-POL", seeds.cosigner_key().public))


@target(seeds.courier_files)
def courier_file(data: bytes) -> None:
    """A courier's file, read to its end."""
    record(courier.Manifest, data)
    opened = refused_or(lambda: courier.open_stream(io.BytesIO(data), lambda _: [seeds.signing_key().public]))
    if opened is not None:
        assert sum(len(part.content or b"") for part in opened.parts()) <= len(data)


@target(seeds.batches)
def parcels(data: bytes) -> None:
    """A batch of parcels, or of answers."""
    if (items := refused_or(lambda: batch.unpack(data))) is not None:
        same(batch.pack(items), data)


@target(lambda: [seeds.bare(seeds.vector("directory.dsse")), b'{"a":[1,"\\u00fc",null,true,{"b":-1}]}'])
def canonical_json(data: bytes) -> None:
    """The JSON beneath all of it."""
    if (value := refused_or(lambda: canonical.decode(data, "fuzz"))) is not None:
        same(canonical.encode(value), data)


@target(lambda: [seeds.vector("package.palermo.zip")])
def bag(data: bytes) -> None:
    """A package: a bag in a ZIP; every check of it ends in a verdict."""
    with tempfile.TemporaryDirectory(prefix="palermo-fuzz-") as folder:
        path = Path(folder) / "package.palermo.zip"
        path.write_bytes(data)
        with suppress(SealingError):
            tree = open_tree(path)
            try:
                files = {name: b"".join(tree.chunks(name)) for name in tree.names}
                again = io.BytesIO()
                write_zip(again, tree.base, files)
                same(again.getvalue(), data)
                read_bag(tree)
            finally:
                tree.close()
        verify_package(path, TrustRoot.from_bytes(seeds.vector("trust-root.json")), seeds.AT)
