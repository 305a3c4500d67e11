"""A log that nobody can give back begins anew: with the recovery key's leave alone, and both logs are named."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from homes import CODES, A, B, C

from palermo.node import restored
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory_queries
from palermo.node.exchange import new_logs, recovery, witnessing
from palermo.node.exchange.models import Incoming, Outgoing
from palermo.node.exchange.states import Outbox
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import auditing, disclosures, logs, notes
from palermo.node.ledger import queries as ledger_queries
from palermo.node.ledger.actions.recovering import nobody_keeps_it
from palermo.node.ledger.models import NewLog, Tile, Witnessed, WitnessedLog, WitnessedTile
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.models import Task
from palermo.sealing import merkle, records
from palermo.sealing import new_log as sealed
from palermo.sealing.checkpoint import parse_checkpoint, sign_checkpoint
from palermo.sealing.cosignature import cosign
from palermo.sealing.directory import open_directory
from palermo.sealing.errors import SealingError
from palermo.sealing.keys import SigningKey
from palermo.sealing.leaf import leaf_bytes, open_fields, salt_fields
from palermo.sealing.ledger_export import verify_export
from palermo.sealing.quorum import Cosignature
from palermo.sealing.verify import Verdict

AUDITOR = SimpleNamespace(pk=1, roles=["auditor"], is_active=True)
ORIGIN = f"palermo/{A}/2"


@pytest.fixture
def lost(nodes):
    """AA-POL after a loss: restored from an old back-up, and its witnesses keep nothing of its log.

    ``note``: the last checkpoint that was cosigned, as an auditor has it in a drawer.
    """
    nodes.write(B, A, "before")
    nodes.write(A, B, "before")
    nodes.settle_down()
    nodes.close_intervals()
    kept = nodes.back_up(A)
    for place in range(4):
        nodes.write(B, A, f"to-a-{place}")
        nodes.write(A, (B, C)[place % 2], f"from-a-{place}")
    nodes.settle_down()
    nodes.close_intervals()
    with nodes.at(A):
        nodes.note = ledger_queries.newest_cosigned().note
        nodes.before = ledger_queries.size()
        nodes.expected = set(Incoming.objects.values_list("message_id", flat=True))
        nodes.sent = set(Outgoing.objects.values_list("message_id", flat=True))
    nodes.restore(A, *kept)
    nodes.kept = kept[1]
    for code in (B, C):
        with nodes.at(code):
            WitnessedTile.objects.all().delete()
            WitnessedLog.objects.all().delete()
    with nodes.at(A):
        recovery.turn(nodes.now)
    nodes.settle_down()
    return nodes


def draft(nodes):
    with nodes.at(A):
        return ledger.draft(notes.read_outside(nodes.note), now=nodes.now)


def go_on(nodes):
    for _ in range(3):
        with nodes.at(A):
            recovery.turn(nodes.now)
        nodes.settle_down()


def tasks(nodes, code):
    with nodes.at(code):
        return [task.title for task in Task.objects.filter(done_at=None)]


def test_a_new_log_cites_the_lost_one_and_partners_resend(lost):
    with lost.at(A):
        assert nobody_keeps_it()
        assert recovery.turn(lost.now) == 0 and restored.log_is_behind(), "it does not go on from the back-up"
    opening = draft(lost)
    assert (opening.lost_origin, opening.origin) == (f"palermo/{A}", ORIGIN)
    assert (opening.kept, opening.first) == (lost.kept, lost.before)
    assert {one.witness for one in opening.cosignatures} == {B, C}
    statement = sealed.sign_opening(opening, lost.recovery)
    with lost.at(A):
        recovery.open_new_log(statement, now=lost.now)
        assert recovery.open_new_log(statement, now=lost.now) == opening, "once more it changes nothing"
        assert ledger_queries.size() == opening.first + 1
        entry = ledger_queries.entry(AUDITOR, opening.first)
        assert entry.kind == sealed.OPENED
        committed = {field.name: field.value for field in ledger_queries.opened(opening.first)}
        assert committed["opening_sha256"] == sealed.opening_digest(statement)
    go_on(lost)
    with lost.at(A):
        assert restored.read() is None
        assert set(Incoming.objects.values_list("message_id", flat=True)) == lost.expected
        assert set(Outgoing.objects.values_list("message_id", flat=True)) == lost.sent
        assert not Outgoing.objects.exclude(state=Outbox.ACCEPTED).exists()
    lost.write(A, B, "after")
    lost.write(B, A, "after")
    lost.settle_down()
    lost.close_intervals()
    for code in CODES:
        with lost.at(code):
            assert not Witnessed.objects.filter(conflicts_with__isnull=False).exists(), "nobody saw a second history"
            assert not Witnessed.objects.filter(partner=code).exists()
            assert ledger_queries.check() == []
    for code in (B, C):
        with lost.at(code):
            (begun,) = ledger_queries.begun(A)
            cited = parse_checkpoint(lost.note[: lost.note.index("— palermo/BB")])
            assert (begun.lost_origin, begun.cited_size, begun.cited_root) == (f"palermo/{A}", cited.size, cited.root)
            assert WitnessedLog.objects.get(partner=A).text.startswith(f"{ORIGIN}\n")
            assert any(f"palermo/{A}" in title and ORIGIN in title for title in _titles()), "both are named"


def _titles():
    return list(Task.objects.values_list("title", flat=True))


def test_the_ledger_is_proven_before_and_after(lost):
    opening = draft(lost)
    with lost.at(A):
        recovery.open_new_log(sealed.sign_opening(opening, lost.recovery), now=lost.now)
    go_on(lost)
    lost.write(A, B, "after")
    lost.settle_down()
    lost.close_intervals()
    with lost.at(A):
        newest = ledger_queries.newest_cosigned()
        assert newest.quorum and newest.log.origin == ORIGIN and newest.covers(opening.first)
        old = disclosures.shown(AUDITOR, 0, 3)
        new = list(disclosures.shown(AUDITOR, opening.first, None))
        for lines in (old, new):
            report = verify_export(lines, directory_queries.trust())
            assert report.verdict is Verdict.PROVEN, report.checks
        heading = replace(records.from_bytes(disclosures.Heading, new[0][:-1], "heading"), new_logs=())
        report = verify_export([records.to_bytes(heading) + b"\n", *new[1:]], directory_queries.trust())
        assert report.verdict is Verdict.REFUSED, "without its opening the new log is nobody's"
        with pytest.raises(InvalidError, match="two logs"):
            disclosures.shown(AUDITOR, opening.first - 1, opening.first + 1)
        for index in (1, opening.first, opening.first + 1):
            proof = ledger_queries.inclusion(index)
            signed = parse_checkpoint(proof.checkpoint)
            leaf = merkle.leaf_hash(proof.leaf)
            merkle.verify_inclusion(leaf, proof.index, proof.size, proof.hashes, signed.root)
            log = sealed.log_of(_directory(), A, proof.new_logs)
            assert (log.origin, log.first + proof.index) == (signed.origin, index)
        audit = auditing.audit(lambda done: None, notes.read_outside(lost.note))
        assert audit.whole and [one.origin for one in audit.logs] == [ORIGIN]
        assert auditing.audit(lambda done: None, notes.read_outside(newest.note)).whole


def _directory():
    return open_directory(directory_queries.directory_bytes(), directory_queries.trust())


def test_what_the_recovery_key_did_not_sign_opens_nothing(lost):
    opening = draft(lost)
    forged = sealed.sign_opening(opening, SigningKey.generate())
    with lost.at(A):
        with pytest.raises(SealingError):
            recovery.open_new_log(forged, now=lost.now)
        assert restored.log_is_behind() and not NewLog.objects.exists()
    with lost.at(B):
        new = beginning(lost, forged, opening)
        with pytest.raises(SealingError):
            ledger.accept_new_log(A, new, now=lost.now)
        assert not NewLog.objects.exists()


def beginning(nodes, statement, opening):
    """What AA-POL would send, with its own key, of an opening that its software would not have taken."""
    fields = salt_fields([("kind", sealed.OPENED), (sealed.OPENING_FIELD, sealed.opening_digest(statement))])
    leaf = leaf_bytes(fields)
    with nodes.at(A):
        text = sign_checkpoint(opening.origin, 1, merkle.leaf_hash(leaf), own_keys.signing_key())
    return sealed.NewLog(statement, leaf, open_fields(fields, sealed.SHOWN), text)


def accept(nodes, code, opening, key=None):
    statement = sealed.sign_opening(opening, key or nodes.recovery)
    new = beginning(nodes, statement, opening)
    with nodes.at(code):
        return ledger.accept_new_log(A, new, now=nodes.now)


def test_a_forged_checkpoint_of_the_lost_log_is_refused_and_named(lost):
    opening = draft(lost)
    size = parse_checkpoint(opening.checkpoint).size
    with lost.at(A):
        text = sign_checkpoint(f"palermo/{A}", size, bytes(32), own_keys.signing_key())
    with pytest.raises(SealingError):
        accept(lost, B, replace(opening, checkpoint=text))
    with pytest.raises(SealingError):
        accept(lost, B, replace(opening, checkpoint=text, cosignatures=()))
    cosigned = cosigned_by(lost, C, text)
    reason = accept(lost, B, replace(opening, checkpoint=text, cosignatures=(cosigned,)))
    assert "another history" in reason
    assert any("two histories" in title for title in tasks(lost, B))
    with lost.at(B):
        assert not NewLog.objects.exists()
    with pytest.raises(SealingError):
        accept(lost, B, replace(opening, authority=C))
    with pytest.raises(SealingError):
        accept(lost, B, replace(opening, first=opening.first - 1))


def cosigned_by(nodes, code, text):
    """What a witness that colludes signs."""
    with nodes.at(code):
        return Cosignature(code, cosign(text, f"palermo/{code}", own_keys.cosigner_key(), nodes.now))


def test_an_opening_that_leaves_out_what_a_witness_cosigned_is_refused(nodes):
    nodes.write(A, B, "before")
    nodes.settle_down()
    nodes.close_intervals()
    kept = nodes.back_up(A)
    with nodes.at(A):
        early = ledger_queries.newest_cosigned().note
    nodes.write(A, B, "more")
    nodes.settle_down()
    nodes.close_intervals()
    nodes.restore(A, *kept)
    with nodes.at(A):
        recovery.turn(nodes.now)
        opening = ledger.draft(notes.read_outside(early), now=nodes.now)
    reason = accept(nodes, B, opening)
    assert "cosigned" in reason and "cite this one" in reason
    assert any("refused" in title for title in tasks(nodes, B))
    nodes.settle_down()
    with nodes.at(A), pytest.raises(ConflictError, match="gave back the log"):
        ledger.draft(now=nodes.now)


def test_a_second_new_log_is_a_second_history(lost):
    opening = draft(lost)
    assert accept(lost, B, opening) == ""
    reason = accept(lost, B, replace(opening, drafted_at=lost.now.replace(year=2027)))
    assert "two histories" in reason
    with lost.at(B):
        assert Witnessed.objects.filter(log=2, conflicts_with__isnull=False).count() == 1
        assert ledger_queries.begun(A) is not None and NewLog.objects.count() == 1
    assert any("two histories" in title for title in tasks(lost, B))


def test_a_new_log_of_which_no_opening_came_is_a_second_history(lost):
    """The node begins anew, and goes on without telling anybody, as one would that has something to hide."""
    with lost.at(A):
        recovery.open_new_log(sealed.sign_opening(draft(lost), lost.recovery), now=lost.now)
        restored.note_asked((C,))
        NewLog.objects.update(told=[B, C])
    with pytest.raises(ConflictError, match="C"):
        lost.write(A, C, "no")
    lost.write(A, B, "unannounced")
    lost.settle_down()
    with lost.at(A):
        row = Outgoing.objects.get(message_id=f"{A}-unannounced")
        assert row.state == Outbox.REJECTED and "no opening of it" in row.reason
    assert any(ORIGIN in title for title in tasks(lost, B)), "it is named"
    with lost.at(A):
        witnessing.turn(lost.now)
    lost.settle_down()
    with lost.at(B):
        assert not WitnessedLog.objects.filter(partner=A).exists(), "nothing of it is cosigned"
    with lost.at(A):
        NewLog.objects.update(told=[C])
        assert new_logs.tell(lost.now) == 1
        assert new_logs.tell(lost.now) == 0
    lost.settle_down()
    with lost.at(B):
        assert not Witnessed.objects.filter(conflicts_with__isnull=False).exists(), "its opening came after it"
        assert logs.of(A).origin == ORIGIN
    lost.write(A, B, "announced")
    lost.settle_down()
    with lost.at(A):
        assert Outgoing.objects.get(message_id=f"{A}-announced").state == Outbox.ACCEPTED


def test_a_whole_log_is_never_begun_anew(nodes):
    nodes.write(A, B, "before")
    nodes.settle_down()
    nodes.close_intervals()
    with nodes.at(A), pytest.raises(ConflictError, match="whole"):
        ledger.draft(now=nodes.now)


def test_an_audit_names_an_opening_that_was_changed_and_a_first_entry_that_is_another(lost):
    with lost.at(A):
        recovery.open_new_log(sealed.sign_opening(draft(lost), lost.recovery), now=lost.now)
        assert ledger_queries.check() == []
        NewLog.objects.update(kept=0)
        assert any(fault.what == "new log" for fault in ledger_queries.check())
        NewLog.objects.update(kept=lost.kept)
        assert ledger_queries.check() == []
        Tile.objects.filter(log=2).update(hashes=bytes(32))
        assert any(fault.what == "ledger tile" for fault in ledger_queries.check())
