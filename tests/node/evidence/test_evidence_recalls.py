"""Recall and retention: every copy is deleted, or it is said why not; and the deletion can be proven."""

import hashlib
from datetime import timedelta

import pytest

from palermo.node.directory import queries as directory
from palermo.node.evidence import actions, blobs, jobs, queries, use_queries
from palermo.node.evidence.errors import DestroyedError, RecalledError
from palermo.node.evidence.messages import RECALL_TYPE, STATEMENT_TYPE, RecallMessage, StatementMessage
from palermo.node.evidence.models import Item, Package, Recall, Statement
from palermo.node.evidence.states import RecallState
from palermo.node.evidence.uses import Intent, Use
from palermo.node.home import blobs_folder, home
from palermo.node.ledger import queries as ledger
from palermo.node.office import queries as office_queries
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError
from palermo.sealing import deletion
from palermo.sealing.directory import open_directory


@pytest.fixture
def given(hands):
    return hands.give()


def recall(hands, given, code=None, reason="The order to produce it was annulled."):
    with hands.world.at(code or hands.B) as node:
        return actions.recall_item(
            node.officer("central_authority"),
            item=given.ours,
            package=given.package,
            reason=reason,
            now=hands.world.tick(),
        ).reference


def delete(hands, reference, code=None):
    code = code or hands.A
    with hands.world.at(code) as node:
        actions.delete_recalled(node.officer("central_authority"), reference, now=hands.world.tick())
    hands.work(code)


def consent_by_letter(hands, given, **use):
    """As if the provider had consented: the tests of consents show how it does."""
    from palermo.node.evidence import limits

    with hands.world.at(hands.A) as node:
        limits.new_consent(
            Item.objects.get(reference=given.theirs),
            Intent(**use),
            given_by="BB-POL",
            statement="Agreed.",
            recorded_by_id=node.officer("central_authority").pk,
            recorded_at=hands.world.tick(),
        )


def prove(hands, code):
    with hands.world.at(code):
        jobs.PERIODIC["evidence.proofs"](hands.world.tick())


def files_with(content):
    """Every file below the home that holds these bytes, packed or not: there must be none."""
    return [path for path in home().rglob("*") if path.is_file() and content in path.read_bytes()]


def test_a_recall_stops_use_at_once(hands, given):
    reference = recall(hands, given)
    assert hands.post() == ["accepted"]
    with hands.world.at(hands.A) as node:
        officer = node.officer("central_authority")
        for read, name in ((queries.content, given.theirs), (queries.package_path, given.package)):
            with pytest.raises(RecalledError, match=reference):
                read(officer, name, now=hands.world.now)
        with pytest.raises(RecalledError):
            actions.ask_use(
                officer,
                item=given.theirs,
                use="export",
                target="Training",
                intended="x",
                legal_basis="y",
                reasons="z",
                now=hands.world.tick(),
            )
        (task,) = [task for task in office_queries.work_queue(officer) if task.kind == "evidence.recall"]
        assert task.link == f"/recalls/{reference}/" and task.due_at


def test_deleted_with_every_copy_and_stated_under_the_log(hands, given):
    other = hands.another_case(hands.A)
    consent_by_letter(hands, given, use=Use.CASE, target=other)
    with hands.world.at(hands.A) as node:
        copy = actions.use_in_case(
            node.officer("central_authority"), item=given.theirs, case=other, now=hands.world.tick()
        )
        assert files_with(hands.STATEMENT)
    reference = recall(hands, given)
    hands.post()
    delete(hands, reference)
    hands.post()
    with hands.world.at(hands.A) as node:
        officer = node.officer("central_authority")
        assert not files_with(hands.STATEMENT) and not list(blobs_folder().rglob("[0-9a-f]" * 64))
        for name in (given.theirs, copy.reference):
            with pytest.raises(DestroyedError):
                queries.content(officer, name, now=hands.world.now)
            row = queries.item(officer, name)
            assert (row.what, row.custody[-1].verb) == ("Destroyed", "destroyed")
        assert queries.check() == [] and ledger.check() == []
        (said,) = use_queries.recall(officer, reference).statements
        assert said.items == ((hashlib.sha256(hands.STATEMENT).hexdigest(), given.package, 3),)
        entry = dict(ledger.entry(node.officer("supervisor"), said.ledger_index).fields)
        assert entry["kind"] == "evidence.destroyed" and entry["statement_sha256"] == said.digest
    with hands.world.at(hands.B) as node:
        row = use_queries.recall(node.officer("central_authority"), reference)
        assert row.state is RecallState.DELETED and row.statements[0].digest == said.digest
        assert row.statements[0].proven_at is None
        assert queries.content(node.officer("supervisor"), given.ours).read_bytes() == hands.STATEMENT


