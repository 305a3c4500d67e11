"""Use limitation between nodes (UNTOC 18(19), 18(5)): what a partner gave is used elsewhere with its consent alone."""

import hashlib
from datetime import timedelta

import pytest

from palermo.node.evidence import actions, queries, use_queries
from palermo.node.evidence.errors import UseLimitError
from palermo.node.evidence.messages import ANSWER_TYPE, QUESTION_TYPE, AnswerMessage, QuestionMessage
from palermo.node.evidence.models import Question, UseConsent
from palermo.node.evidence.states import QuestionState
from palermo.node.evidence.uses import Use
from palermo.node.ledger import queries as ledger
from palermo.node.office import actions as office
from palermo.node.office import queries as office_queries
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError

WHY = {
    "intended": "Used in the related case",
    "legal_basis": "UNTOC Art. 18(19)",
    "reasons": "The same account paid both groups.",
}


@pytest.fixture
def given(hands):
    return hands.give()


def ask(hands, given, use="case", target="", recipient="", officer="investigator", **why):
    with hands.world.at(hands.A) as node:
        return actions.ask_use(
            node.officer(officer),
            item=given.theirs,
            use=use,
            target=target,
            recipient=recipient,
            now=hands.world.tick(),
            **{**WHY, **why},
        ).reference


def decide(hands, reference, outcome="granted", officer="central_authority", **more):
    with hands.world.at(hands.B) as node:
        return actions.propose_answer(
            node.officer(officer),
            reference,
            outcome=outcome,
            reasons="The purpose is covered by our law.",
            now=hands.world.tick(),
            **more,
        )


def approve(hands, reference, officer="second_central", *, approved=True):
    with hands.world.at(hands.B) as node:
        asked = use_queries.approval(node.officer(officer), reference)
        office.decide_approval(
            node.officer(officer), asked.pk, approved=approved, reason="Read.", now=hands.world.tick()
        )


def send(hands, reference):
    with hands.world.at(hands.B) as node:
        return actions.send_answer(node.officer("central_authority"), reference, now=hands.world.tick())


def grant(hands, given, **asked):
    """Ask, decide, approve, send, deliver."""
    reference = ask(hands, given, **asked)
    hands.post()
    decide(hands, reference)
    approve(hands, reference)
    send(hands, reference)
    hands.post()
    return reference


def use_in(hands, item, case):
    with hands.world.at(hands.A) as node:
        return actions.use_in_case(node.officer("central_authority"), item=item, case=case, now=hands.world.tick())


def test_consent_comes_through_the_exchange_and_opens_that_use_alone(hands, given):
    other, third = hands.another_case(hands.A), hands.another_case(hands.A)
    with pytest.raises(UseLimitError, match="BB-POL"):
        use_in(hands, given.theirs, other)
    reference = ask(hands, given, target=other)
    assert hands.post() == ["accepted"]
    with pytest.raises(UseLimitError):
        use_in(hands, given.theirs, other)  # a question opens nothing
    decide(hands, reference, conditions="Not before the trial in ours.", until=hands.world.now + timedelta(days=30))
    with pytest.raises(ConflictError, match="second person"):
        send(hands, reference)
    approve(hands, reference)
    assert send(hands, reference).state is QuestionState.GRANTED
    assert hands.post() == ["accepted"]
    copy = use_in(hands, given.theirs, other)
    assert (copy.case, copy.origin.value) == (other, "received")
    with pytest.raises(UseLimitError):
        use_in(hands, given.theirs, third)
    with hands.world.at(hands.A) as node:
        officer = node.officer("supervisor")
        row = use_queries.question(officer, reference)
        assert (row.state, row.conditions) == (QuestionState.GRANTED, "Not before the trial in ours.")
        (consent,) = queries.consents(officer, given.theirs)
        assert consent.question == reference and consent.given_by.startswith("BB-POL, ")
        kinds = [entry.kind for entry in ledger.entries(officer)]
        assert "sent.palermo/evidence.use-question+v1" in kinds
        assert "received.palermo/evidence.use-answer+v1" in kinds
        assert any("granted the use" in task.title for task in office_queries.work_queue(officer))


