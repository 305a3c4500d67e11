"""The whole road between two nodes: a hit confirmed with consent, a formal request, sealed evidence, verified."""

import pytest

from palermo.node.cases import queries as cases
from palermo.node.evidence import actions as evidence
from palermo.node.evidence import queries as evidence_queries
from palermo.node.evidence import use_queries as evidence_use
from palermo.node.evidence.errors import UseLimitError
from palermo.node.evidence.marks import Origin
from palermo.node.exchange import queries as exchange
from palermo.node.exchange.models import Incoming
from palermo.node.ledger import queries as ledger
from palermo.node.office import actions as office_actions
from palermo.node.office import jobs
from palermo.node.office import queries as office
from palermo.node.office.errors import InvalidError
from palermo.node.requests import actions, queries
from palermo.node.requests.models import Answer, Request
from palermo.node.requests.states import State
from palermo.sealing.verify import Verdict

STATEMENT = b"date,amount\n2026-01-05,1200.00\n"


def incoming(world, road, reference):
    """The case at the asked node that the request joined or opened."""
    with world.at(road.B) as node:
        return queries.request(node.officer("supervisor"), reference).case


def seal(world, road, reference, content=STATEMENT):
    with world.at(road.B) as node:
        officer, case = node.officer("central_authority"), queries.request(node.officer("supervisor"), reference).case
        item = evidence.add_item(
            officer,
            case=case,
            content=content,
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
        return evidence.seal_package(
            officer,
            case=case,
            items=[item.reference],
            recipient=road.A,
            request_reference=reference,
            now=world.tick(),
        )


@pytest.fixture
def asked(world, road):
    """A formal request that rests on a confirmed hit with consent, arrived at BB-POL."""
    case = road.open_case(world)
    hit = road.make_hit(world, case)
    inquiry = road.send_hit_confirmation(world, case, hit)
    assert world.post(road.A) == ["accepted"]
    road.confirm_hit(world, inquiry, conditions="Not to be shown to the suspect.")
    assert world.post(road.B) == ["accepted"]
    reference = road.draft_bank_request(world, case, hit)
    road.send_bank_request(world, reference)
    assert world.post(road.A) == ["accepted"]
    return case, reference


def test_the_road(world, road, asked):
    case, reference = asked
    with world.at(road.B) as node:
        officer = node.officer("central_authority")
        theirs = queries.request(officer, reference)
        assert (theirs.state, theirs.partner, theirs.partner_case) == (State.RECEIVED, road.A, case)
        assert theirs.facts["accounts"] == road.BANK_FACTS["accounts"]
        assert [finding.present for finding in queries.check(officer, reference) if finding.blocks] == []
        assert any(task.link == f"/requests/{reference}/" and task.due_at for task in office.work_queue(officer))
        actions.answer(officer, reference, outcome="accepted", now=world.tick())
    world.post(road.B)
    package = seal(world, road, reference)
    road.answer_gates(world, road.B, reference)
    with world.at(road.B) as node:
        before = ledger.size()
        actions.answer(
            node.officer("central_authority"),
            reference,
            outcome="executed",
            package=package.reference,
            now=world.tick(),
        )
        assert ledger.size() == before + 1  # one disclosure, one entry
        assert evidence_queries.verify(node.officer("supervisor"), package.reference).verdict is Verdict.PROVEN
    assert world.post(road.B) == ["accepted"]
    with world.at(road.A) as node:
        officer = node.officer("central_authority")
        ours = queries.request(officer, reference)
        assert (ours.state, ours.delivery) == (State.EXECUTED, "accepted")
        assert [answer.outcome for answer in ours.answers] == ["accepted", "executed"]
        arrived = evidence_queries.package(officer, ours.answers[-1].package)
        assert (arrived.reference, arrived.sha256, arrived.direction) == (package.reference, package.sha256, "in")
        assert reference in arrived.use_limit and "18(19)" in arrived.use_limit
        (item,) = arrived.items
        assert item.origin is Origin.RECEIVED
        assert evidence_queries.content(officer, item.reference).read_bytes() == STATEMENT
        assert [step.verb for step in item.custody] == ["collected", "sealed", "received"]
        report = evidence_queries.verify(officer, arrived.reference)
        assert report.verdict is Verdict.PROVEN
        assert [check.name for check in report.checks if not check.ok] == ["witnesses", "time stamp"]  # there are none
        assert any("executed" in event.text for event in cases.timeline(officer, case))
        actions.close(officer, reference, now=world.tick())
    for code in (road.A, road.B):
        with world.at(code):
            assert (ledger.check(), exchange.check(), evidence_queries.check()) == ([], [], [])
            assert queries.check_stored() == []


def consent_to_use(world, road, item, case):
    """The provider's consent to the use of an item in another case: asked, approved by a second person, answered."""
    with world.at(road.A) as node:
        question = evidence.ask_use(
            node.officer("central_authority"),
            item=item,
            use="case",
            target=case,
            intended="The same account paid both groups",
            legal_basis="UNTOC Art. 18(19)",
            reasons="Both cases rest on it",
            now=world.tick(),
        ).reference
    world.post(road.A)
    with world.at(road.B) as node:
        officer, second = node.officer("central_authority"), node.officer("second_central")
        evidence.propose_answer(officer, question, outcome="granted", reasons="Agreed.", now=world.tick())
        asked = evidence_use.approval(second, question)
        office_actions.decide_approval(second, asked.pk, approved=True, reason="Read.", now=world.tick())
        evidence.send_answer(officer, question, now=world.tick())
    world.post(road.B)


def test_a_recall_takes_the_evidence_out_of_answer_and_message_too(world, road, asked):
    _, reference = asked
    package = seal(world, road, reference)
    road.answer_gates(world, road.B, reference)
    with world.at(road.B) as node:
        officer = node.officer("central_authority")
        actions.answer(officer, reference, outcome="executed", package=package.reference, now=world.tick())
    world.post(road.B)
    with world.at(road.B) as node:
        recall = evidence.recall_item(
            node.officer("central_authority"),
            item=package.items[0].reference,
            package=package.reference,
            reason="The order was annulled.",
            now=world.tick(),
        ).reference
    world.post(road.B)
    with world.at(road.A) as node:
        evidence.delete_recalled(node.officer("central_authority"), recall, now=world.tick())
        jobs.run_due(world.tick())
        (answer,) = Answer.objects.exclude(package_reference="")
        assert len(bytes(answer.payload)) < 2000 and queries.check_stored() == []
        (message,) = Incoming.objects.filter(message_id=answer.message_id)
        assert message.forgotten_at is not None and message.receipt
        assert evidence_queries.check() == [] and exchange.check() == [] and ledger.check() == []
    assert world.post(road.A) == ["accepted"]


def test_received_evidence_is_bound_to_its_request(world, road, asked):
    case, reference = asked
    package = seal(world, road, reference)
    road.answer_gates(world, road.B, reference)
    with world.at(road.B) as node:
        actions.answer(
            node.officer("central_authority"),
            reference,
            outcome="executed",
            package=package.reference,
            now=world.tick(),
        )
    world.post(road.B)
    other = road.open_case(world)
    with world.at(road.A) as node:
        officer = node.officer("central_authority")
        (item,) = evidence_queries.items(officer, case)
        with pytest.raises(UseLimitError):
            evidence.use_in_case(officer, item=item.reference, case=other, now=world.tick())
        with pytest.raises(UseLimitError):
            evidence.seal_package(
                officer,
                case=case,
                items=[item.reference],
                recipient=road.B,
                request_reference="BB-POL-REQ-2026-000009",
                now=world.tick(),
            )
    consent_to_use(world, road, item.reference, other)
    with world.at(road.A) as node:
        officer = node.officer("central_authority")
        copy = evidence.use_in_case(officer, item=item.reference, case=other, now=world.tick())
        assert (copy.case, copy.sha256, copy.origin) == (other, item.sha256, Origin.RECEIVED)
        assert copy.use_limit == item.use_limit
        with pytest.raises(UseLimitError):  # consent to use it there is no consent to pass it on from there to a third
            evidence.use_in_case(officer, item=copy.reference, case=case, now=world.tick())


def test_execution_waits_for_the_safeguards_and_the_right_package(world, road, asked):
    _, reference = asked
    package = seal(world, road, reference)
    with world.at(road.B) as node:
        officer = node.officer("central_authority")

        def execute(**more):
            return actions.answer(officer, reference, outcome="executed", now=world.tick(), **more)

        with pytest.raises(InvalidError) as refused:
            execute()
        assert len(refused.value.problems) == len(road.GATES) + 1
    road.answer_gates(world, road.B, reference)
    with world.at(road.B):
        with pytest.raises(InvalidError, match="Seal the evidence"):
            execute()
        with pytest.raises(InvalidError, match="no package sealed for this request"):
            execute(package="BB-POL-PKG-2026-000099")
        with pytest.raises(InvalidError, match="Consent is yes or no"):
            execute(package=package.reference, consent="yes")
        assert execute(package=package.reference).state is State.EXECUTED


def test_a_changed_package_file_cannot_leave_and_is_named(world, road, asked):
    _, reference = asked
    package = seal(world, road, reference)
    road.answer_gates(world, road.B, reference)
    with world.at(road.B) as node:
        officer = node.officer("central_authority")
        path = evidence_queries.package_path(officer, package.reference)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.chmod(0o600)
        path.write_bytes(bytes(content))
        assert [fault.where for fault in evidence_queries.check()] == [str(path)]
        assert evidence_queries.verify(officer, package.reference).verdict is Verdict.REFUSED
        with pytest.raises(Exception, match="not what was kept"):
            actions.answer(officer, reference, outcome="executed", package=package.reference, now=world.tick())
        assert queries.request(officer, reference).state is State.RECEIVED
        assert not Answer.objects.filter(request__reference=reference).exists()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (Request, {"payload": b"{}"}),
        (Request, {"facts": {"summary": "Nothing happened."}}),
        (Request, {"state": "refused"}),
        (Answer, {"payload": b"{}"}),
        (Answer, {"reasons": "Other reasons."}),
        (Answer, {"package_reference": "BB-POL-PKG-2026-000009"}),
    ],
)
def test_what_was_changed_since_it_was_signed_is_named(world, road, asked, table, change):
    assert asked
    with world.at(road.A) as node:
        assert queries.check_stored() == []
        changed = table.objects.first()
        table.objects.filter(pk=changed.pk).update(**change)
        inquiry = queries.requests(node.officer("supervisor"))[-1].reference
        assert [inquiry in fault.where for fault in queries.check_stored()] == [True]
