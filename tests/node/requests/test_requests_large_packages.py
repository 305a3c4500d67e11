"""Evidence too large for a message: it travels in pieces beside the answer, and the answer takes effect with it."""

import random
from unittest.mock import Mock

import pytest

from palermo.node.evidence import actions as evidence
from palermo.node.evidence import blobs
from palermo.node.evidence import queries as evidence_queries
from palermo.node.evidence.errors import PackageRefusedError
from palermo.node.exchange import actions as exchange
from palermo.node.exchange import courier, courier_arrivals
from palermo.node.exchange.files import arriving, store, working
from palermo.node.exchange.files import carrying as carrying_files
from palermo.node.exchange.files.models import IncomingFile, OutgoingFile
from palermo.node.exchange.models import QueuedLetter
from palermo.node.exchange.wire import TAKEN
from palermo.node.office import queries as office
from palermo.node.requests import actions, queries
from palermo.node.requests.states import State
from palermo.sealing.file_offer import read_ranges

CONTENT = random.Random(1).randbytes(150_000)


@pytest.fixture
def asked(world, road, settings):
    """A formal request at BB-POL, whose safeguards are answered; packages over 10 kB travel in pieces of 20 kB."""
    settings.PALERMO_INLINE_BYTES, settings.PALERMO_PIECE_BYTES = 10_000, 20_000
    case = road.open_case(world)
    hit = road.make_hit(world, case)
    inquiry = road.send_hit_confirmation(world, case, hit)
    world.post(road.A)
    road.confirm_hit(world, inquiry)
    world.post(road.B)
    reference = road.draft_bank_request(world, case, hit)
    road.send_bank_request(world, reference)
    world.post(road.A)
    road.answer_gates(world, road.B, reference)
    return reference


def execute(world, road, reference):
    """Seal evidence for the request and answer it; returns the package."""
    with world.at(road.B) as node:
        officer, case = node.officer("central_authority"), queries.request(node.officer("supervisor"), reference).case
        item = evidence.add_item(
            officer,
            case=case,
            content=CONTENT,
            name="statement.csv",
            media_type="text/csv",
            what="Account statement, January 2026",
            origin="own",
            collected_by="Compliance desk, First Bank of Borealia",
            how="Produced on a court order",
            collected_at=world.now,
            where="Port Meridian",
            now=world.tick(),
        )
        package = evidence.seal_package(
            officer,
            case=case,
            items=[item.reference],
            recipient=road.A,
            request_reference=reference,
            now=world.tick(),
        )
        actions.answer(officer, reference, outcome="executed", package=package.reference, now=world.tick())
    return package


def post_letters(world, sender, recipient):
    with world.at(sender):
        rows = list(QueuedLetter.objects.order_by("pk"))
        sealed = exchange.seal_queued(rows, world.tick())
    with world.at(recipient):
        assert exchange.receive_parcels(sealed, now=world.now) == [TAKEN] * len(sealed)
    with world.at(sender):
        exchange.drop_letters(row.letter_id for row in rows)


def carry(world, road):
    """Message, list and pieces, as the worker carries them."""
    assert world.post(road.B) == ["accepted"]
    with world.at(road.B):
        working.work_one(world.tick())
        carrying_files.write_lists(world.now)
        row = OutgoingFile.objects.get()
    post_letters(world, road.B, road.A)
    with world.at(road.A):
        lacking = read_ranges(arriving.state_of(row.file_id).lacking)
    for number in lacking:
        with world.at(road.B):
            piece = store.sealed_piece(row.file_id, number, row.piece_bytes)
        with world.at(road.A):
            arriving.take_piece(row.file_id, number, [piece])
    return row