def test_a_consent_ends_by_its_date_and_closes_what_it_opened(hands, given):
    other = hands.another_case(hands.A)
    reference = ask(hands, given, target=other)
    hands.post()
    decide(hands, reference, until=hands.world.now + timedelta(days=3))
    approve(hands, reference)
    send(hands, reference)
    hands.post()
    copy = use_in(hands, given.theirs, other)
    hands.world.now += timedelta(days=4)
    with pytest.raises(UseLimitError):
        use_in(hands, given.theirs, hands.another_case(hands.A))
    with hands.world.at(hands.A) as node, pytest.raises(UseLimitError, match="has ended"):
        queries.content(node.officer("central_authority"), copy.reference, now=hands.world.now)


def test_a_withdrawn_consent_closes_what_it_opened(hands, given):
    other = hands.another_case(hands.A)
    reference = grant(hands, given, target=other)
    copy = use_in(hands, given.theirs, other)
    with hands.world.at(hands.B) as node:
        officer = node.officer("central_authority")
        with pytest.raises(InvalidError):
            actions.withdraw_consent(officer, reference, reasons=" ", now=hands.world.tick())
        actions.withdraw_consent(officer, reference, reasons="Our court annulled it.", now=hands.world.tick())
        with pytest.raises(ConflictError):
            actions.withdraw_consent(officer, reference, reasons="Again.", now=hands.world.tick())
    hands.post()
    with hands.world.at(hands.A) as node:
        officer = node.officer("central_authority")
        assert use_queries.question(officer, reference).state is QuestionState.WITHDRAWN
        with pytest.raises(UseLimitError, match="has ended"):
            queries.content(officer, copy.reference, now=hands.world.now)
        assert queries.content(officer, given.theirs, now=hands.world.now).read_bytes() == hands.STATEMENT
        (consent,) = queries.consents(officer, given.theirs)
        assert consent.withdrawn_because == "Our court annulled it."


def test_a_refusal_leaves_at_once_and_opens_nothing(hands, given):
    other = hands.another_case(hands.A)
    reference = ask(hands, given, target=other)
    hands.post()
    assert decide(hands, reference, "refused").state is QuestionState.REFUSED
    hands.post()
    with hands.world.at(hands.A) as node:
        assert use_queries.question(node.officer("supervisor"), reference).state is QuestionState.REFUSED
        assert not UseConsent.objects.exists()
    with pytest.raises(UseLimitError):
        use_in(hands, given.theirs, other)
    assert ask(hands, given, target=other) != reference  # asking again is a question of its own


def test_a_changed_or_declined_proposal_does_not_leave(hands, given):
    reference = ask(hands, given, target=hands.another_case(hands.A))
    hands.post()
    decide(hands, reference)
    approve(hands, reference)
    decide(hands, reference, conditions="Only for the indictment.")  # other words than those approved
    with pytest.raises(ConflictError, match="exact words"):
        send(hands, reference)
    approve(hands, reference, approved=False)
    with pytest.raises(ConflictError, match="exact words"):
        send(hands, reference)


def test_shared_on_with_consent_and_with_whom_it_names_alone(hands, given):
    request = "CC-POL-REQ-2026-000001"

    def seal(recipient):
        return hands.pass_on(hands.A, recipient, given.theirs, request)

    with pytest.raises(UseLimitError):
        seal(hands.C)
    grant(hands, given, use="share", target=request, recipient=hands.C, officer="central_authority")
    onward = seal(hands.C)
    with hands.world.at(hands.C) as node:
        officer = node.officer("central_authority")
        assert queries.item(officer, onward.theirs).origin.value == "received"
        with pytest.raises(UseLimitError, match="AA-POL"):  # bound again, by who gave it here
            actions.use_in_case(officer, item=onward.theirs, case=hands.another_case(hands.C), now=hands.world.tick())


