"""Witnesses: what they cosign, what they refuse, when it is a quorum, and who shows two histories, by each route."""

import os
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from palermo.node.ledger import actions, kept, queries
from palermo.node.ledger.actions.signing import growth, sign
from palermo.node.ledger.models import Cosignature, Log, Witness, Witnessed, WitnessedLog, WitnessedTile
from palermo.node.office import queries as office
from palermo.sealing import merkle
from palermo.sealing.checkpoint import parse_checkpoint, sign_checkpoint
from palermo.sealing.cosignature import CosignerKey, cosign, verify_cosignature
from palermo.sealing.errors import ProofError, SealingError, TrustError
from palermo.sealing.keys import SigningKey
from palermo.sealing.quorum import quorum_of
from palermo.sealing.witnessing import MAX_LEAVES, CosignAnswer, CosignRequest, ProofAnswer, TilesAnswer, split

BB, CC = "BB-POL", "CC-FIU"


@dataclass
class PartnerLog:
    """BB-POL's log, of hashes alone, which it signs as it likes."""

    member: object
    hashes: list[bytes] = field(default_factory=list)

    def grow(self, number: int) -> "PartnerLog":
        self.hashes += [os.urandom(32) for _ in range(number)]
        return self

    def fork(self, size: int) -> "PartnerLog":
        return PartnerLog(self.member, self.hashes[:size])

    def checkpoint(self, size: int | None = None) -> str:
        size = len(self.hashes) if size is None else size
        return sign_checkpoint(f"palermo/{BB}", size, merkle.root(self.hashes[:size]), self.member.signing)

    def request(self, start: int = 0, size: int | None = None) -> CosignRequest:
        size = len(self.hashes) if size is None else size
        return CosignRequest(self.checkpoint(size), start, b"".join(self.hashes[start:size]))

    def proof(self, old: int, new: int) -> ProofAnswer:
        return ProofAnswer(old, new, merkle.consistency_proof(merkle.nodes(self.hashes), old, new))


@pytest.fixture
def log(witnessed_network) -> PartnerLog:
    return PartnerLog(witnessed_network.members[BB])


@pytest.fixture
def now(witnessed_network):
    return witnessed_network.now


@pytest.fixture
def auditor(make_officer):
    return make_officer("auditor", "auditor")


def tasks(auditor) -> list[str]:
    return [task.title for task in office.work_queue(auditor)]


# --- as a witness ---------------------------------------------------------------------------


def test_a_witness_cosigns_what_continues_what_it_cosigned(log, now, witnessed_network):
    held = 0
    for number in (5, 250, 1, 0, 300):
        answer = actions.cosign(BB, log.grow(number).request(held), now=now)
        held = len(log.hashes)
        assert (answer.size, answer.reason) == (held, "")
        key = witnessed_network.members["AA-POL"].cosigner.public
        assert verify_cosignature(answer.held, answer.lines, "palermo/AA-POL", key) == now
    (row,) = queries.kept_logs()
    assert (row.partner, row.size, row.note) == (BB, held, answer.held + answer.lines)
    assert queries.check() == []


def test_the_same_checkpoint_again_gets_the_same_lines(log, now):
    request = log.grow(9).request()
    assert actions.cosign(BB, request, now=now) == actions.cosign(BB, request, now=now + timedelta(hours=1))


def test_a_witness_that_holds_less_or_more_says_so_and_cosigns_nothing(log, now):
    actions.cosign(BB, log.grow(9).request(), now=now)
    answer = actions.cosign(BB, log.grow(9).request(4), now=now)
    assert (answer.lines, parse_checkpoint(answer.held).size, answer.reason) == ("", 9, "")
    older = actions.cosign(BB, log.request(0, 4), now=now)
    assert (older.lines, parse_checkpoint(older.held).size) == ("", 9)
    assert WitnessedLog.objects.get().size == 9


