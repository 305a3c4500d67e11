"""The courier's file: what goes in, what it says, what a damaged or misdirected one costs, and receipts both ways."""

import hashlib
import io
import random
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaying import with_entries

from palermo.node.directory.queries import DirectoryError
from palermo.node.exchange import actions, collected, courier, courier_arrivals, courier_contents, letters
from palermo.node.exchange.courier_arrivals import CourierRefusalError, import_stream
from palermo.node.exchange.files import arriving, offering, working
from palermo.node.exchange.files.models import OutgoingFile
from palermo.node.exchange.handlers import NotYetError
from palermo.node.exchange.models import Incoming, Outgoing, QueuedLetter
from palermo.sealing import batch, parcel
from palermo.sealing.courier import Manifest, Part, open_stream, write_stream
from palermo.sealing.letter import open_letter

NOTE, PARTNER = "palermo/test.note+v1", "BB-POL"


@pytest.fixture(autouse=True)
def by_courier_alone(network, partner, notes) -> None:
    with_entries(network, {PARTNER: {"endpoint": ""}})
    partner.protocol = 2
    letters.register(collected.RECEIPTS, collected.receive_receipts)


def send(network, payload: bytes = b"hello", **changes) -> Outgoing:
    values = {
        "recipient": PARTNER,
        "payload_type": NOTE,
        "payload": payload,
        "case_reference": "",
        "purpose": "test of the courier",
        "now": network.now,
    }
    row = actions.send(**{**values, **changes})
    return Outgoing.objects.get(message_id=row.message_id)


def export(network, path: Path, **changes) -> courier.Exported:
    return courier.export(path, **{"recipient": PARTNER, "now": network.now, **changes})


def opened(network, path: Path) -> tuple[Manifest, list[bytes]]:
    """The file as the partner reads it."""
    with path.open("rb") as stream:
        file = open_stream(stream, lambda code: [network.members[code].signing.public])
        contents = [carried.content for carried in file.parts()]
    assert file.fault == ""
    return file.manifest, contents


def brought(network, *parcels: bytes, **changes) -> bytes:
    """A file that the partner made."""
    values = {
        "sender": PARTNER,
        "recipient": "AA-POL",
        "made_at": network.now,
        "keys_end_at": network.now + timedelta(days=20),
        "parts": tuple(Part(parcel.digest(content), len(content)) for content in parcels),
    }
    out = io.BytesIO()
    write_stream(out, Manifest(**{**values, **changes}), parcels, network.members[PARTNER].signing)
    return out.getvalue()


def take(network, data: bytes, **changes) -> courier_arrivals.Imported:
    return import_stream(io.BytesIO(data), now=network.now, **changes)


def test_it_holds_what_waits_in_order_and_says_until_when(network, tmp_path):
    first, second = send(network, b"one"), send(network, b"two", not_after=network.now + timedelta(days=3))
    actions.write_letter(recipient=PARTNER, kind="test+v1", body=b"psst", key="k", now=network.now)
    send(network, recipient="CC-FIU")
    done = export(network, tmp_path / "file")
    manifest, contents = opened(network, tmp_path / "file")
    assert (done.messages, done.letters, done.carried_before, done.left) == (2, 1, 0, 0)
    assert contents[:2] == [bytes(first.envelope), bytes(second.envelope)] and len(contents) == 3
    assert manifest == done.manifest
    assert manifest.deliver_before == network.now + timedelta(days=3)
    assert manifest.keys_end_at == network.now + timedelta(days=29)
    assert done.opens_until == network.now + timedelta(days=60)
    assert done.warnings(network.now) == []


def test_a_second_file_holds_the_same_unless_only_what_is_new_is_wanted(network, tmp_path):
    send(network)
    export(network, tmp_path / "one")
    again = export(network, tmp_path / "two", now=network.now + timedelta(hours=1))
    assert (again.messages, again.carried_before) == (1, 1)
    with pytest.raises(courier.NothingToCarryError, match="Nothing new waits for BB-POL"):
        export(network, tmp_path / "three", only_new=True)
    send(network, b"new")
    assert export(network, tmp_path / "three", only_new=True).messages == 1


def test_nothing_to_carry_and_nobody_to_carry_to(network, tmp_path):
    with pytest.raises(courier.NothingToCarryError):
        export(network, tmp_path / "file")
    with pytest.raises(DirectoryError, match="'XX'"):
        export(network, tmp_path / "file", recipient="XX")
    assert not (tmp_path / "file").exists()


