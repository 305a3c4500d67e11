"""A partner's file: whatever order its pieces come in, it takes effect once, or is refused with a reason."""

import hashlib
import os
import random
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palermo.node.exchange import actions, handlers
from palermo.node.exchange.files import arriving, limits, opening, store, working
from palermo.node.exchange.files.models import IncomingFile
from palermo.node.exchange.handlers import RefusedError
from palermo.node.exchange.models import QueuedLetter
from palermo.node.office.errors import ConflictError, InvalidError, NotFoundError
from palermo.sealing import age, dsse, records, sealed_file
from palermo.sealing.file_offer import (
    FileOffer,
    FileStatus,
    Lacking,
    PieceList,
    piece_letter,
    read_ranges,
    verify_file_receipt,
)
from palermo.sealing.letter import Letter

KIND = "palermo/test.file+v1"
PIECE = 1000


@dataclass
class Files:
    """The handler of test messages that offer a file, and the partner's side of one such file."""

    network: object
    partner: object
    folder: Path
    effects: list = field(default_factory=list)
    examine_raises: Exception | None = None
    take_raises: Exception | None = None

    def effect(self, message, *, now) -> None:
        arriving.accept(records.from_bytes(FileOffer, message.payload, "offer"), message, subject="test", now=now)

    def examine(self, message, file, *, now) -> str:
        if self.examine_raises:
            raise self.examine_raises
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def take(self, message, file, examined, *, now) -> None:
        if self.take_raises:
            raise self.take_raises
        self.effects.append((message.message_id, examined))

    def offer(self, data: bytes, *, number: int = 1, **changes) -> FileOffer:
        """Seal ``data`` at the partner's, and hand in the message that offers it."""
        plain = self.folder / f"plain-{number}"
        plain.write_bytes(data)
        identity = age.new_identity()
        sealed = sealed_file.seal_file(plain, self.folder / f"sealed-{number}", identity=identity, piece_bytes=PIECE)
        values = {
            "file_id": f"{number:032x}",
            "size": len(data),
            "sha256": sealed.contents.sha256,
            "identity": identity,
            "not_after": self.network.now + timedelta(days=31),
        }
        offer = FileOffer(**{**values, **changes})
        self.pieces = [
            (self.folder / f"sealed-{number}").read_bytes()[at : at + PIECE]
            for at in range(0, sealed.sealed_size, PIECE)
        ]
        self.list = PieceList(
            file_id=offer.file_id,
            size=len(data),
            sha256=sealed.contents.sha256,
            sha512=sealed.contents.sha512,
            sealed_size=sealed.sealed_size,
            piece_bytes=PIECE,
            pieces=sealed.pieces,
        )
        self.message_id = f"file-{number}"
        envelope = self.partner.envelope(records.to_bytes(offer), payload_type=KIND, message_id=self.message_id)
        self.receipt = self.partner.read(actions.receive(envelope, now=self.network.now))
        return offer

    def letter(self, body: bytes, *, sender: str = "BB-POL", in_reply_to: str = "") -> Letter:
        return Letter(
            kind="any",
            letter_id=os.urandom(8).hex(),
            sender=sender,
            recipient="AA-POL",
            recipient_key_id="key",
            created_at=self.network.now,
            not_after=self.network.now + timedelta(days=7),
            body=body,
            in_reply_to=in_reply_to,
        )

    def take_list(self, **changes) -> None:
        arriving.take_list(self.letter(self.list.to_bytes(), **changes), now=self.network.now)

    def said(self, kind: str) -> bytes:
        return bytes(QueuedLetter.objects.get(kind=kind).body)

    def statement(self):
        return verify_file_receipt(self.said(arriving.RECEIPT_KIND), dsse.by_id(self.partner.own_verify))


@pytest.fixture
def files(network, partner, monkeypatch, tmp_path) -> Files:
    monkeypatch.setattr(handlers, "_handlers", {})
    made = Files(network, partner, tmp_path)
    handlers.register(KIND, handlers.Handler(made.effect, file=made))
    return made


DATA = random.Random(3).randbytes(7_345)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["piece", "again", "forged", "cut", "long", "none", "letter", "list"]), st.integers(0, 99)
    ),
    max_size=12,
)


def act(files: Files, file_id: str, verb: str, number: int) -> None:
    number %= len(files.pieces)
    piece = files.pieces[number]
    forged = bytes([piece[0] ^ 1]) + piece[1:]
    if verb == "piece":
        arriving.take_piece(file_id, number, [piece[:7], piece[7:]])
    elif verb == "again":
        arriving.take_piece(file_id, number, [piece])
        arriving.take_piece(file_id, number, iter([]))  # it is here: the body is not even read
    elif verb == "letter":
        arriving.take_piece_letter(files.letter(piece_letter(file_id, number, piece)), now=files.network.now)
    elif verb == "list":
        files.take_list()
    elif verb == "none":
        with pytest.raises(NotFoundError):
            arriving.take_piece(file_id, len(files.pieces), [piece])
    elif not store.has_piece(file_id, number):
        wrong = {"forged": forged, "cut": piece[:-1], "long": piece + b"x"}[verb]
        with pytest.raises(InvalidError):
            arriving.take_piece(file_id, number, [wrong])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, rest=st.randoms(use_true_random=False))