def test_a_large_package_arrives_beside_the_answer_and_both_take_effect_at_once(world, road, asked):
    package = execute(world, road, asked)
    with world.at(road.B) as node:
        assert queries.request(node.officer("supervisor"), asked).state is State.EXECUTED
    row = carry(world, road)
    assert row.pieces > 5
    with world.at(road.A) as node:
        officer = node.officer("central_authority")
        assert queries.request(officer, asked).state is State.SENT  # what has not come is not answered
        assert working.work_one(world.tick()) == 1
        ours = queries.request(officer, asked)
        assert ours.state is State.EXECUTED
        arrived = evidence_queries.package(officer, ours.answers[-1].package)
        assert (arrived.reference, arrived.sha256, arrived.size) == (package.reference, package.sha256, package.size)
        (item,) = arrived.items
        assert evidence_queries.content(officer, item.reference).read_bytes() == CONTENT
        assert evidence_queries.check() == []
        assert IncomingFile.objects.get().state == "taken"
        assert not store.arrival_folder(row.file_id).exists()
    post_letters(world, road.A, road.B)
    with world.at(road.B):
        sent = OutgoingFile.objects.get()
        assert (sent.state, sent.arrived, sent.identity) == ("taken", sent.pieces, "")
        assert not store.sealed_path(row.file_id).exists()


def test_a_courier_takes_the_message_the_list_and_every_piece_in_one_file(world, road, asked, tmp_path):
    execute(world, road, asked)
    with world.at(road.B):
        working.work_one(world.tick())
        courier.export(tmp_path / "there.courier", recipient=road.A, now=world.tick())
    with world.at(road.A) as node, (tmp_path / "there.courier").open("rb") as file:
        done = courier_arrivals.import_stream(file, now=world.tick())
        assert done.whole and done.new == 1 and done.letters > 5
        assert working.work_one(world.tick()) == 1
        assert queries.request(node.officer("supervisor"), asked).state is State.EXECUTED
        courier.export(tmp_path / "back.courier", recipient=road.B, now=world.tick())
    with world.at(road.B), (tmp_path / "back.courier").open("rb") as file:
        courier_arrivals.import_stream(file, now=world.tick())
        assert OutgoingFile.objects.get().state == "taken"


def test_a_package_that_does_not_hold_is_refused_at_both_ends_and_may_be_sealed_again(world, road, asked, monkeypatch):
    execute(world, road, asked)
    carry(world, road)
    refusal = PackageRefusedError("The package was refused at check 5, signature: it does not verify")
    monkeypatch.setattr("palermo.node.evidence.actions.examine_package", Mock(side_effect=refusal))
    with world.at(road.A) as node:
        working.work_one(world.tick())
        assert queries.request(node.officer("supervisor"), asked).state is State.SENT
        assert IncomingFile.objects.get().state == "refused"
    post_letters(world, road.A, road.B)
    with world.at(road.B) as node:
        supervisor = node.officer("supervisor")
        theirs = queries.request(supervisor, asked)
        assert theirs.state is State.RECEIVED and theirs.answers[-1].rejected == refusal.sentence
        assert any("refused a file" in task.title for task in office.work_queue(supervisor))


def test_a_small_package_travels_within_the_answer(world, road, asked, settings):
    settings.PALERMO_INLINE_BYTES = 24 * 2**20
    execute(world, road, asked)
    assert world.post(road.B) == ["accepted"]
    with world.at(road.A) as node:
        assert queries.request(node.officer("supervisor"), asked).state is State.EXECUTED
        assert not IncomingFile.objects.exists()


def test_a_package_changed_since_it_was_sealed_does_not_leave(world, road, asked):
    package = execute(world, road, asked)
    with world.at(road.B) as node:
        path = evidence_queries.package_path(node.officer("central_authority"), package.reference)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.chmod(0o600)
        path.write_bytes(bytes(content))
        working.work_one(world.tick())
        row = OutgoingFile.objects.get()
        assert row.state == "ended" and "not what was offered" in row.reason
        assert not blobs.intact(path, package.sha256) and not store.sealed_path(row.file_id).exists()