def test_a_stick_that_is_full_leaves_nothing_noted(network, tmp_path, monkeypatch):
    row = send(network)

    def full(*_) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(courier, "write_file", full)
    with pytest.raises(OSError, match="No space"):
        export(network, tmp_path / "file")
    row.refresh_from_db()
    assert row.handed_at is None and list(tmp_path.glob("*file*")) == []


def test_a_key_that_ends_soon_is_warned_of_and_one_that_ended_too(network, tmp_path):
    send(network, not_after=network.now + timedelta(days=31))
    soon = export(network, tmp_path / "soon", now=network.now + timedelta(days=23))
    [warning] = soon.warnings(network.now + timedelta(days=23))
    assert "ends at 2026-03-31" in warning and "before 2026-05-01" in warning
    past = export(network, tmp_path / "past", now=network.now + timedelta(days=30))
    [warning] = past.warnings(network.now + timedelta(days=30))
    assert "1 parts are sealed to a key that has ended" in warning


def test_what_does_not_fit_waits_for_the_next_file(network, tmp_path, monkeypatch):
    monkeypatch.setattr(courier_contents, "MAX_PARTS", 2)
    for number in range(3):
        send(network, b"%d" % number)
    done = export(network, tmp_path / "one")
    assert (done.messages, done.left) == (2, 1)
    assert "1 more parcels wait" in done.warnings(network.now)[0]
    assert export(network, tmp_path / "two", only_new=True).messages == 1


def test_a_partner_that_speaks_version_1_gets_no_letters(network, tmp_path):
    with_entries(network, {PARTNER: {"endpoint": "", "protocol": 1}})
    send(network)
    actions.write_letter(recipient=PARTNER, kind="test+v1", body=b"psst", key="k", now=network.now)
    assert (export(network, tmp_path / "file").messages, len(opened(network, tmp_path / "file")[1])) == (1, 1)


def test_what_came_has_its_effect_once_and_its_receipt_travels_back(network, partner, notes, tmp_path):
    envelopes = [partner.envelope(b"one"), partner.envelope(b"two")]
    data = brought(network, *envelopes)
    done = take(network, data)
    assert (done.new, done.known, done.whole) == (2, 0, True)
    again = take(network, data)
    assert (again.new, again.known, again.whole) == (0, 2, True)
    assert [note.payload for note in notes.seen] == [b"one", b"two"]
    assert QueuedLetter.objects.count() == 1, "the second reading replaced the letter of receipts"
    back = export(network, tmp_path / "back")
    assert (back.messages, back.letters) == (0, 1)
    [sealed] = opened(network, tmp_path / "back")[1]
    member = network.members[PARTNER]
    letter = open_letter(sealed, {member.recipient.key_id: member.recipient}, lambda _: [partner.own_verify])
    receipts = [partner.read(receipt) for receipt in batch.unpack(letter.body)]
    assert [receipt.envelope_digest for receipt in receipts] == [parcel.digest(envelope) for envelope in envelopes]


def test_the_receipt_that_came_in_a_file_settles_what_went_out_in_one(network, partner, tmp_path):
    row = send(network)
    export(network, tmp_path / "out")
    [envelope] = opened(network, tmp_path / "out")[1]
    letter = partner.letter(batch.pack([partner.receipt(envelope)]), kind=collected.RECEIPTS)
    for _ in range(2):
        assert take(network, brought(network, letter)).letters == 1
    row.refresh_from_db()
    assert row.state == "accepted"
    with pytest.raises(courier.NothingToCarryError):
        export(network, tmp_path / "again")


