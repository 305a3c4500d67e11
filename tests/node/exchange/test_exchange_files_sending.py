"""A file of ours: sealed once, its lacking pieces sent by the partner's route, settled by its signed receipt alone."""

import hashlib
import random
import re
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
from relaying import RELAY_ROLES, InTurn, with_entries

from palermo.node.exchange import actions, handlers
from palermo.node.exchange.files import carrying, lettering, offering, queries, settling, store, working
from palermo.node.exchange.files.models import OutgoingFile
from palermo.node.exchange.handlers import RefusedError
from palermo.node.exchange.models import Outgoing, QueuedLetter
from palermo.node.exchange.routes import HANDED_PATIENCE
from palermo.node.office import queries as office
from palermo.node.office.errors import InvalidError
from palermo.sealing import batch, sealed_file
from palermo.sealing.file_offer import (
    FileReceipt,
    FileState,
    FileStatus,
    Lacking,
    PieceList,
    read_piece_letter,
    read_ranges,
    sign_file_receipt,
    write_ranges,
)
from palermo.sealing.letter import Letter, open_letter

KIND = "palermo/test.file+v1"
DATA = random.Random(5).randbytes(20_000)


@dataclass
class Desk:
    """This node with one file for BB-POL, and BB-POL as an HTTP server that this test plays."""

    network: object
    partner: object
    settings: object
    here: dict[int, bytes] = field(default_factory=dict)
    posts: list[int] = field(default_factory=list)
    parcels: list[bytes] = field(default_factory=list)
    listed: bool = True
    receipt: bytes = b""
    breaks_after: int | None = None
    lost: list = field(default_factory=list)

    def offer(self, **changes) -> str:
        source = self.settings.PALERMO_HOME / "packages" / "large"
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(DATA)
        values = {"size": len(DATA), "sha256": hashlib.sha256(DATA).hexdigest(), "source": source, **changes}
        message = actions.send(
            recipient="BB-POL",
            payload_type=KIND,
            payload=b"an offer",
            case_reference="",
            purpose="test",
            message_id="message-1",
            now=self.network.now,
        )
        offered = offering.offer(
            recipient="BB-POL", message_id=message.message_id, subject="AA-POL-PKG-1", now=self.network.now, **values
        )
        self.identity = offered.identity
        return offered.file_id

    def accept(self) -> None:
        """The partner's receipt for the message."""
        row = Outgoing.objects.get(message_id="message-1")
        actions.settle(row.pk, self.partner.receipt(bytes(row.envelope)), now=self.network.now)

    @property
    def row(self) -> OutgoingFile:
        return OutgoingFile.objects.get()

    def turn(self, after: timedelta = timedelta(0)) -> None:
        with httpx.Client(transport=httpx.MockTransport(self._answer)) as client:
            carrying.Carrier(client, _pool=InTurn()).turn(self.network.now + after)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if "relay" in request.url.path:
            _, *parcels = batch.unpack(request.content)
            self.parcels += parcels
            return httpx.Response(200, content=batch.pack([b"a statement"] * len(parcels)))
        match = re.fullmatch(r"/exchange/v2/files/([0-9a-f]{32})(?:/(\d+))?", request.url.path)
        if match[2] is None:
            lacking = write_ranges(set(range(self.row.pieces)) - set(self.here))
            return httpx.Response(200, content=FileState(lacking, self.listed, self.receipt).to_bytes())
        if self.breaks_after is not None and len(self.posts) >= self.breaks_after:
            raise httpx.ReadError("cut")
        self.posts.append(int(match[2]))
        self.here[int(match[2])] = request.content
        return httpx.Response(200)

    def sign(self, status=FileStatus.TAKEN, **changes) -> bytes:
        values = {
            "file_id": self.row.file_id,
            "message_id": "message-1",
            "sender": "AA-POL",
            "recipient": "BB-POL",
            "sha256": self.row.sha256,
            "status": status,
            "at": self.network.now,
            "reason": "" if status is FileStatus.TAKEN else "The package was refused at check 3.",
        }
        key = changes.pop("key", self.partner.member.signing)
        return sign_file_receipt(FileReceipt(**{**values, **changes}), key)

    def letter(self, body: bytes, sender: str = "BB-POL") -> Letter:
        return Letter(
            kind="any",
            letter_id="l",
            sender=sender,
            recipient="AA-POL",
            recipient_key_id="key",
            created_at=self.network.now,
            not_after=self.network.now + timedelta(days=7),
            body=body,
            in_reply_to=self.row.file_id,
        )