def test_the_proof_follows_and_is_verified_offline(hands, given):
    reference = recall(hands, given)
    hands.post()
    delete(hands, reference)
    hands.post()
    prove(hands, hands.A)
    prove(hands, hands.A)
    assert hands.post() == ["accepted"]
    with hands.world.at(hands.B) as node:
        officer = node.officer("central_authority")
        (said,) = use_queries.recall(officer, reference).statements
        assert said.proven_at is not None
        signed, proof = use_queries.statement_files(officer, said.reference)
        network = open_directory(directory.directory_bytes(), directory.trust())
        quorum = deletion.verify_proof(signed, deletion.read_proof(proof), directory.verify_keys(hands.A), network)
        assert not quorum.possible  # this network lists no witnesses of two states: the log alone vouches


def test_kept_on_a_legal_ground_serves_that_ground_alone(hands, given):
    reference = recall(hands, given)
    hands.post()

    def keep(**changes):
        said = {"ground": "court_file", "provision": "Court of Port Meridian, 7/2026, s. 12", "reasons": "Filed."}
        with hands.world.at(hands.A) as node:
            return actions.keep_recalled(
                node.officer("central_authority"), reference, now=hands.world.tick(), **{**said, **changes}
            )

    for missing in ({"ground": "because"}, {"provision": " "}, {"reasons": ""}, {"reasons": "x" * 2001}):
        with pytest.raises(InvalidError):
            keep(**missing)
    assert keep().state is RecallState.KEPT
    with pytest.raises(ConflictError):
        keep()
    hands.post()
    with hands.world.at(hands.B) as node:
        row = use_queries.recall(node.officer("supervisor"), reference)
        assert (row.state, row.ground, row.reasons) == (RecallState.KEPT, "court_file", "Filed.")
    with hands.world.at(hands.A) as node:
        officer = node.officer("central_authority")
        assert queries.content(officer, given.theirs).read_bytes() == hands.STATEMENT
        with pytest.raises(RecalledError):
            queries.content(officer, given.theirs, Intent(Use.EXPORT, target="Training"))
    delete(hands, reference)  # the ground fell away
    hands.post()
    with hands.world.at(hands.B) as node:
        assert use_queries.recall(node.officer("supervisor"), reference).state is RecallState.DELETED


def test_the_deletion_travels_to_whom_it_was_shared_on_with(hands, given):
    request = "CC-POL-REQ-2026-000001"
    consent_by_letter(hands, given, use=Use.SHARE, target=request, recipient=hands.C)
    onward = hands.pass_on(hands.A, hands.C, given.theirs, request)
    reference = recall(hands, given)
    hands.post()
    hands.work(hands.A)
    hands.work(hands.A)
    hands.post()
    with hands.world.at(hands.C) as node:
        (theirs,) = Recall.objects.all()
        assert theirs.partner == hands.A and "BB-POL" in theirs.reason
        with pytest.raises(RecalledError):
            queries.content(node.officer("central_authority"), onward.theirs)
    delete(hands, reference)
    delete(hands, theirs.reference, hands.C)
    hands.post()
    hands.work(hands.A)
    prove(hands, hands.C)
    hands.post()
    hands.work(hands.A)
    hands.post()
    with hands.world.at(hands.B) as node:
        row = use_queries.recall(node.officer("central_authority"), reference)
        by = {said.authority: said for said in row.statements}
        assert by.keys() == {hands.A, hands.C} and by[hands.A].passed_on == (hands.C,)
        assert by[hands.C].proven_at is not None
    for code in (hands.A, hands.C):
        with hands.world.at(code):
            assert not files_with(hands.STATEMENT) and queries.check() == []