def test_what_another_gave_us_is_not_ours_to_grant(hands, given):
    request = "CC-POL-REQ-2026-000001"
    grant(hands, given, use="share", target=request, recipient=hands.C, officer="central_authority")
    onward = hands.pass_on(hands.A, hands.C, given.theirs, request)
    other = hands.another_case(hands.C)
    with hands.world.at(hands.C) as node:
        reference = actions.ask_use(
            node.officer("central_authority"),
            item=onward.theirs,
            use="case",
            target=other,
            now=hands.world.tick(),
            **WHY,
        ).reference
    hands.post()
    with hands.world.at(hands.A) as node, pytest.raises(UseLimitError, match="BB-POL"):
        actions.propose_answer(
            node.officer("central_authority"), reference, outcome="granted", reasons="Fine.", now=hands.world.tick()
        )


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"use": "stated", "target": "x"}, InvalidError),
        ({"use": "court", "target": "The trial before the court of Port Meridian"}, ConflictError),
        ({"use": "export", "target": ""}, InvalidError),
        ({"use": "share", "target": "CC-POL-REQ-2026-000001"}, InvalidError),
        ({"use": "share", "target": "CC-POL-REQ-2026-000001", "recipient": "ZZ-POL"}, InvalidError),
        ({"use": "export", "target": "Training", "recipient": "CC-POL"}, InvalidError),
        ({"use": "export", "target": "Training", "reasons": ""}, InvalidError),
        ({"use": "export", "target": "Training", "intended": "x" * 2001}, InvalidError),
        ({"use": "case", "target": "AA-POL-CASE-2026-009999", "officer": "investigator"}, NotFoundError),
    ],
)
def test_a_question_that_says_too_little_or_is_needless_is_refused(hands, given, asked, wrong):
    with pytest.raises(wrong):
        ask(hands, given, **asked)
    with hands.world.at(hands.A):
        assert not Question.objects.exists()


def test_asked_once_and_only_of_whom_the_exchange_reaches(hands, given):
    ask(hands, given, use="export", target="Training")
    with pytest.raises(ConflictError, match="asked already"):
        ask(hands, given, use="export", target="Training")
    tip = hands.add(hands.A, b"tip", origin="intelligence", originator="Desk of CC")
    with hands.world.at(hands.A) as node, pytest.raises(ConflictError, match="letter"):
        actions.ask_use(
            node.officer("investigator"), item=tip, use="court", target="The trial", now=hands.world.tick(), **WHY
        )
    with hands.world.at(hands.A) as node, pytest.raises(ConflictError, match="exchange"):
        letter(hands, node.officer("central_authority"), given.theirs, use="export", target="Training")


def letter(hands, officer, item, **use):
    return actions.record_consent(
        officer,
        item=item,
        given_by="Head of the desk",
        statement="You may put it before the court.",
        document="Letter of 1 March 2026, file 7",
        reason="It has no node.",
        now=hands.world.tick(),
        **use,
    )


def test_intelligence_enters_nothing_without_its_originators_recorded_consent(hands):
    tip = hands.add(hands.A, b"tip", origin="intelligence", originator="Desk of Farland")
    share = {"use": "share", "target": "CC-POL-REQ-2026-000001", "recipient": hands.C}
    with pytest.raises(UseLimitError, match="not evidence"):
        hands.pass_on(hands.A, hands.C, tip)
    with hands.world.at(hands.A) as node:
        for nobody in ("investigator", "auditor"):
            with pytest.raises(AccessDeniedError):
                letter(hands, node.officer(nobody), tip, **share)
        with pytest.raises(InvalidError):
            letter(hands, node.officer("central_authority"), tip, **{**share, "target": ""})
        consent = letter(hands, node.officer("central_authority"), tip, **share)
    hands.pass_on(hands.A, hands.C, tip)
    with hands.world.at(hands.A) as node:
        actions.end_consent(
            node.officer("central_authority"), consent=consent.pk, because="Letter of 3 March.", now=hands.world.tick()
        )
    with pytest.raises(UseLimitError):
        hands.pass_on(hands.A, hands.C, tip)