def test_another_history_of_the_same_or_a_smaller_size_is_refused_and_named(log, now, auditor):
    actions.cosign(BB, log.grow(9).request(), now=now)
    for size in (9, 6):
        answer = actions.cosign(BB, log.fork(3).grow(size - 3).request(), now=now)
        assert answer.lines == "" and "not of the log" in answer.reason
        assert Witnessed.objects.filter(conflicts_with__isnull=False, size=size).count() == 1
    assert len(tasks(auditor)) == 2 and all(BB in title for title in tasks(auditor))
    assert actions.cosign(BB, log.grow(1).request(9), now=now).lines, "the history that it knows, it goes on to cosign"


def test_a_continuation_of_another_history_is_refused_named_and_leaves_the_tiles_as_they_were(log, now, auditor):
    actions.cosign(BB, log.grow(300).request(), now=now)
    before = list(WitnessedTile.objects.order_by("pk").values_list("level", "number", "width", "hashes"))
    other = log.fork(200).grow(200)
    answer = actions.cosign(BB, other.request(300), now=now)
    assert answer.lines == "" and "do not lead" in answer.reason
    assert list(WitnessedTile.objects.order_by("pk").values_list("level", "number", "width", "hashes")) == before
    (title,) = tasks(auditor)
    assert "300 and 400 entries" in title
    row = Witnessed.objects.get(conflicts_with__isnull=False)
    assert (row.size, row.conflicts_with.size) == (400, 300), "both signed checkpoints are kept"
    assert queries.check() == []


def test_hashes_that_are_not_those_of_the_checkpoint_are_refused(log, now):
    log.grow(9)
    short = CosignRequest(log.checkpoint(), 0, b"".join(log.hashes[:8]))
    wrong = CosignRequest(log.checkpoint(), 0, b"".join(log.fork(8).grow(1).hashes))
    for request in (short, wrong):
        answer = actions.cosign(BB, request, now=now)
        assert answer.lines == "" and answer.reason and not WitnessedTile.objects.exists()


def test_a_witness_with_damaged_tiles_accuses_nobody(log, now, auditor):
    actions.cosign(BB, log.grow(9).request(), now=now)
    tile = WitnessedTile.objects.get()
    WitnessedTile.objects.update(hashes=b"\0" + bytes(tile.hashes)[1:])
    answer = actions.cosign(BB, log.grow(9).request(9), now=now)
    assert answer.lines == "" and "damaged" in answer.reason and tasks(auditor) == []
    assert [fault.what for fault in queries.check()] == ["witnessed log"]


def test_only_a_partners_own_checkpoint_is_cosigned(log, now):
    with pytest.raises(SealingError):
        actions.cosign(CC, log.grow(3).request(), now=now)
    with pytest.raises(SealingError):
        actions.cosign(BB, CosignRequest(log.checkpoint().replace("\n3\n", "\n4\n"), 0, b""), now=now)


def test_a_node_that_the_directory_does_not_list_gives_no_cosignature(network):
    log = PartnerLog(network.members[BB]).grow(3)
    with pytest.raises(TrustError, match="no listed witness"):
        actions.cosign(BB, log.request(), now=network.now)


# --- as a log -------------------------------------------------------------------------------


def answer_of(member, request: CosignRequest, now, key: CosignerKey | None = None) -> CosignAnswer:
    """What an honest witness says, after it looked at the hashes."""
    signed = parse_checkpoint(request.checkpoint)
    assert request.start or merkle.root(split(request.hashes)) == signed.root
    lines = cosign(request.checkpoint, f"palermo/{member.code}", key or member.cosigner, now)
    return CosignAnswer(signed.size, lines, request.checkpoint)


def entered(number: int, now) -> None:
    for place in range(number):
        actions.append(kind="sent.test", counterparty=BB, fields={"n": str(place)}, now=now)