def test_a_crash_between_decision_and_statement_loses_neither(hands, given, monkeypatch):
    reference = recall(hands, given)
    hands.post()
    with hands.world.at(hands.A) as node:
        actions.delete_recalled(node.officer("central_authority"), reference, now=hands.world.tick())
        with pytest.raises(ConflictError, match="under way"):
            actions.delete_recalled(node.officer("central_authority"), reference, now=hands.world.tick())
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr("palermo.node.evidence.statements.make", _die)
            jobs.JOB_HANDLERS["evidence.destroy_recalled"]({"recall": reference}, lambda _: None, hands.world.tick())
        assert not Statement.objects.exists() and Recall.objects.get().state == RecallState.RECALLED
    hands.work(hands.A)
    hands.work(hands.A)
    with hands.world.at(hands.A):
        jobs.JOB_HANDLERS["evidence.destroy_recalled"]({"recall": reference}, lambda _: None, hands.world.tick())
        assert Statement.objects.count() == 1 and Recall.objects.get().state == RecallState.DELETED


def _die(*args, **kwargs):
    raise KeyboardInterrupt


def test_our_own_original_stays_where_the_same_bytes_are_recalled(hands):
    with hands.world.at(hands.A):
        own = hands.add(hands.A)
    given = hands.give()
    reference = recall(hands, given)
    hands.post()
    delete(hands, reference)
    with hands.world.at(hands.A) as node:
        assert queries.content(node.officer("supervisor"), own).read_bytes() == hands.STATEMENT
        assert queries.check() == []
    with pytest.raises(ConflictError):  # nothing that we hold as our own is anyone's to recall
        recall(hands, given)


def test_a_recall_is_of_what_was_given_and_a_statement_of_what_was_recalled(hands, given):
    good = {
        "reference": "BB-POL-RCL-2026-000009",
        "package": given.package,
        "sha256": hashlib.sha256(hands.STATEMENT).hexdigest(),
        "reason": "x",
        "recalled_by": "y",
        "recalled_at": hands.world.now,
        "due_at": hands.world.now,
    }

    def sent(sender=hands.B, **changes):
        return hands.raw(sender, hands.A, RECALL_TYPE, RecallMessage(**{**good, **changes}).to_bytes())[0]

    assert sent(hands.C, reference="CC-POL-RCL-2026-000001") == "rejected"
    assert sent(sha256="0" * 64) == sent(package="x") == sent(reference="AA-POL-RCL-2026-000001") == "rejected"
    assert sent(reason="") == sent(reason="x" * 2001) == "rejected"
    with hands.world.at(hands.A):
        assert not Recall.objects.exists()
    reference = recall(hands, given)
    hands.post()
    with hands.world.at(hands.C):
        from palermo.node.directory import own_keys

        forged = deletion.sign_statement(
            deletion.DeletionStatement(
                reference="AA-POL-DEL-2026-000001",
                authority=hands.A,
                provider=hands.B,
                cause="recall",
                recall=reference,
                rule="",
                items=(deletion.DeletedItem(good["sha256"], given.package, 1),),
                deleted_by="x",
                deleted_at=hands.world.now,
                ledger_index=0,
            ),
            own_keys.signing_key(),
        )
    for message in (StatementMessage(reference, forged), StatementMessage("BB-POL-RCL-2026-000099", forged)):
        assert hands.raw(hands.A, hands.B, STATEMENT_TYPE, message.to_bytes())[0] == "rejected"
    assert hands.raw(hands.C, hands.B, STATEMENT_TYPE, StatementMessage(reference, forged).to_bytes())[0] == "rejected"
    assert sent() == "rejected"  # recalled already
    with hands.world.at(hands.B):
        assert Recall.objects.get(reference=reference).state == RecallState.RECALLED and not Statement.objects.exists()


def test_silence_after_a_recall_is_put_before_the_team(hands, given):
    reference = recall(hands, given)
    hands.post()
    hands.world.now += timedelta(days=15)
    with hands.world.at(hands.B) as node:
        jobs.PERIODIC["evidence.silence"](hands.world.now)
        titles = [task.title for task in office_queries.work_queue(node.officer("supervisor"))]
        assert f"AA-POL has not answered recall {reference} in 14 days" in titles


