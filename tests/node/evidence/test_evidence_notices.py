"""What is exculpatory may be disclosed to an accused person, with the notice that UNTOC 18(19) and 18(5) ask for."""

from datetime import timedelta

import pytest

from palermo.node.evidence import actions, notice_queries, queries
from palermo.node.evidence.errors import UseLimitError
from palermo.node.evidence.models import Notice
from palermo.node.evidence.states import NoticeState
from palermo.node.evidence.uses import Intent, Use
from palermo.node.office import queries as office_queries
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError


@pytest.fixture
def given(hands):
    return hands.give(tlp="red", handling_code="H3", use_limit="Not to be shown to anyone.")


def notify(hands, given, officer="central_authority", **changes):
    said = {
        "item": given.theirs,
        "why": "The payments came from another person's device.",
        "proceedings": "State v. Varga, court of Port Meridian: to counsel of the accused",
        "planned_at": hands.world.now + timedelta(days=3),
    }
    with hands.world.at(hands.A) as node:
        return actions.give_notice(node.officer(officer), now=hands.world.tick(), **{**said, **changes}).reference


def step(hands, code, what, *args, **more):
    with hands.world.at(code) as node:
        return what(node.officer("central_authority"), *args, now=hands.world.tick(), **more)


def opened(hands, given, notice):
    with hands.world.at(hands.A) as node:
        officer = node.officer("central_authority")
        return queries.content(officer, given.theirs, Intent(Use.EXCULPATORY, target=notice)).read_bytes()


def test_notice_then_disclosure_and_the_provider_knows_of_both(hands, given):
    with pytest.raises(UseLimitError, match="notice"):
        opened(hands, given, "AA-POL-NTC-2026-000001")
    reference = notify(hands, given)
    with pytest.raises(ConflictError, match="not come"):
        step(hands, hands.A, actions.disclose, reference)
    hands.world.now += timedelta(days=4)
    with pytest.raises(ConflictError, match="No receipt"):
        step(hands, hands.A, actions.disclose, reference)
    hands.post()
    with pytest.raises(UseLimitError, match="record the disclosure"):
        opened(hands, given, reference)
    assert step(hands, hands.A, actions.disclose, reference).state is NoticeState.DISCLOSED
    assert opened(hands, given, reference) == hands.STATEMENT
    hands.post()
    with hands.world.at(hands.B) as node:
        row = notice_queries.notice(node.officer("supervisor"), reference)
        assert (row.state, row.article) == (NoticeState.DISCLOSED, "UNTOC Art. 18(19)") and row.disclosed_by
        assert any("will disclose" in task.title for task in office_queries.work_queue(node.officer("supervisor")))
    with pytest.raises(ConflictError):
        step(hands, hands.A, actions.drop_notice, reference, reasons="No longer needed.")


def test_if_so_requested_the_provider_is_consulted_first(hands, given):
    reference = notify(hands, given)
    hands.post()
    with pytest.raises(ConflictError):
        step(hands, hands.A, actions.consult, reference, kind="asked", text="We ask ourselves.")
    step(hands, hands.B, actions.consult, reference, kind="asked", text="A witness is named in it: may we talk?")
    hands.post()
    hands.world.now += timedelta(days=4)
    with pytest.raises(ConflictError, match="consulted"):
        step(hands, hands.A, actions.disclose, reference)
    with pytest.raises(ConflictError):  # being asked is not yet consulting
        step(hands, hands.A, actions.consult, reference, kind="ended", text="Enough.")
    step(hands, hands.A, actions.consult, reference, kind="said", text="We black out the name.")
    hands.post()
    step(hands, hands.B, actions.consult, reference, kind="said", text="Then we have no concern.")
    hands.post()
    step(hands, hands.A, actions.consult, reference, kind="ended", text="Agreed so.")
    hands.post()
    step(hands, hands.A, actions.disclose, reference)
    hands.post()
    for code in (hands.A, hands.B):
        with hands.world.at(code) as node:
            row = notice_queries.notice(node.officer("central_authority"), reference)
            assert [said.kind for said in row.consultation] == ["asked", "said", "said", "ended"]
            assert row.state is NoticeState.DISCLOSED


def test_an_exceptional_case_is_told_without_delay(hands, given):
    reference = notify(hands, given, planned_at=None, exceptional="The hearing was moved to today.")
    assert opened(hands, given, reference) == hands.STATEMENT
    assert hands.post() == ["accepted"]
    with hands.world.at(hands.B) as node:
        row = notice_queries.notice(node.officer("supervisor"), reference)
        assert (row.state, row.exceptional) == (NoticeState.DISCLOSED, "The hearing was moved to today.")


def test_a_provider_outside_the_network_is_told_by_letter(hands):
    tip = hands.add(hands.A, b"tip", origin="intelligence", originator="Desk of Farland")
    given = type("Tip", (), {"theirs": tip})
    with pytest.raises(InvalidError, match="letter"):
        notify(hands, given)
    reference = notify(hands, given, letter="Letter of 2 March 2026, file 9")
    assert hands.post() == []
    hands.world.now += timedelta(days=4)
    assert step(hands, hands.A, actions.disclose, reference).article == "UNTOC Art. 18(5)"


def test_a_dropped_notice_opens_nothing(hands, given):
    reference = notify(hands, given)
    with pytest.raises(InvalidError):
        step(hands, hands.A, actions.drop_notice, reference, reasons=" ")
    step(hands, hands.A, actions.drop_notice, reference, reasons="The charge was withdrawn.")
    hands.post()
    with pytest.raises(UseLimitError):
        opened(hands, given, reference)
    with hands.world.at(hands.B) as node:
        assert notice_queries.notice(node.officer("supervisor"), reference).state is NoticeState.DROPPED


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"why": " "}, InvalidError),
        ({"proceedings": ""}, InvalidError),
        ({"planned_at": None}, InvalidError),
        ({"why": "x" * 2001}, InvalidError),
        ({"officer": "investigator"}, AccessDeniedError),
        ({"item": "AA-POL-ITEM-2026-000999"}, NotFoundError),
    ],
)
def test_a_notice_that_says_too_little_is_refused(hands, given, changes, wrong):
    with pytest.raises(wrong):
        notify(hands, given, **changes)
    with hands.world.at(hands.A):
        assert not Notice.objects.exists()


@pytest.mark.parametrize("who", ["outsider", "auditor", "administrator"])
def test_without_need_to_know_there_is_no_notice(hands, given, who):
    reference = notify(hands, given)
    hands.post()
    for code in (hands.A, hands.B):
        with hands.world.at(code) as node:
            seen = set()
            for name in (reference, "AA-POL-NTC-2026-000999"):
                for read in (notice_queries.notice, notice_queries.notice_steps):
                    with pytest.raises((NotFoundError, AccessDeniedError)) as refused:
                        read(node.officer(who), name)
                    seen.add((type(refused.value), str(refused.value)))
            assert len(seen) == 1