def test_a_partner_asks_only_about_what_it_was_given_and_learns_nothing_else(hands, given):
    kept = hashlib.sha256(b"held, never given").hexdigest()
    hands.add(hands.B, b"held, never given")
    good = {
        "reference": "AA-POL-USE-2026-000009",
        "package": given.package,
        "sha256": hashlib.sha256(hands.STATEMENT).hexdigest(),
        "use": Use.EXPORT,
        "recipient": "",
        "target": "Training",
        "asked_by": "X",
        "asked_at": hands.world.now,
        **WHY,
    }

    def sent(sender=hands.A, **changes):
        payload = QuestionMessage(**{**good, **changes}).to_bytes()
        return hands.raw(sender, hands.B, QUESTION_TYPE, payload)

    nothing = {sent(sha256=kept), sent(sha256="0" * 64), sent(package="BB-POL-PKG-2026-000099")}
    nothing.add(sent(hands.C, reference="CC-POL-USE-2026-000001"))
    assert nothing == {("rejected", "We gave you no such item in that package. Check package and digest.")}
    for wrong in (
        {"reference": "CC-POL-USE-2026-000001"},
        {"reference": "AA-POL-USE-x"},
        {"reasons": " "},
        {"intended": "x" * 2001},
        {"use": Use.STATED},
        {"target": ""},
    ):
        assert sent(**wrong)[0] == "rejected"
    assert sent()[0] == "accepted"
    assert "received before" in sent()[1]
    assert hands.raw(hands.A, hands.B, QUESTION_TYPE, b"{}")[0] == "rejected"


def test_an_answer_to_what_was_never_asked_or_out_of_turn_is_refused(hands, given):
    reference = ask(hands, given, use="export", target="Training")
    hands.post()
    good = {"outcome": "granted", "reasons": "Yes.", "decided_by": "X", "decided_at": hands.world.now}

    def sent(sender=hands.B, name=reference, **changes):
        payload = AnswerMessage(**{**good, **changes, "reference": name}).to_bytes()
        return hands.raw(sender, hands.A, ANSWER_TYPE, payload)[0]

    assert sent(hands.C) == sent(name="AA-POL-USE-2026-000099") == "rejected"
    assert sent(outcome="withdrawn") == sent(outcome="maybe") == sent(reasons="") == "rejected"
    assert sent() == "accepted"
    assert sent() == sent(outcome="refused") == "rejected"
    assert sent(outcome="withdrawn") == "accepted"


def test_silence_is_put_before_the_team(hands, given):
    from palermo.node.evidence import jobs

    reference = ask(hands, given, use="export", target="Training")
    hands.post()
    hands.world.now += timedelta(days=31)
    with hands.world.at(hands.A) as node:
        jobs.PERIODIC["evidence.silence"](hands.world.now)
        jobs.PERIODIC["evidence.silence"](hands.world.now)
        titles = [task.title for task in office_queries.work_queue(node.officer("investigator"))]
        assert titles.count(f"BB-POL has not answered {reference} in 30 days") == 1


@pytest.mark.parametrize("who", ["outsider", "auditor", "administrator"])
def test_without_need_to_know_there_is_no_question(hands, given, who):
    reference = ask(hands, given, use="export", target="Training")
    hands.post()
    for code in (hands.A, hands.B):
        with hands.world.at(code) as node:
            seen = []
            for name in (reference, "AA-POL-USE-2026-000999"):
                for read in (use_queries.question, use_queries.question_steps, use_queries.approval):
                    with pytest.raises((NotFoundError, AccessDeniedError)) as refused:
                        read(node.officer(who), name)
                    seen.append((type(refused.value), str(refused.value)))
            assert len(set(seen)) == 1