def test_retention_ends_by_rule_and_leaves_its_proof(hands, given):
    ends = hands.world.now.date() + timedelta(days=30)
    kept = hands.add(hands.A, b"no date")
    held = hands.add(hands.A, b"held back")
    with hands.world.at(hands.A) as node:
        officer = node.officer("central_authority")
        case = hands.world.cases[hands.A]
        for wrong in ({"until": hands.world.now.date()}, {"rule": " "}, {"items": ["AA-POL-ITEM-2026-000999"]}):
            good = {"items": [given.theirs, held], "until": ends, "rule": "Police Act s. 40"}
            with pytest.raises(InvalidError):
                actions.set_retention(officer, case=case, now=hands.world.tick(), **{**good, **wrong})
        actions.set_retention(officer, case=case, now=hands.world.tick(), **good)
        actions.hold(officer, item=held, ground="Court order 9/2026", now=hands.world.tick())
    end = jobs.PERIODIC["evidence.retention"]
    with hands.world.at(hands.A):
        assert end(hands.world.now + timedelta(days=29)) == 0
        hands.world.now += timedelta(days=31)
        assert (end(hands.world.now), end(hands.world.now)) == (1, 0)
    hands.work(hands.A)
    prove(hands, hands.A)
    with hands.world.at(hands.A) as node:
        officer = node.officer("central_authority")
        (said,) = use_queries.statements_of(officer, given.theirs)
        assert (said.cause, said.recall) == ("retention", "") and said.rule.startswith("Police Act s. 40; ended ")
        assert said.proven_at is not None
        assert not files_with(hands.STATEMENT) and queries.check() == []
        for name in (kept, held):
            assert queries.content(officer, name).is_file()
        assert Package.objects.get(reference=given.package).destroyed_at is not None
        actions.hold(officer, item=held, ground="", now=hands.world.tick())
        assert end(hands.world.now) == 1


def test_a_recall_of_what_retention_destroyed_is_answered_by_a_statement(hands, given):
    with hands.world.at(hands.A) as node:
        actions.set_retention(
            node.officer("supervisor"),
            case=hands.world.cases[hands.A],
            until=hands.world.now.date() + timedelta(days=1),
            rule="Police Act s. 40",
            now=hands.world.tick(),
        )
        hands.world.now += timedelta(days=2)
        jobs.PERIODIC["evidence.retention"](hands.world.now)
    hands.work(hands.A)
    reference = recall(hands, given)
    hands.post()
    delete(hands, reference)
    hands.post()
    with hands.world.at(hands.B) as node:
        assert use_queries.recall(node.officer("supervisor"), reference).state is RecallState.DELETED


@pytest.mark.parametrize("who", ["outsider", "auditor", "administrator"])
def test_without_need_to_know_there_is_no_recall_and_no_statement(hands, given, who):
    reference = recall(hands, given)
    hands.post()
    delete(hands, reference)
    with hands.world.at(hands.A) as node:
        statement = Statement.objects.get().reference
        reads = [
            (use_queries.recall, reference),
            (use_queries.recall_steps, reference),
            (use_queries.statement, statement),
            (use_queries.statement_files, statement),
            (use_queries.statements_of, given.theirs),
            (use_queries.recalls, given.theirs),
        ]
        seen = set()
        for read, name in reads:
            for asked in (name, "AA-POL-X-2026-000999"):
                with pytest.raises((NotFoundError, AccessDeniedError)) as refused:
                    read(node.officer(who), asked)
                seen.add((type(refused.value), str(refused.value)))
        assert len(seen) == 1
        with pytest.raises((NotFoundError, AccessDeniedError)):
            actions.delete_recalled(node.officer(who), reference, now=hands.world.now)


def test_only_some_may_recall_and_destroy(hands, given):
    with hands.world.at(hands.B) as node, pytest.raises(AccessDeniedError):
        actions.recall_item(
            node.officer("investigator"), item=given.ours, package=given.package, reason="x", now=hands.world.now
        )
    reference = recall(hands, given)
    hands.post()
    with hands.world.at(hands.A) as node, pytest.raises(AccessDeniedError):
        actions.delete_recalled(node.officer("investigator"), reference, now=hands.world.now)
    with hands.world.at(hands.B) as node, pytest.raises(ConflictError, match="our own"):
        actions.delete_recalled(node.officer("central_authority"), reference, now=hands.world.now)


def test_blobs_know_their_place():
    assert blobs.path_of("ab" * 32).parent.name == "ab"
