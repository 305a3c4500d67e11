"""No path through a request's life skips the second person, completeness or the safeguards."""

import hashlib
from contextlib import suppress

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palermo.node.exchange.models import Outgoing
from palermo.node.office import actions as office
from palermo.node.office.errors import InvalidError, NodeError
from palermo.node.requests import actions, queries
from palermo.node.requests.actions.moving import WrongStateError
from palermo.node.requests.models import Answer, Request
from palermo.node.requests.states import MOVES, MOVES_IN, MOVES_OUT, RETURNS, Direction, State

STEPS = (
    "edit",
    "edit_incomplete",
    "gates",
    "gate_stop",
    "gate_concern",
    "submit",
    "approve",
    "approve_own",
    "decline",
    "send",
    "withdraw",
)


class Walk:
    """One request taken through random steps, beside a plain account of what was decided about it."""

    def __init__(self, world, road, case, hit):
        self.world, self.road = world, road
        self.lead, self.boss = (world.nodes[road.A].officers[role] for role in ("investigator", "supervisor"))
        self.facts = {**road.HIT_FACTS, "hits": hit}
        self.complete, self.stopped, self.answered = True, False, False
        self.approved: set[str] = set()
        self.reference = actions.draft(
            self.lead, type="hit_confirmation", case=case, partner=road.B, facts=self.facts, now=world.tick()
        ).reference

    def take(self, step: str) -> None:
        with suppress(NodeError):
            getattr(self, step)()

    def edit(self):
        actions.edit_draft(self.lead, self.reference, facts=self.facts, now=self.world.tick())
        self.complete = True

    def edit_incomplete(self):
        facts = {**self.facts, "purpose": " "}
        actions.edit_draft(self.lead, self.reference, facts=facts, now=self.world.tick())
        self.complete = False

    def gates(self):
        for gate in self.road.GATES:
            self.gate(gate, "no", "proceed")
        self.answered, self.stopped = True, False

    def gate_stop(self):
        self.gate("torture", "yes", "stop")
        self.stopped = True

    def gate_concern(self):
        self.gate("torture", "unknown", "proceed")
        self.stopped = True

    def gate(self, gate, concern, decision):
        actions.answer_gate(
            self.boss,
            self.reference,
            gate=gate,
            concern=concern,
            decision=decision,
            reason="Looked into.",
            now=self.world.tick(),
        )

    def submit(self):
        actions.submit_for_approval(self.lead, self.reference, now=self.world.tick())

    def decide(self, officer, approved):
        asked = queries.approval(officer, self.reference)
        if asked is not None:
            office.decide_approval(officer, asked.pk, approved=approved, reason="Read.", now=self.world.tick())
            return asked.digest
        return ""

    def approve(self):
        self.approved.add(self.decide(self.boss, True))

    def approve_own(self):
        self.decide(self.lead, True)

    def decline(self):
        self.decide(self.boss, False)

    def send(self):
        actions.send(self.lead, self.reference, now=self.world.tick())

    def withdraw(self):
        actions.withdraw(self.lead, self.reference, reason="No longer needed.", now=self.world.tick())


@pytest.fixture
def walkable(world, road):
    case = road.open_case(world)
    hit = road.make_hit(world, case)
    with world.at(road.A):
        yield lambda: Walk(world, road, case, hit)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    opening=st.sampled_from([("gates", "submit", "approve"), ("submit", "approve"), ("gates", "submit"), ("gates",)]),
    steps=st.lists(st.sampled_from(STEPS), max_size=10),
)
def test_nothing_leaves_without_second_person_completeness_and_safeguards(walkable, opening, steps):
    walk = walkable()
    for step in [*opening, *steps, "send"]:
        sent_before = queries.request(walk.lead, walk.reference).state is State.SENT
        walk.take(step)
        row = queries.request(walk.lead, walk.reference)
        if row.state is State.SENT and not sent_before:
            assert row.payload_digest in walk.approved
            assert walk.complete and walk.answered and not walk.stopped
        posted = Outgoing.objects.filter(message_id=row.message_id).exists()
        assert posted == (row.state is State.SENT)