def test_a_quorum_is_more_than_half_of_at_least_two_states(witnessed_network, now):
    entered(3, now)
    actions.close_interval(now=now)
    for code, quorum in ((BB, False), (CC, True)):
        request = actions.next_request(code, now=now)
        assert actions.next_request(code, now=now) is None, "asked already"
        actions.take_answer(code, answer_of(witnessed_network.members[code], request, now), now=now)
        assert queries.cosigned(8).quorum is quorum
    newest = queries.newest_cosigned()
    assert (newest.size, newest.count.states, str(newest.count)) == (
        8,
        ("BB", "CC"),
        "2 of 2 witnesses, from BB, CC; 2 of 2 states are needed",
    )
    assert [row.held for row in queries.witness_rows()] == [8, 8] and queries.check() == []


@pytest.mark.parametrize(
    ("listed", "signed", "reached"),
    [
        ({"A": "X", "B": "Y", "C": "Z"}, "AB", True),
        ({"A": "X", "B": "Y", "C": "Z"}, "A", False),
        ({"A": "X", "B": "X", "C": "Y"}, "AB", False),
        ({"A": "X", "B": "X", "C": "Y"}, "AC", True),
        ({"A": "X", "B": "X", "C": "X"}, "ABC", False),
        ({"A": "X", "B": "Y", "C": "Z", "D": "Z"}, "AB", False),
        ({"A": "X", "B": "Y", "C": "Z", "D": "Z"}, "CD", False),
        ({"A": "X", "B": "Y", "C": "Z", "D": "Z"}, "BCD", True),
        ({"A": "X", "B": "Y"}, "A", False),
        ({"A": "X", "B": "Y"}, "ABQ", True),
        ({"A": "X", "B": "Y"}, "AAQQ", False),
        ({"A": "X"}, "A", False),
        ({}, "", False),
    ],
)
def test_the_arithmetic_of_a_quorum(listed, signed, reached):
    assert quorum_of(listed, signed).reached is reached


def test_a_cosignature_that_does_not_verify_is_not_kept(witnessed_network, now):
    actions.close_interval(now=now)
    request = actions.next_request(BB, now=now)
    member = witnessed_network.members[BB]
    forged = answer_of(member, request, now, key=CosignerKey.generate())
    other = witnessed_network.members[CC]
    by_another = answer_of(other, request, now)
    unsigned_size = CosignAnswer(7, answer_of(member, request, now).lines, request.checkpoint)
    for answer in (forged, by_another, unsigned_size):
        with pytest.raises(SealingError):
            actions.take_answer(BB, answer, now=now)
    with pytest.raises(TrustError):
        actions.take_answer("DD-POL", answer_of(member, request, now), now=now)
    assert not Cosignature.objects.exists() and queries.witness_rows()[0].held == 0


def test_a_witness_that_lies_about_what_it_holds_is_not_believed(witnessed_network, now):
    actions.close_interval(now=now)
    actions.next_request(BB, now=now)
    made_up = sign_checkpoint("palermo/AA-POL", 10**9, b"x" * 32, witnessed_network.members[BB].signing)
    with pytest.raises(SealingError):
        actions.take_answer(BB, CosignAnswer(8, "", made_up), now=now)
    assert not Witness.objects.get(code=BB).answered_at


def test_a_witness_that_is_behind_is_told_the_rest_and_one_that_refuses_is_asked_again_later(witnessed_network, now):
    actions.close_interval(now=now)
    request = actions.next_request(BB, now=now)
    actions.take_answer(BB, answer_of(witnessed_network.members[BB], request, now), now=now)
    entered(30, now)
    later = now + timedelta(hours=1)
    actions.close_interval(now=later)
    assert actions.next_request(BB, now=later).start == 8
    actions.take_answer(BB, CosignAnswer(40, "", ""), now=later)  # it lost what it held
    assert actions.next_request(BB, now=later).start == 0
    actions.take_answer(BB, CosignAnswer(40, "", "", "no"), now=later)
    assert actions.next_request(BB, now=later) is None
    assert queries.witness_rows()[0].refusal == "no"
    assert actions.next_request(BB, now=later + timedelta(hours=2)).start == 0


