"""Receiving: what a hostile or unlucky sender may do, and what then holds."""

from datetime import timedelta

import pytest

from palermo.node.directory import own_keys
from palermo.node.exchange import actions, handlers, queries
from palermo.node.exchange.models import Equivocation, Incoming
from palermo.node.ledger import queries as ledger
from palermo.node.ledger.models import Checkpoint
from palermo.node.office import queries as office
from palermo.node.office.models import AuditRow
from palermo.sealing.checkpoint import sign_checkpoint
from palermo.sealing.keys import RecipientKey, SigningKey
from palermo.sealing.receipt import ReceiptStatus

ACCEPTED, REJECTED = ReceiptStatus.ACCEPTED, ReceiptStatus.REJECTED


def nothing_was_kept() -> bool:
    return not (
        Incoming.objects.exists() or Equivocation.objects.exists() or AuditRow.objects.exists() or ledger.size()
    )


def flip(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def test_a_message_takes_effect_and_the_receipt_proves_it(partner, notes):
    envelope = partner.envelope(b"hello", message_id="m1", in_reply_to="q1")
    receipt = partner.read(actions.receive(envelope, now=partner.now))
    opened = notes.seen[0]
    assert (opened.sender, opened.message_id, opened.payload, opened.in_reply_to) == ("BB-POL", "m1", b"hello", "q1")
    assert (receipt.status, receipt.message_id, receipt.sender, receipt.recipient, receipt.reason) == (
        ACCEPTED,
        "m1",
        "BB-POL",
        "AA-POL",
        "",
    )
    assert receipt.ledger_index == opened.ledger_index == 0
    fields = {field.name: field.value for field in ledger.opened(0)}
    assert (fields["kind"], fields["envelope"]) == ("received.palermo/test.note+v1", receipt.envelope_digest)
    assert receipt.ledger_checkpoint == "", "the log is signed when its interval ends, not for each message"
    assert bytes(Incoming.objects.get().envelope) == envelope
    assert queries.message("m1").state == "accepted"
    assert queries.check() == [] and ledger.check() == []


def test_the_same_envelope_again_gets_the_same_receipt(partner, notes):
    envelope = partner.envelope()
    first = actions.receive(envelope, now=partner.now)
    for days in (1, 6, 8):  # also after its end: what was taken in was taken in
        assert actions.receive(envelope, now=partner.now + timedelta(days=days)) == first
    assert (len(notes.seen), ledger.size(), Incoming.objects.count()) == (1, 1, 1)


def test_messages_out_of_order_are_all_taken(partner, notes):
    envelopes = [partner.envelope(message_id=f"m{number}") for number in range(3)]
    for envelope in reversed(envelopes):
        assert partner.read(actions.receive(envelope, now=partner.now)).status == ACCEPTED
    assert [message.message_id for message in notes.seen] == ["m2", "m1", "m0"]
    assert sorted(Incoming.objects.values_list("sequence", flat=True)) == [1, 2, 3]


@pytest.mark.parametrize("body", [b"", b"{}", b"palermo-envelope/1\n", b"palermo-envelope/2\n{}\n", b"\x00" * 5000])
def test_what_is_no_envelope_gets_no_receipt(partner, notes, body):
    with pytest.raises(actions.UnreadableError):
        actions.receive(body, now=partner.now)
    assert nothing_was_kept()


def test_a_flipped_bit_anywhere_is_never_taken(partner, notes):
    envelope = partner.envelope()
    head = envelope.index(b"\n", 25)
    for place in [*range(0, head, 7), *range(head, len(envelope), 599), len(envelope) - 1]:
        try:
            receipt = partner.read(actions.receive(flip(envelope, place), now=partner.now))
        except actions.UnreadableError:
            continue
        assert (receipt.status, receipt.ledger_index, receipt.message_id) == (REJECTED, None, "")
    assert nothing_was_kept()


def test_forged_by_another_key(partner, other_partner, notes):
    for key in (SigningKey.generate(), other_partner.member.signing, own_keys.signing_key()):
        receipt = partner.read(actions.receive(partner.envelope(key=key), now=partner.now))
        assert receipt.status == REJECTED and "does not verify" in receipt.reason
    assert nothing_was_kept()


def test_from_a_stranger(partner, notes):
    receipt = partner.read(actions.receive(partner.envelope(sender="ZZ-POL"), now=partner.now))
    assert receipt.status == REJECTED and "lists no authority 'ZZ-POL'" in receipt.reason
    assert nothing_was_kept()


def test_meant_for_another(partner, other_partner, notes):
    """A letter to CC-FIU, posted to AA-POL as it is, or under AA-POL's name."""
    partner.own_public = other_partner.member.recipient.public
    stray = partner.envelope(recipient="CC-FIU")
    receipt = partner.read(actions.receive(stray, now=partner.now))
    assert receipt.status == REJECTED and "check the address" in receipt.reason
    redirected = stray.replace(b'"recipient":"CC-FIU"', b'"recipient":"AA-POL"')
    receipt = partner.read(actions.receive(redirected, now=partner.now))
    assert receipt.status == REJECTED and "newest directory" in receipt.reason
    assert nothing_was_kept()


def test_sealed_to_a_key_that_has_ended(partner, notes):
    partner.own_public = RecipientKey.generate().public
    receipt = partner.read(actions.receive(partner.envelope(), now=partner.now))
    assert receipt.status == REJECTED and "newest directory" in receipt.reason
    assert nothing_was_kept()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"created_at": timedelta(minutes=6), "not_after": timedelta(days=1)}, "clock"),
        ({"created_at": timedelta(days=-8), "not_after": timedelta(days=-1)}, "send a new one"),
        ({"created_at": timedelta(days=-1), "not_after": timedelta(0)}, "send a new one"),
        ({"created_at": timedelta(0), "not_after": timedelta(days=32)}, "earlier end"),
    ],
)
def test_at_the_wrong_time(partner, notes, change, word):
    times = {name: partner.now + delta for name, delta in change.items()}
    receipt = partner.read(actions.receive(partner.envelope(**times), now=partner.now))
    assert receipt.status == REJECTED and word in receipt.reason
    assert notes.seen == [] and not AuditRow.objects.exists()
    assert (Incoming.objects.get().state, receipt.ledger_index) == ("rejected", 0)
    assert ledger.opened(0)[0].value == "refused.palermo/test.note+v1"