def test_any_order_with_duplicates_and_forgeries_gives_the_file_once(files, acts, rest):
    number = IncomingFile.objects.count() + 1
    offer = files.offer(DATA, number=number)
    files.take_list()
    before = len(files.effects)
    for verb, at in acts:
        if IncomingFile.objects.get(file_id=offer.file_id).state != "arriving":
            break
        act(files, offer.file_id, verb, at)
    lacking = read_ranges(arriving.state_of(offer.file_id).lacking)
    assert set(lacking) == set(range(len(files.pieces))) - store.pieces_here(offer.file_id)
    rest.shuffle(lacking)
    for at in lacking:
        arriving.take_piece(offer.file_id, at, [files.pieces[at]])
    assert working.work_one(files.network.now) == 1
    assert working.work_one(files.network.now) == 0
    assert files.effects[before:] == [(files.message_id, hashlib.sha256(DATA).hexdigest())]
    row = IncomingFile.objects.get(file_id=offer.file_id)
    assert (row.state, row.identity, bytes(row.payload)) == ("taken", "", b"")


def whole(files: Files, data: bytes = DATA) -> FileOffer:
    offer = files.offer(data)
    files.take_list()
    for number, piece in enumerate(files.pieces):
        arriving.take_piece(offer.file_id, number, [piece])
    return offer


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 65_537])
def test_the_receipt_is_signed_with_the_effect(files, size, django_capture_on_commit_callbacks):
    offer = whole(files, b"x" * size)
    with django_capture_on_commit_callbacks(execute=True):
        working.work_one(files.network.now)
    said = files.statement()
    assert (said.status, said.file_id, said.message_id) == (FileStatus.TAKEN, offer.file_id, files.message_id)
    assert not store.arrival_folder(offer.file_id).exists()
    state = arriving.state_of(offer.file_id)
    assert state.lacking == "" and verify_file_receipt(state.receipt, dsse.by_id(files.partner.own_verify)) == said
    with pytest.raises(ConflictError):
        arriving.take_piece(offer.file_id, 0, [files.pieces[0]])


def test_a_list_that_comes_again_is_answered_with_what_is_lacking_then_with_the_receipt(files):
    offer = files.offer(DATA)
    files.take_list()
    arriving.take_piece(offer.file_id, 2, [files.pieces[2]])
    files.take_list()
    assert Lacking.from_bytes(files.said(arriving.LACKING_KIND)).lacking == f"0-1,3-{len(files.pieces) - 1}"
    for number, piece in enumerate(files.pieces):
        arriving.take_piece(offer.file_id, number, [piece])
    working.work_one(files.network.now)
    QueuedLetter.objects.all().delete()
    files.take_list()
    assert files.statement().status is FileStatus.TAKEN


@pytest.mark.parametrize("fault", ["examine_raises", "take_raises"])
def test_what_the_app_refuses_is_refused_signed_and_removed(files, fault, django_capture_on_commit_callbacks):
    setattr(files, fault, RefusedError("The package was refused at check 3."))
    offer = whole(files)
    with django_capture_on_commit_callbacks(execute=True):
        working.work_one(files.network.now)
    said = files.statement()
    assert (said.status, said.reason) == (FileStatus.REFUSED, "The package was refused at check 3.")
    assert files.effects == [] and not store.arrival_folder(offer.file_id).exists()


def test_a_file_that_opens_to_something_else_is_refused(files):
    wrong = "0" * 64
    offer = files.offer(DATA, sha256=wrong)
    files.list = PieceList(**{**vars(files.list), "sha256": wrong})
    files.take_list()
    for number, piece in enumerate(files.pieces):
        arriving.take_piece(offer.file_id, number, [piece])
    working.work_one(files.network.now)
    assert files.statement().status is FileStatus.REFUSED and files.effects == []


def test_another_sender_can_neither_list_nor_send_nor_learn(files):
    offer = files.offer(DATA)
    with pytest.raises(RefusedError):
        files.take_list(sender="CC-FIU")
    files.take_list()
    letter = files.letter(piece_letter(offer.file_id, 0, files.pieces[0]), sender="CC-FIU")
    with pytest.raises(RefusedError):
        arriving.take_piece_letter(letter, now=files.network.now)
    assert store.pieces_here(offer.file_id) == set()
    for call in (arriving.state_of, lambda file_id: arriving.take_piece(file_id, 0, [])):
        with pytest.raises(NotFoundError):
            call("f" * 32)