def test_a_witness_far_behind_is_brought_up_in_steps(witnessed_network, now, monkeypatch):
    monkeypatch.setattr("palermo.node.ledger.actions.witnessing.MAX_LEAVES", 10)
    entered(30, now)
    actions.close_interval(now=now)
    steps = []
    while (request := actions.next_request(BB, now=now)) is not None:
        steps.append((request.start, parse_checkpoint(request.checkpoint).size))
        actions.take_answer(BB, answer_of(witnessed_network.members[BB], request, now), now=now)
    assert steps == [(0, 10), (10, 20), (20, 30), (30, 32)]
    assert MAX_LEAVES > 10 and queries.check() == []


def test_a_checkpoint_of_our_log_that_is_not_of_our_log_is_kept_and_told(witnessed_network, now, auditor):
    """In an envelope, or by what a witness says that it holds: this node was restored, or its key is stolen."""
    actions.close_interval(now=now)
    own = witnessed_network.members["AA-POL"].signing
    actions.witness_own(BB, queries.newest_checkpoint(), now=now)
    assert tasks(auditor) == []
    for size in (8, 500):
        actions.witness_own(BB, sign_checkpoint("palermo/AA-POL", size, b"x" * 32, own), now=now)
    assert len(tasks(auditor)) == 2 and all("signed with this node's key" in title for title in tasks(auditor))
    assert [row.conflicts for row in queries.witnessed(auditor, "AA-POL")] == [True, True]
    with pytest.raises(SealingError):
        actions.witness_own(BB, sign_checkpoint("palermo/AA-POL", 8, b"x" * 32, SigningKey.generate()), now=now)
    actions.acknowledge_second_history(auditor, "AA-POL", now=now)
    assert tasks(auditor) == []


# --- intervals ------------------------------------------------------------------------------


def test_checkpoints_come_with_the_clock_and_show_but_the_power_of_two(witnessed_network, now):
    sizes = []
    for number, time in [(0, 0), (1, 1), (8, 2), (9, 3), (0, 4), (100, 5), (3, 5.5)]:
        entered(number, now)
        if actions.close_interval(now=now + time * timedelta(minutes=15)) is not None:
            sizes.append(queries.size())
    grown = [after - before for before, after in zip([0, *sizes], sizes, strict=False)]
    assert grown == [8, 8, 8, 16, 8, 128]
    assert queries.check() == []


def test_an_interval_ends_at_a_whole_multiple_whenever_the_node_was_started(witnessed_network, now):
    actions.close_interval(now=now + timedelta(minutes=7, seconds=3))
    assert Log.objects.get().due_at == now + timedelta(minutes=15)
    actions.close_interval(now=now + timedelta(days=3, minutes=1))
    assert Log.objects.get().due_at == now + timedelta(days=3, minutes=15)
    Log.objects.update(due_at=now + timedelta(days=400))  # a clock that was far ahead does not stop the log
    assert actions.close_interval(now=now + timedelta(days=4)) is not None


def test_growth_is_a_power_of_two_and_holds_what_was_entered():
    for entered_ in range(1, 2000):
        grown = growth(entered_)
        assert grown >= entered_ and grown & (grown - 1) == 0 and (grown == 8 or grown < 2 * entered_)


# --- histories seen by who is no witness ----------------------------------------------------


def test_a_checkpoint_seen_elsewhere_is_held_against_the_tiles(log, now, auditor):
    log.grow(20)
    actions.witness(BB, log.checkpoint(12), now=now)
    other = log.fork(5).grow(15)
    actions.witness(BB, other.checkpoint(16), now=now)  # nothing is known yet that tells them apart
    assert tasks(auditor) == []
    actions.cosign(BB, log.request(), now=now)
    (title,) = tasks(auditor)
    assert "16" in title and "two histories" in title
    actions.witness(BB, other.checkpoint(10), now=now)
    assert len(tasks(auditor)) == 2
    assert actions.witness(BB, log.checkpoint(7), now=now).proven