def test_a_clock_a_little_ahead_is_no_fault(partner, notes):
    envelope = partner.envelope(created_at=partner.now + timedelta(minutes=4))
    assert partner.read(actions.receive(envelope, now=partner.now)).status == ACCEPTED


def test_of_a_type_that_nobody_knows(partner, notes):
    receipt = partner.read(actions.receive(partner.envelope(payload_type="palermo/new+v9"), now=partner.now))
    assert receipt.status == REJECTED and "palermo/test.note+v1" in receipt.reason


@pytest.mark.parametrize("texts", [{"purpose": "a\x00b"}, {"case_reference": "c" * 201}, {"in_reply_to": "r" * 65}])
def test_with_texts_that_no_row_can_hold(partner, notes, texts):
    receipt = partner.read(actions.receive(partner.envelope(**texts), now=partner.now))
    assert receipt.status == REJECTED and next(iter(texts)) in receipt.reason
    assert nothing_was_kept()


@pytest.mark.parametrize("reason", ["The case is closed here.", ""])
def test_a_refusal_is_signed_entered_and_undoes_the_effect(partner, notes, reason):
    notes.then = handlers.RefusedError(reason)
    envelope = partner.envelope()
    data = actions.receive(envelope, now=partner.now)
    receipt = partner.read(data)
    assert (receipt.status, receipt.reason, receipt.ledger_index) == (REJECTED, reason, 0)
    assert not AuditRow.objects.exists() and ledger.size() == 1
    notes.then = None
    assert actions.receive(envelope, now=partner.now) == data
    assert queries.check() == [] and ledger.check() == []


@pytest.mark.parametrize("error", [handlers.NotYetError("the manifest is on its way"), RuntimeError("a bug")])
def test_not_yet_and_unforeseen_errors_keep_nothing(partner, notes, error):
    notes.then = error
    envelope = partner.envelope()
    with pytest.raises(type(error)):
        actions.receive(envelope, now=partner.now)
    assert nothing_was_kept() and not Checkpoint.objects.exists()
    notes.then = None
    assert partner.read(actions.receive(envelope, now=partner.now)).status == ACCEPTED