@pytest.fixture
def desk(network, partner, settings, monkeypatch) -> Desk:
    with_entries(network, {})
    settings.PALERMO_PIECE_BYTES = 1000
    monkeypatch.setattr(handlers, "_handlers", {})
    made = Desk(network, partner, settings)
    lost = handlers.Handler(lambda *_, **__: None, lambda row, *, now: made.lost.append((row.state, row.reason)))
    handlers.register(KIND, lost)
    return made


@pytest.fixture
def accepted(desk) -> Desk:
    desk.offer()
    assert working.work_one(desk.network.now) == 1
    desk.accept()
    return desk


def test_every_piece_goes_once_and_opens_to_the_file(accepted, tmp_path):
    accepted.turn()
    assert accepted.posts == list(range(accepted.row.pieces))
    joined = tmp_path / "joined"
    joined.write_bytes(b"".join(accepted.here[number] for number in range(accepted.row.pieces)))
    listed = PieceList.from_bytes(bytes(QueuedLetter.objects.get(kind=offering.LIST_KIND).body))
    with joined.open("rb") as file:
        sealed_file.open_file(file, tmp_path / "out", accepted.identity, listed.contents)
    assert (tmp_path / "out").read_bytes() == DATA
    assert (accepted.row.arrived, accepted.row.lacking, accepted.row.sent) == (
        accepted.row.pieces,
        "",
        len(accepted.posts),
    )


def test_nothing_is_sent_before_the_message_is_accepted(desk):
    desk.offer()
    working.work_one(desk.network.now)
    desk.turn()
    assert desk.posts == [] and not QueuedLetter.objects.exists()


def test_after_a_cut_only_what_is_lacking_goes(accepted):
    accepted.breaks_after = 7
    accepted.turn()
    row = accepted.row
    assert accepted.posts == list(range(7)) and row.arrived == 7 and "cut" in row.last_error
    accepted.breaks_after = None
    OutgoingFile.objects.update(lacking=write_ranges(range(row.pieces)), arrived=0)  # a kill lost what was noted
    accepted.turn()
    assert accepted.posts == list(range(7))  # it is left alone for a moment
    accepted.turn(timedelta(seconds=2))
    assert sorted(accepted.posts) == list(range(row.pieces))


def test_a_recipient_without_the_list_gets_it_again(accepted):
    accepted.listed = False
    accepted.turn()
    QueuedLetter.objects.all().delete()
    accepted.turn(timedelta(seconds=30))
    assert not QueuedLetter.objects.exists()
    for after in (timedelta(minutes=3), timedelta(minutes=4)):
        accepted.turn(after)
    assert QueuedLetter.objects.get().kind == offering.LIST_KIND


def test_the_receipt_settles_and_the_sealed_file_goes(accepted, django_capture_on_commit_callbacks):
    accepted.turn()
    accepted.receipt = accepted.sign()
    with django_capture_on_commit_callbacks(execute=True):
        accepted.turn(timedelta(minutes=1))
    row = accepted.row
    assert (row.state, bytes(row.receipt), row.identity) == ("taken", accepted.receipt, "")
    assert not store.sealed_path(row.file_id).exists()
    settling.settle(row.pk, accepted.sign(FileStatus.REFUSED), now=accepted.network.now)  # never overwritten
    assert accepted.row.state == "taken" and accepted.lost == []


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 64},
        {"file_id": "0" * 32},
        {"message_id": "another"},
        {"sender": "CC-FIU"},
        {"recipient": "CC-FIU"},
        {"key": "CC-FIU"},
    ],
)
def test_what_is_no_receipt_for_this_file_settles_nothing(accepted, changes):
    if changes.get("key"):
        changes = {"key": accepted.network.members["CC-FIU"].signing}
    accepted.receipt = accepted.sign(**changes)
    accepted.turn()
    assert accepted.row.state == "sending" and "not about this file" in accepted.row.last_error


def test_a_refusal_is_told_to_the_app_and_to_a_person(accepted, make_officer):
    settling.take_receipt_letter(accepted.letter(accepted.sign(FileStatus.REFUSED)), now=accepted.network.now)
    assert accepted.lost == [("rejected", "The package was refused at check 3.")]
    assert any("refused a file" in task.title for task in office.work_queue(make_officer("super", "supervisor")))


def test_a_stranger_says_nothing_about_our_file(accepted):
    body = Lacking(accepted.row.file_id, "").to_bytes()
    settling.take_lacking(accepted.letter(body, "CC-FIU"), now=accepted.network.now)
    assert accepted.row.arrived == 0
    with pytest.raises(RefusedError):
        settling.take_receipt_letter(accepted.letter(accepted.sign(), "CC-FIU"), now=accepted.network.now)


def test_pieces_that_cannot_be_are_not_believed(accepted):
    with pytest.raises(RefusedError):
        body = Lacking(accepted.row.file_id, f"0-{accepted.row.pieces}").to_bytes()
        settling.take_lacking(accepted.letter(body), now=accepted.network.now)