def test_a_list_of_another_file_is_refused(files):
    files.offer(DATA)
    files.list = PieceList(**{**vars(files.list), "sha256": "1" * 64})
    with pytest.raises(RefusedError):
        files.take_list()


def test_a_file_sealed_anew_replaces_the_pieces_that_fit_no_longer(files):
    offer = files.offer(DATA)
    files.take_list()
    arriving.take_piece(offer.file_id, 0, [files.pieces[0]])
    sealed = sealed_file.seal_file(
        files.folder / "plain-1", files.folder / "anew", identity=offer.identity, piece_bytes=PIECE
    )
    files.list = PieceList(**{**vars(files.list), "pieces": sealed.pieces, "sealed_size": sealed.sealed_size})
    files.take_list()
    assert store.pieces_here(offer.file_id) == set()
    anew = (files.folder / "anew").read_bytes()
    for number in range(files.list.number):
        arriving.take_piece(offer.file_id, number, [anew[number * PIECE : (number + 1) * PIECE]])
    working.work_one(files.network.now)
    assert len(files.effects) == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"size": limits.LARGEST_FILE.most + 1}, "several"),
        ({"size": limits.PARTNER_BYTES.most + 1}, "tomorrow"),
        ({"not_after": "now"}, "has to end"),
        ({"not_after": "year"}, "has to end"),
    ],
)
def test_an_offer_that_cannot_be_taken_is_refused_at_once(files, changes, says):
    times = {"now": files.network.now, "year": files.network.now + timedelta(days=365)}
    files.offer(DATA, **{name: times.get(value, value) for name, value in changes.items()})
    assert files.receipt.status == "rejected" and says in files.receipt.reason
    assert not IncomingFile.objects.exists()


def test_no_room_is_no_offer_accepted(files, monkeypatch):
    monkeypatch.setattr(store, "free_bytes", lambda: limits.RESERVE_BYTES + 1000)
    files.offer(DATA)
    assert files.receipt.status == "rejected" and "no room" in files.receipt.reason


def test_a_partner_has_so_many_files_at_a_time(files, monkeypatch):
    monkeypatch.setattr(limits, "PARTNER_FILES", limits.Bound(1, "test"))
    files.offer(DATA)
    files.offer(DATA, number=2)
    assert files.receipt.status == "rejected"


def test_a_full_disk_loses_nothing(files, monkeypatch):
    offer = whole(files)
    with monkeypatch.context() as full:
        full.setattr(sealed_file, "open_file", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left")))
        assert working.work_one(files.network.now) == 1
    row = IncomingFile.objects.get()
    assert row.state == "whole" and "No space left" in row.last_error and len(store.pieces_here(offer.file_id)) > 1
    assert working.work_one(files.network.now) == 0
    assert working.work_one(files.network.now + timedelta(seconds=2)) == 1
    assert len(files.effects) == 1


def test_a_piece_for_which_there_is_no_room_is_asked_for_again(files, monkeypatch):
    offer = files.offer(DATA)
    files.take_list()
    with monkeypatch.context() as full:
        full.setattr(store, "free_bytes", lambda: limits.RESERVE_BYTES - 1)
        with pytest.raises(arriving.NoRoomError):
            arriving.take_piece(offer.file_id, 0, [files.pieces[0]])
    assert 0 in read_ranges(arriving.state_of(offer.file_id).lacking)
    assert list(store.arrival_folder(offer.file_id).iterdir()) == [store.arrival_folder(offer.file_id) / "list"]


def test_what_does_not_come_in_time_is_refused_and_removed(files, django_capture_on_commit_callbacks):
    offer = files.offer(DATA)
    files.take_list()
    arriving.take_piece(offer.file_id, 0, [files.pieces[0]])
    with django_capture_on_commit_callbacks(execute=True):
        working.clear(files.network.now + timedelta(days=32))
    assert "1 of" in files.statement().reason
    assert not store.arrival_folder(offer.file_id).exists()


def test_pieces_of_no_file_and_leftovers_of_killed_writers_are_swept(files):
    offer = files.offer(DATA)
    files.take_list()
    stray = store.arrival_folder("e" * 32)
    stray.mkdir()
    leftover = store.arrival_folder(offer.file_id) / ".0123.partial"
    leftover.write_bytes(b"half")
    os.utime(leftover, (1, 1))
    working.clear(files.network.now)
    assert not stray.exists() and not leftover.exists()
    assert (store.arrival_folder(offer.file_id) / "list").exists()


def test_a_death_between_examining_and_taking_repeats_the_work_and_not_the_effect(files, monkeypatch):
    whole(files)
    row = IncomingFile.objects.get()
    with monkeypatch.context() as killed:
        killed.setattr(opening, "_take", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            opening.open_whole(row, files.network.now)
    opening.open_whole(row, files.network.now)
    opening.open_whole(row, files.network.now)
    assert len(files.effects) == 1