WRITES = [
    "palermo.node.ledger.models.Log",
    "palermo.node.ledger.models.Tile",
    "palermo.node.ledger.models.Entry",
    "palermo.node.ledger.models.Witnessed",
    "palermo.node.exchange.models.Incoming",
    "palermo.node.office.models.AuditRow",
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", WRITES)
def test_dying_beside_any_write_is_all_or_nothing(partner, notes, killed_beside, write, when):
    envelope = partner.envelope(checkpoint=sign_checkpoint("palermo/BB-POL", 3, b"r" * 32, partner.member.signing))
    with killed_beside(write, when):
        actions.receive(envelope, now=partner.now)
    assert nothing_was_kept()
    assert partner.read(actions.receive(envelope, now=partner.now)).status == ACCEPTED
    assert (Incoming.objects.count(), ledger.size(), AuditRow.objects.count()) == (1, 1, 1)
    assert queries.check() == [] and ledger.check() == []


@pytest.mark.parametrize("same", ["id", "sequence"])
def test_two_messages_under_one_name_are_kept_as_proof(partner, notes, make_officer, same):
    first = partner.envelope(b"yes", message_id="m1", sequence=1)
    second = partner.envelope(b"no", message_id="m1" if same == "id" else "m2", sequence=2 if same == "id" else 1)
    accepted = actions.receive(first, now=partner.now)
    data = actions.receive(second, now=partner.now)
    receipt = partner.read(data)
    assert receipt.status == REJECTED and f"under this {same}" in receipt.reason
    assert receipt.ledger_index == 1 and ledger.opened(1)[0].value == "equivocation.palermo/test.note+v1"
    assert len(notes.seen) == 1 and Incoming.objects.count() == 1
    assert actions.receive(second, now=partner.now) == data and actions.receive(first, now=partner.now) == accepted
    supervisor = make_officer("supervisor", "supervisor")
    (proof,) = queries.equivocations(supervisor)
    assert (proof.sender, proof.message_id, proof.ledger_index) == ("BB-POL", "m1", 1)
    assert proof.first_digest != proof.second_digest
    assert "signed two different messages" in office.work_queue(supervisor)[0].title
    assert bytes(Equivocation.objects.get().envelope) == second
    assert queries.check() == [] and ledger.check() == []


def test_two_partners_may_use_the_same_id(partner, other_partner, notes):
    for sender in (partner, other_partner):
        receipt = sender.read(actions.receive(sender.envelope(message_id="m1"), now=partner.now))
        assert receipt.status == ACCEPTED


def test_the_senders_checkpoint_is_witnessed(partner, notes, make_officer):
    key = partner.member.signing
    for root in (b"a" * 32, b"b" * 32):
        envelope = partner.envelope(checkpoint=sign_checkpoint("palermo/BB-POL", 9, root, key))
        assert partner.read(actions.receive(envelope, now=partner.now)).status == ACCEPTED
    auditor = make_officer("auditor", "auditor")
    assert [row.conflicts for row in ledger.witnessed(auditor, "BB-POL")] == [True, False]
    foreign = partner.envelope(checkpoint=sign_checkpoint("palermo/CC-FIU", 9, b"a" * 32, key))
    receipt = partner.read(actions.receive(foreign, now=partner.now))
    assert receipt.status == REJECTED and "checkpoint" in receipt.reason


def test_what_the_sender_holds_of_our_log_is_held_against_it(partner, notes, make_officer):
    own = own_keys.signing_key()
    partner.protocol = 2
    fork = partner.envelope(partner_checkpoint=sign_checkpoint("palermo/AA-POL", 9, b"a" * 32, own))
    assert partner.read(actions.receive(fork, now=partner.now)).status == ACCEPTED
    (row,) = ledger.witnessed(make_officer("auditor", "auditor"), "AA-POL")
    assert row.conflicts and row.size == 9
    forged = partner.envelope(
        partner_checkpoint=sign_checkpoint("palermo/AA-POL", 9, b"a" * 32, partner.member.signing)
    )
    receipt = partner.read(actions.receive(forged, now=partner.now))
    assert receipt.status == REJECTED and "partner_checkpoint" in receipt.reason
