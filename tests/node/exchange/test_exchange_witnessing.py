"""Logs and witnesses write to one another: by letters that may come twice, late or from the wrong side."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from palermo.node.exchange import witnessing as traffic
from palermo.node.exchange.actions import send
from palermo.node.exchange.handlers import RefusedError
from palermo.node.exchange.letters import Letter
from palermo.node.exchange.models import Outgoing, QueuedLetter
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import kept, queries
from palermo.sealing import merkle, records, witnessing
from palermo.sealing.checkpoint import parse_checkpoint, sign_checkpoint
from palermo.sealing.cosignature import cosign
from palermo.sealing.envelope import open_envelope

BB, CC = "BB-POL", "CC-FIU"


@dataclass
class Post:
    """Carries letters by hand: those that this node queued, and those that a partner writes."""

    network: object

    def queued(self, recipient: str, kind: str) -> Letter:
        row = QueuedLetter.objects.get(recipient=recipient, kind=kind)
        return self.letter("AA-POL", recipient, kind, bytes(row.body))

    def letter(self, sender: str, recipient: str, kind: str, body: bytes) -> Letter:
        now = self.network.now
        return Letter(
            kind=kind,
            letter_id="letter-1",
            sender=sender,
            recipient=recipient,
            recipient_key_id="key",
            created_at=now,
            not_after=now + timedelta(days=7),
            body=body,
        )

    def hand_in(self, sender: str, kind: str, content: object) -> None:
        letter = self.letter(sender, "AA-POL", kind, records.to_bytes(content))
        traffic.LETTER_HANDLERS[kind](letter, now=self.network.now)

    def cosigned_by(self, code: str) -> witnessing.CosignAnswer:
        """What an honest witness answers to what this node asks of it."""
        asked = witnessing.read(witnessing.CosignRequest, self.queued(code, witnessing.COSIGN).body)
        lines = cosign(asked.checkpoint, f"palermo/{code}", self.network.members[code].cosigner, self.network.now)
        return witnessing.CosignAnswer(parse_checkpoint(asked.checkpoint).size, lines, asked.checkpoint)


@pytest.fixture
def post(witnessed_network) -> Post:
    return Post(witnessed_network)


def partners_log(network, number: int) -> tuple[list[bytes], str]:
    hashes = [bytes([place]) * 32 for place in range(number)]
    text = sign_checkpoint(f"palermo/{BB}", number, merkle.root(hashes), network.members[BB].signing)
    return hashes, text


def test_when_an_interval_ends_every_witness_is_asked_and_two_answers_make_a_quorum(post):
    now = post.network.now
    assert traffic.turn(now) == 2 and traffic.turn(now) == 0
    for code in (BB, CC):
        answer = post.cosigned_by(code)
        post.hand_in(code, witnessing.COSIGNED, answer)
        post.hand_in(code, witnessing.COSIGNED, answer)
    assert queries.newest_cosigned().size == 8
    assert traffic.turn(now + timedelta(minutes=15)) == 2, "the next interval"
    asked = witnessing.read(witnessing.CosignRequest, post.queued(BB, witnessing.COSIGN).body)
    assert (asked.start, parse_checkpoint(asked.checkpoint).size) == (8, 16)


def test_nothing_but_hashes_and_checkpoints_reaches_a_witness(post):
    now = post.network.now
    entry = ledger.append(kind="sent.SECRET-KIND", counterparty=CC, fields={"case": "SECRET-CASE"}, now=now)
    traffic.turn(now)
    body = post.queued(BB, witnessing.COSIGN).body
    asked = witnessing.read(witnessing.CosignRequest, body)
    assert asked.hashes[:32].hex() == entry.leaf_hash and len(asked.hashes) == 8 * 32
    secrets = [field for index in range(8) for field in queries.opened(index)]
    for field in secrets:
        assert field.salt not in asked.hashes and field.commitment not in asked.hashes
    assert b"SECRET" not in body and CC.encode() not in body


def test_a_partner_that_asks_is_given_a_cosignature_and_one_that_shows_a_fork_the_reason(post):
    hashes, text = partners_log(post.network, 20)
    post.hand_in(BB, witnessing.COSIGN, witnessing.CosignRequest(text, 0, b"".join(hashes)))
    answer = witnessing.read(witnessing.CosignAnswer, post.queued(BB, witnessing.COSIGNED).body)
    assert (answer.held, bool(answer.lines)) == (text, True)
    fork = [b"x" * 32, *hashes[1:]]
    other = sign_checkpoint(f"palermo/{BB}", 20, merkle.root(fork), post.network.members[BB].signing)
    post.hand_in(BB, witnessing.COSIGN, witnessing.CosignRequest(other, 0, b"".join(fork)))
    answer = witnessing.read(witnessing.CosignAnswer, post.queued(BB, witnessing.COSIGNED).body)
    assert (answer.held, answer.lines) == (text, "") and answer.reason


@pytest.mark.parametrize("kind", sorted(traffic.LETTER_HANDLERS))
@pytest.mark.parametrize("body", [b"", b"{}", b'{"a":1}', b"\xff", b"[]", b'{"start":-1}'])
def test_what_is_no_such_letter_is_refused_for_good(post, kind, body):
    with pytest.raises(RefusedError):
        traffic.LETTER_HANDLERS[kind](post.letter(BB, "AA-POL", kind, body), now=post.network.now)
    assert not QueuedLetter.objects.exists() and queries.size() == 0


def test_another_partys_checkpoint_or_cosignature_is_refused_for_good(post):
    hashes, text = partners_log(post.network, 20)
    with pytest.raises(RefusedError):
        post.hand_in(CC, witnessing.COSIGN, witnessing.CosignRequest(text, 0, b"".join(hashes)))
    traffic.turn(post.network.now)
    with pytest.raises(RefusedError):
        post.hand_in(CC, witnessing.COSIGNED, post.cosigned_by(BB))


def test_tiles_are_given_back_to_whose_they_are_and_to_nobody_else(post):
    hashes, text = partners_log(post.network, 20)
    post.hand_in(BB, witnessing.COSIGN, witnessing.CosignRequest(text, 0, b"".join(hashes)))
    for code, expected in ((BB, b"".join(hashes[4:])), (CC, b"")):
        post.hand_in(code, witnessing.WANT_TILES, witnessing.TilesRequest(4))
        given = witnessing.read(witnessing.TilesAnswer, post.queued(code, witnessing.TILES).body)
        assert (given.start, given.hashes) == (4, expected)


def test_a_node_asks_for_its_tiles_until_all_are_here(post, monkeypatch):
    monkeypatch.setattr(witnessing, "MAX_LEAVES", 5)
    now = post.network.now
    own = post.network.members["AA-POL"].signing
    hashes = [bytes([place]) * 32 for place in range(8)]
    text = sign_checkpoint("palermo/AA-POL", 8, merkle.root(hashes), own)
    lines = cosign(text, f"palermo/{BB}", post.network.members[BB].cosigner, now)
    traffic.ask_for_tiles(BB, 0, now=now)
    for start in (0, 5):
        asked = witnessing.read(witnessing.TilesRequest, post.queued(BB, witnessing.WANT_TILES).body)
        assert asked.start == start
        part = b"".join(hashes[start : start + 5])
        post.hand_in(BB, witnessing.TILES, witnessing.TilesAnswer(start, part, text, lines))
    assert list(kept.returned(BB).leaf_hashes) == hashes


def test_a_partner_whose_log_is_not_witnessed_here_proves_one_history(post):
    now = post.network.now
    hashes, text = partners_log(post.network, 20)
    older = sign_checkpoint(f"palermo/{BB}", 12, merkle.root(hashes[:12]), post.network.members[BB].signing)
    for seen in (older, text):
        ledger.witness(BB, seen, now=now)
    assert traffic.ask(now) == 1 and traffic.ask(now) == 0
    asked = witnessing.read(witnessing.ProofRequest, post.queued(BB, witnessing.WANT_PROOF).body)
    proof = merkle.consistency_proof(merkle.nodes(hashes), asked.old, asked.new)
    post.hand_in(BB, witnessing.PROOF, witnessing.ProofAnswer(asked.old, asked.new, proof))
    assert kept.wanted_proofs(now + timedelta(days=9)) == []


def test_this_node_proves_its_own_history_to_whoever_holds_its_checkpoints(post):
    now = post.network.now
    for minutes in (0, 15):
        traffic.turn(now + timedelta(minutes=minutes))
    post.hand_in(CC, witnessing.WANT_PROOF, witnessing.ProofRequest(8, 16))
    answer = witnessing.read(witnessing.ProofAnswer, post.queued(CC, witnessing.PROOF).body)
    assert (answer.old, answer.new) == (8, 16) and answer.hashes
    with pytest.raises(RefusedError):
        post.hand_in(CC, witnessing.WANT_PROOF, witnessing.ProofRequest(7, 16))


def test_a_log_that_proves_nothing_is_named(post, make_officer):
    from palermo.node.office import queries as office

    now = post.network.now
    for size in (12, 20):
        text = sign_checkpoint(f"palermo/{BB}", size, bytes([size]) * 32, post.network.members[BB].signing)
        ledger.witness(BB, text, now=now)
    traffic.ask(now)
    traffic.ask(now + timedelta(days=3))
    (task,) = office.work_queue(make_officer("auditor", "auditor"))
    assert BB in task.title and "20 entries" in task.title


def test_an_envelope_carries_the_newest_checkpoint_of_both_logs(post):
    now, member = post.network.now, post.network.members[BB]
    traffic.turn(now)
    _, text = partners_log(post.network, 20)
    ledger.witness(BB, text, now=now)
    send(recipient=BB, payload_type="palermo/x+v1", payload=b"x", case_reference="", purpose="a test", now=now)
    opened = open_envelope(
        bytes(Outgoing.objects.get().envelope),
        {member.recipient.key_id: member.recipient},
        lambda _: [post.network.members["AA-POL"].signing.public],
    )
    assert opened.header.checkpoint == queries.newest_checkpoint()
    assert opened.header.partner_checkpoint == text