def test_a_damaged_part_costs_that_part_alone(network, partner, notes):
    envelopes = [partner.envelope(b"%d" % number) for number in range(3)]
    data = brought(network, *envelopes)
    at = data.index(envelopes[1]) + 2000
    done = take(network, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert [note.payload for note in notes.seen] == [b"0", b"2"]
    assert [(fault.number, fault.digest) for fault in done.damaged] == [(2, parcel.digest(envelopes[1]))]
    assert not done.whole and done.fault
    assert take(network, data).new == 1


def test_a_stick_that_is_cut_gives_what_is_on_it(network, partner, notes):
    envelopes = [partner.envelope(b"%d" % number) for number in range(3)]
    data = brought(network, *envelopes)
    done = take(network, data[: data.index(envelopes[2]) + 10])
    assert (done.new, len(done.damaged)) == (2, 1)
    assert "ends before it does" in done.damaged[0].reason and "its end is missing" in done.fault


def test_rejected_and_not_yet_are_told_apart(network, partner, notes):
    good, unknown = partner.envelope(b"x"), partner.envelope(payload_type="palermo/unheard-of+v1")
    notes.then = NotYetError("its file is on its way")
    done = take(network, brought(network, good, unknown))
    assert [fault.number for fault in done.later] == [1] and [fault.number for fault in done.rejected] == [2]
    notes.then = None
    done = take(network, brought(network, good, unknown))
    assert (done.new, len(done.rejected), len(done.later)) == (1, 1, 0)


def test_a_file_for_another_is_refused_whole(network, partner):
    with pytest.raises(CourierRefusalError, match=r"for CC-FIU; this node is AA-POL.*carry it on"):
        take(network, brought(network, partner.envelope(), recipient="CC-FIU"))
    assert Incoming.objects.count() == 0


def test_an_old_file_and_one_of_tomorrow(network, partner):
    old = brought(
        network,
        partner.envelope(),
        made_at=network.now - timedelta(days=62),
        keys_end_at=network.now - timedelta(days=31),
    )
    with pytest.raises(CourierRefusalError, match="Ask BB-POL to export anew"):
        take(network, old)
    with pytest.raises(CourierRefusalError, match="Set the clock"):
        take(network, brought(network, partner.envelope(), made_at=network.now + timedelta(hours=1)))


@pytest.mark.parametrize("data", [b"", b"hello", b"palermo-courier/1\n", b"palermo-courier/1\nx\n{}\n"])
def test_what_is_no_courier_file(network, data):
    with pytest.raises(CourierRefusalError, match="no courier file of a member"):
        take(network, data)


def test_a_forged_file_and_one_of_a_stranger(network, partner):
    network.members[PARTNER].signing, kept = network.members["CC-FIU"].signing, network.members[PARTNER].signing
    forged = brought(network, partner.envelope(key=kept))
    strangers = brought(network, partner.envelope(key=kept), sender="DD-POL")
    network.members[PARTNER].signing = kept
    for data in (forged, strangers):
        with pytest.raises(CourierRefusalError, match="no courier file of a member"):
            take(network, data)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_happens_to_a_file_each_part_has_its_effect_once_or_none(network, partner, notes, data):
    """Bytes flipped, cut off or put in anywhere: an error with a sentence, or the parts that are whole."""
    envelopes = [partner.envelope(b"x" * 100) for _ in range(3)]
    file = bytearray(brought(network, *envelopes))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(file) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert"])):
            case "flip":
                file[at] ^= data.draw(st.integers(1, 255))
            case "cut":
                del file[at + 1 :]
            case "insert":
                file.insert(at, data.draw(st.integers(0, 255)))
    before = len(notes.seen)
    try:
        done = take(network, bytes(file))
    except CourierRefusalError:
        assert len(notes.seen) == before
    else:
        assert len(notes.seen) - before == done.new
    done = take(network, brought(network, *envelopes))
    assert done.whole and len(notes.seen) - before == 3


def test_the_pieces_of_a_large_file_go_along_behind_their_message(network, partner, settings, tmp_path):
    data = random.Random(5).randbytes(20_000)
    source = settings.PALERMO_HOME / "packages" / "large"
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(data)
    message = send(network, b"an offer")
    file = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "source": source, "subject": "PKG-1"}
    offering.offer(recipient=PARTNER, message_id=message.message_id, now=network.now, **file)
    working.work_one(network.now)
    done = export(network, tmp_path / "file")
    assert (done.messages, done.letters, done.pieces) == (1, 1, OutgoingFile.objects.get().pieces)
    contents = opened(network, tmp_path / "file")[1]
    member = network.members[PARTNER]
    keys = {member.recipient.key_id: member.recipient}
    kinds = [open_letter(content, keys, lambda _: [partner.own_verify]).kind for content in contents[1:]]
    assert contents[0] == bytes(message.envelope)
    assert kinds[0] != arriving.PIECE_KIND and set(kinds[1:]) == {arriving.PIECE_KIND}
    assert export(network, tmp_path / "again").pieces == done.pieces, "a stick may be lost"
    with pytest.raises(courier.NothingToCarryError):
        export(network, tmp_path / "new", only_new=True)