def test_who_keeps_no_tiles_asks_for_proof_of_each_checkpoint_against_the_one_before(log, now, auditor):
    log.grow(30)
    for size in (10, 30):
        actions.witness(BB, log.checkpoint(size), now=now)
    (wanted,) = kept.wanted_proofs(now)
    assert (wanted.old, wanted.new) == (10, 30)
    actions.asked_for_proof([wanted.key], now=now)
    assert kept.wanted_proofs(now) == [] and len(kept.wanted_proofs(now + timedelta(days=1))) == 1
    with pytest.raises(ProofError):
        actions.take_proof(BB, log.fork(10).grow(20).proof(10, 30), now=now)
    actions.take_proof(BB, log.proof(10, 30), now=now)
    assert kept.wanted_proofs(now) == [] and Witnessed.objects.filter(proven=False).count() == 0
    actions.witness(BB, log.fork(10).grow(20).checkpoint(20), now=now)  # one in between: both its sides are asked for
    assert [(row.old, row.new) for row in kept.wanted_proofs(now)] == [(10, 20), (20, 30)]
    actions.asked_for_proof([row.key for row in kept.wanted_proofs(now)], now=now)
    (overdue, _) = kept.overdue_proofs(now + timedelta(days=3))
    actions.name_unproven(overdue.key, now=now)
    assert "did not" in tasks(auditor)[0]
    actions.acknowledge_second_history(auditor, BB, now=now)
    assert tasks(auditor) == []


def test_a_log_proves_its_own_checkpoints_and_nothing_between(witnessed_network, now):
    entered(3, now)
    for size in (2, 3):
        sign(size, now)
    entered(3, now)
    sign(6, now)
    answer = kept.proof_for(3, 6)
    roots = {size: parse_checkpoint(sign(size, now)).root for size in (3, 6)}
    merkle.verify_consistency(3, 6, roots[3], roots[6], answer.hashes)
    for old, new in ((3, 5), (4, 6)):
        with pytest.raises(ProofError):
            kept.proof_for(old, new)


# --- tiles given back -----------------------------------------------------------------------


def test_a_witness_gives_back_what_it_keeps(log, now):
    actions.cosign(BB, log.grow(300).request(), now=now)
    answer = kept.tiles_for(BB, 0)
    assert split(answer.hashes) == log.hashes and parse_checkpoint(answer.held).size == 300
    assert split(kept.tiles_for(BB, 290).hashes) == log.hashes[290:]
    assert kept.tiles_for(BB, 301).hashes == b"" and kept.tiles_for(CC, 0) == TilesAnswer(0, b"", "", "")


def test_a_log_puts_together_what_a_witness_gave_back(witnessed_network, now):
    entered(20, now)
    actions.close_interval(now=now)
    request = actions.next_request(BB, now=now)
    lines = answer_of(witnessed_network.members[BB], request, now).lines
    hashes = split(request.hashes)
    actions.keep_returned(BB, TilesAnswer(0, b"".join(hashes[:10]), request.checkpoint, lines), now=now)
    with pytest.raises(ProofError, match="for the rest"):
        kept.returned(BB)
    actions.keep_returned(BB, TilesAnswer(10, b"".join(hashes[10:]), request.checkpoint, lines), now=now)
    found = kept.returned(BB)
    assert (found.size, list(found.leaf_hashes)) == (32, hashes)
    with pytest.raises(SealingError):
        actions.keep_returned(BB, TilesAnswer(0, b"", request.checkpoint, lines[:-5] + "AAA=\n"), now=now)
    actions.keep_returned(BB, TilesAnswer(10, b"".join(reversed(hashes[10:])), request.checkpoint, lines), now=now)
    with pytest.raises(ProofError, match="another witness"):
        kept.returned(BB)