def test_a_rejected_message_ends_its_file(desk, django_capture_on_commit_callbacks):
    desk.offer()
    working.work_one(desk.network.now)
    row = Outgoing.objects.get()
    receipt = desk.partner.receipt(bytes(row.envelope), "rejected", reason="no room", ledger_index=None)
    actions.settle(row.pk, receipt, now=desk.network.now)
    with django_capture_on_commit_callbacks(execute=True):
        working.clear(desk.network.now)
    assert desk.row.state == "ended" and not store.sealed_path(desk.row.file_id).exists()
    assert [state for state, _ in desk.lost] == ["rejected"]  # told once, by the message


def test_a_file_that_is_never_taken_ends_and_a_late_receipt_still_counts(accepted):
    working.clear(accepted.network.now + timedelta(days=34))
    assert accepted.row.state == "ended" and accepted.lost[-1][0] == "unknown"
    settling.settle(accepted.row.pk, accepted.sign(), now=accepted.network.now)
    assert accepted.row.state == "taken"


def test_a_sealed_file_that_is_gone_is_sealed_anew(accepted):
    store.remove(accepted.row.file_id)
    accepted.turn()
    assert accepted.row.state == "sealing"
    working.work_one(accepted.network.now)
    assert accepted.row.state == "sending" and accepted.row.listed_at is None
    accepted.turn()
    assert accepted.row.arrived == accepted.row.pieces


def test_a_full_disk_while_sealing_loses_nothing(desk, monkeypatch):
    desk.offer()
    with monkeypatch.context() as full:
        full.setattr(sealed_file, "seal_file", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left")))
        working.work_one(desk.network.now)
    assert desk.row.state == "sealing" and "No space left" in desk.row.last_error
    working.work_one(desk.network.now + timedelta(seconds=2))
    assert desk.row.state == "sending" and desk.row.last_error == ""


def test_a_partner_of_version_1_is_named_before_anything_leaves(network, partner, settings):
    made = Desk(network, partner, settings)
    with pytest.raises(InvalidError, match="ask it to update"):
        made.offer()


def test_a_relay_is_handed_a_window_of_letters_and_the_next_as_they_arrive(accepted, monkeypatch):
    monkeypatch.setattr(lettering, "WINDOW", 3)
    relayed = {"BB-POL": {"endpoint": "", "relay": "CC-FIU"}, "CC-FIU": {"roles": RELAY_ROLES}}
    with_entries(accepted.network, relayed)
    for _ in range(5):
        accepted.turn()
    assert handed(accepted) == [0, 1, 2]
    lacking = write_ranges(set(range(accepted.row.pieces)) - {0, 1})
    settling.take_lacking(accepted.letter(Lacking(accepted.row.file_id, lacking).to_bytes()), now=accepted.network.now)
    for _ in range(5):
        accepted.turn()
    assert handed(accepted) == [0, 1, 2, 3, 4]
    accepted.turn(HANDED_PATIENCE + timedelta(minutes=1))  # nothing was heard of 2: it goes once more
    assert handed(accepted) == [0, 1, 2, 3, 4, 2]


def handed(desk: Desk) -> list[int]:
    """The numbers of the pieces that the relay has, opened as their recipient does."""
    member, numbers = desk.network.members["BB-POL"], []
    for parcel in desk.parcels:
        letter = open_letter(parcel, {member.recipient.key_id: member.recipient}, lambda _: [desk.partner.own_verify])
        file_id, number, piece = read_piece_letter(letter.body)
        assert (file_id, piece) == (desk.row.file_id, store.sealed_piece(file_id, number, desk.row.piece_bytes))
        numbers.append(number)
    return numbers


def test_progress_is_shown(accepted):
    accepted.breaks_after = 10
    accepted.turn()
    (row,) = queries.of_message("message-1")
    assert (row.direction, row.partner, row.arrived, row.under_way) == ("out", "BB-POL", 10, True)
    assert row.percent == 1000 // row.pieces and "cut" in row.problem
    assert queries.of_subject("AA-POL-PKG-1") == [row] == queries.files()


@pytest.mark.parametrize("numbers", [[], [0], [0, 1, 2], [0, 2, 3, 9], list(range(1000))])
def test_sets_of_pieces_read_back(numbers):
    assert read_ranges(write_ranges(numbers)) == numbers


@pytest.mark.parametrize("text", ["1-1", "2,1", "0-2,3", "0,1", "01", "0-", "-1", "1,", "0-9999999", "x", "1-0"])
def test_other_spellings_of_a_set_are_refused(text):
    with pytest.raises(Exception, match="set of pieces"):
        read_ranges(text)