def test_the_plain_path_sends(walkable):
    walk = walkable()
    for step in ("gates", "submit", "approve", "send"):
        walk.take(step)
    assert queries.request(walk.lead, walk.reference).state is State.SENT


@pytest.mark.parametrize("last", [(), ("gates", "gate_stop"), ("gates", "gate_concern")])
def test_an_approved_request_still_waits_for_its_safeguards(walkable, last):
    walk = walkable()
    for step in ("submit", "approve", *last):
        walk.take(step)
    with pytest.raises(InvalidError):
        walk.send()
    assert queries.request(walk.lead, walk.reference).state is State.APPROVED


def test_editing_after_approval_voids_it(walkable):
    walk = walkable()
    for step in ("gates", "submit", "approve"):
        walk.take(step)
    approved = queries.request(walk.lead, walk.reference)
    assert approved.state is State.APPROVED
    walk.edit()
    assert queries.request(walk.lead, walk.reference).state is State.DRAFT
    with pytest.raises(WrongStateError):
        walk.send()
    walk.submit()
    assert queries.request(walk.lead, walk.reference).payload_digest != approved.payload_digest
    with pytest.raises(WrongStateError):
        walk.send()


def test_bytes_changed_behind_the_application_do_not_leave(walkable):
    walk = walkable()
    for step in ("gates", "submit", "approve"):
        walk.take(step)
    stored = Request.objects.get(reference=walk.reference)
    stored.payload = bytes(stored.payload).replace(b"Mule", b"Bank")
    stored.save()
    with pytest.raises(NodeError):
        walk.send()
    assert not Outgoing.objects.filter(payload_digest=hashlib.sha256(bytes(stored.payload)).hexdigest()).exists()


def test_everything_missing_is_named_when_submitting(walkable):
    walk = walkable()
    actions.edit_draft(walk.lead, walk.reference, facts={}, now=walk.world.tick())
    with pytest.raises(InvalidError) as refused:
        walk.submit()
    assert len(refused.value.problems) == 4


def test_declined_is_a_draft_again(walkable):
    walk = walkable()
    walk.submit()
    walk.decline()
    assert queries.request(walk.lead, walk.reference).state is State.DRAFT
    walk.submit()
    assert queries.request(walk.lead, walk.reference).state is State.AWAITING_APPROVAL


@pytest.mark.parametrize("direction", list(Direction))
def test_the_table_of_moves_is_closed_and_ends(direction):
    table = MOVES[direction]
    for targets in [*table.values(), *RETURNS[direction].values()]:
        assert targets <= set(table)
    reachable, frontier = set(), {State.DRAFT if direction is Direction.OUT else State.RECEIVED}
    while frontier:
        reachable |= frontier
        frontier = {target for state in frontier for target in table[state]} - reachable
    assert reachable == set(table)
    assert any(not targets for targets in table.values())
    assert {state for state, to in MOVES_OUT.items() if State.SENT in to} == {State.APPROVED}
    assert {state for state, to in MOVES_OUT.items() if State.APPROVED in to} == {State.AWAITING_APPROVAL}
    assert State.DRAFT not in MOVES_IN


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "refused", "reasons": "Because."},
        {"outcome": "refused", "ground": "18(9)"},
        {"outcome": "refused", "ground": "18(21)(b)", "reasons": "Security."},
        {"outcome": "postponed", "ground": "18(25)", "reasons": "It interferes."},
        {"outcome": "ignored"},
        {"outcome": "executed", "consent": "may"},
    ],
)
def test_the_database_keeps_no_refusal_without_ground_reasons_and_consultation(walkable, wrong):
    walk = walkable()
    request = Request.objects.get(reference=walk.reference)
    fields = {"request": request, "number": 1, "payload": b"p", "message_id": "m", "answered_by": "x"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Answer.objects.create(**fields, answered_at=walk.world.now, **wrong)


def test_the_database_keeps_no_state_of_the_other_direction(walkable):
    walk = walkable()
    for state in (State.RECEIVED, State.SENT):  # not ours; sent without bytes
        with pytest.raises(IntegrityError), transaction.atomic():
            Request.objects.filter(reference=walk.reference).update(state=state)
