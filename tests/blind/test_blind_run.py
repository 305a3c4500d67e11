"""Whole runs between a querier and a holder: what both hold is found, each step once, each message for one run."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.blind import (
    AnswerError,
    BlindError,
    InputError,
    Item,
    ManifestError,
    MismatchError,
    ProofError,
    Publication,
    Querier,
    RunStateError,
    commitments,
    confirm,
    items,
    messages,
)
from palermo.blind.messages import Answer, Confirm, Evaluation, Request
from palermo.blind.querier_run import Stage


@pytest.fixture
def match(world):
    held = [*world.phones(range(100), "h"), Item("iban", "XX12", "h/1"), Item("iban", "XX12", "h/2")]
    held += [Item("email", "a@example.test", "h/3")]
    asked = [*world.phones(range(95, 130), "q"), Item("iban", "XX12", "q/1"), Item("iban", "XX12", "q/2")]
    asked += [Item("email", "b@example.test", "q/3"), Item("vessel", "9074729", "q/4")]
    return world.Match(held, asked)


def expected_pairs(held, asked) -> set:
    """What both hold, in one plain line: the truth that the protocol must meet."""
    return {(ours.kind, ours.value, ours.ref) for ours in asked for one in held if (one.kind, one.value) == ours[:2]}


def test_both_find_exactly_what_both_hold(match) -> None:
    hits, confirmation = match.finish()
    assert {hit[:3] for hit in hits} == expected_pairs(match.held, match.asked)
    assert len(hits) == 5 + 2
    theirs = {(one.kind, one.ref) for one in confirmation.matched}
    assert theirs == {*(("phone", f"h/{n}") for n in range(95, 100)), ("iban", "h/1"), ("iban", "h/2")}
    assert {hit.locator for hit in hits} == {one.locator for one in confirmation.matched}


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_two_holdings_give_their_intersection(world, data) -> None:
    value = st.tuples(st.sampled_from(["phone", "iban"]), st.integers(0, 9).map(str), st.sampled_from("ab"))
    held, asked = ([Item(*one) for one in data.draw(st.lists(value, max_size=12))] for _ in range(2))
    hits, _ = world.Match(held, asked).finish()
    assert {hit[:3] for hit in hits} == expected_pairs(held, asked)


@pytest.mark.parametrize("held, asked", [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_empty_and_tiny_holdings_work(world, held: int, asked: int) -> None:
    hits, _ = world.Match(world.phones(range(held), "h"), world.phones(range(asked), "q")).finish()
    assert len(hits) == min(held, asked)


def test_more_elements_than_one_proof_takes(world, monkeypatch) -> None:
    monkeypatch.setattr(messages, "PROOF_BATCH", 16)
    match = world.Match(world.phones(range(40), "h"), world.phones(range(20, 60), "q"))
    hits, _ = match.finish()
    assert len(hits) == 20
    assert len(Evaluation.parse(match.wire[-3]).batches[0].proofs) == 3


def test_the_run_survives_a_crash_after_every_step(match, tmp_path) -> None:
    def reopened(querier: Querier) -> Querier:
        return Querier.from_bytes(
            querier.to_bytes(), manifest=match.publication.manifest, filters=match.publication.filters
        )

    match.publication.save(tmp_path / "epoch")
    querier, request = match.start()
    run = match.evaluate(request)
    locators = reopened(querier).finalize(run.evaluation)
    querier = reopened(querier)
    assert querier.finalize(run.evaluation) == locators  # the crash came before the new state was stored
    match.publication = Publication.load(tmp_path / "epoch")
    confirmation = match.confirm(run, locators)
    assert match.confirm(run, locators) == confirmation
    hits = reopened(querier).conclude(confirmation.answer)
    assert hits == reopened(querier).conclude(confirmation.answer) == querier.conclude(confirmation.answer)
    assert len(hits) == 7
    assert reopened(querier).stage is Stage.CONCLUDED


def test_steps_out_of_order_or_twice_are_refused(match) -> None:
    querier, request = match.start()
    with pytest.raises(RunStateError):
        querier.conclude(b"")
    run = match.evaluate(request)
    locators = querier.finalize(run.evaluation)
    with pytest.raises(RunStateError):
        querier.finalize(run.evaluation)
    with pytest.raises(RunStateError):
        querier.openings()
    answer = match.confirm(run, locators).answer
    querier.conclude(answer)
    with pytest.raises(RunStateError):
        querier.conclude(answer)


def test_a_holder_confirms_a_run_once(match) -> None:
    querier, request = match.start()
    run = match.evaluate(request)
    locators = querier.finalize(run.evaluation)
    first = match.confirm(run, locators)
    spent = run._replace(state=first.state)
    assert match.confirm(spent, locators) == first  # delivered again
    parsed = Confirm.parse(locators)
    other = parsed._replace(entries=sorted([*parsed.entries[1:], (b"\0" * 16, b"\0" * 32)])).to_bytes()
    with pytest.raises(RunStateError, match="single-use"):
        match.confirm(spent, other)
    assert match.confirm(run, other).answer != first.answer  # only the stored state knows


def test_the_holder_forgets_what_did_not_match(match) -> None:
    """Neither before nor after the confirm does its state hold a locator, an element, or a hint of what was asked."""
    querier, request = match.start()
    run = match.evaluate(request)
    locators = querier.finalize(run.evaluation)
    spent = match.confirm(run, locators).state
    for locator, mac in Confirm.parse(locators).entries:
        assert locator not in spent
        assert mac not in spent
    for element in Request.parse(request).batches[0].elements:
        assert element not in run.state + spent
    assert len(run.state) == len(spent) < 300


def test_a_finished_run_keeps_nothing_of_what_was_asked(match) -> None:
    querier, request = match.start()
    absent = b"b@example.test"
    assert absent in querier.to_bytes()
    run = match.evaluate(request)
    locators = querier.finalize(run.evaluation)
    assert absent not in querier.to_bytes()
    assert b"XX12" in querier.to_bytes()
    querier.conclude(match.confirm(run, locators).answer)
    assert b"XX12" not in querier.to_bytes()


def test_the_holder_authorises_before_it_evaluates(match, monkeypatch) -> None:
    class OverBudgetError(Exception):
        pass

    seen = []

    def refuse(summary) -> None:
        seen.append(summary)
        raise OverBudgetError

    _, request = match.start()
    monkeypatch.setattr("palermo.blind.voprf.blind_evaluate", lambda *args: pytest.fail("evaluated all the same"))
    with pytest.raises(OverBudgetError):
        match.evaluate(request, authorise=refuse)
    [summary] = seen
    assert summary.elements == {"email": 16, "iban": 16, "phone": 48}
    assert summary.total_elements == 80
    assert (summary.case_reference, summary.legal_basis, summary.tier) == ("case-7", "UNTOC 27", "northern-partners")
    assert summary.request_digest == messages.digest(request)


def test_what_does_not_fit_together_is_refused(match, world) -> None:
    querier, request = match.start()
    later = match.publish(epoch="2030-02", rng=world.seeded(5))
    for changes in (
        {"querier": "XC-POL"},
        {"publication_manifest": later.manifest},
        {"seed": bytes(32)},
        {"now": world.NOW + timedelta(days=29)},
        {"now": world.NOW - timedelta(days=2)},
        {"request": Request.parse(request)._replace(batches=[]).to_bytes()},
    ):
        with pytest.raises((MismatchError, ManifestError)):
            match.evaluate(request, **changes) if "request" not in changes else match.evaluate(changes["request"])
    run = match.evaluate(request)
    locators = querier.finalize(run.evaluation)
    with pytest.raises(MismatchError):
        confirm(run_state=run.state, confirm=locators, publication=later)
    other_run = match.evaluate(match.start(run_id="run-2")[1])
    with pytest.raises(MismatchError):
        match.confirm(other_run, locators)
    with pytest.raises(ManifestError):
        Querier.from_bytes(querier.to_bytes(), manifest=later.manifest, filters=later.filters)


def test_a_querier_starts_only_under_a_current_manifest_with_its_filters(match, world) -> None:
    filters = dict(match.publication.filters)
    for changes in (
        {"now": world.NOW + timedelta(days=29)},
        {"filters": filters | {"phone": filters["iban"]}},
        {"filters": {}},
    ):
        with pytest.raises(ManifestError):
            match.start(**changes)
    for name in ("run_id", "querier", "case_reference", "legal_basis"):
        with pytest.raises(InputError):
            match.start(**{name: ""})


def test_too_large_a_question_is_refused(match, world, monkeypatch) -> None:
    monkeypatch.setattr(messages, "MAX_ELEMENTS", 16)
    with pytest.raises(InputError, match="split"):
        match.start()


def test_an_evaluation_under_another_key_is_refused(match, world) -> None:
    """A holder that uses a key of its own for one querier could tell it from the others: the proof forbids it."""
    querier, request = match.start()
    stranger = world.Match(match.held, [], world.seeded(77))
    forged = stranger.evaluate(
        Request.parse(request)._replace(manifest_digest=stranger.publication.manifest_digest).to_bytes()
    )
    parsed = Evaluation.parse(forged.evaluation)._replace(request_digest=messages.digest(request))
    with pytest.raises(ProofError):
        querier.finalize(parsed.to_bytes())


def test_a_false_claim_to_hold_something_is_refused(match) -> None:
    querier, request = match.start()
    run = match.evaluate(request)
    confirmation = match.confirm(run, querier.finalize(run.evaluation))
    answer = Answer.parse(confirmation.answer)
    dummy, real = answer.macs.index(None), next(i for i, mac in enumerate(answer.macs) if mac)
    for index in (dummy, real):
        macs = list(answer.macs)
        macs[index] = b"\x01" * 32
        with pytest.raises(AnswerError):
            querier.conclude(answer._replace(macs=macs).to_bytes())
    assert len(querier.conclude(confirmation.answer)) == 7


def test_a_locator_without_the_queriers_mac_gets_none(match) -> None:
    """Who learned a locator elsewhere, but not the value, cannot make the holder confirm it."""
    querier, request = match.start()
    run = match.evaluate(request)
    parsed = Confirm.parse(querier.finalize(run.evaluation))
    guessed = parsed._replace(entries=[(locator, b"\x05" * 32) for locator, _ in parsed.entries])
    confirmation = match.confirm(run, guessed.to_bytes())
    assert confirmation.matched == []
    assert Answer.parse(confirmation.answer).macs == [None] * 16


def test_locators_mean_nothing_under_another_manifest(match, world) -> None:
    again = match.publish(rng=world.seeded(9))  # same seed, epoch and tier: same keys, another manifest
    locators = {match.publication.tables["phone"]._locator(index) for index in range(100)}
    assert not locators & {again.tables["phone"]._locator(index) for index in range(100)}


def test_openings_show_an_auditor_what_was_asked(match) -> None:
    querier, request = match.start()
    opened = {one.element: one for one in querier.openings()}
    assert {(one.kind, one.value) for one in opened.values()} == {i[:2] for i in match.asked if i.kind != "vessel"}
    batches = Request.parse(request).batches
    kinds = [batch.kind for batch in batches for _ in batch.elements]
    secret = querier._run.secret
    leaves = [
        commitments.leaf(opened[i].salt, opened[i].kind, opened[i].value)
        if i in opened
        else commitments.leaf(commitments.query_salt(secret, i), kind, "")
        for i, kind in enumerate(kinds)
    ]
    assert commitments.merkle.root(leaves) == Request.parse(request).commitment_root


@pytest.mark.parametrize("count", [0, 1, 16, 17, 24, 25, 33, 1_000, 10_000])
def test_buckets_cover_and_cost_at_most_half_more(count: int) -> None:
    size = items.bucket(count)
    assert max(16, count) <= size <= max(16, count * 1.5)
    assert items.is_bucket(size)
    assert not items.is_bucket(size + 1)


@pytest.fixture(scope="module")
def crossed(world):
    """A finished run: each message, and who reads it."""
    match = world.Match(world.phones(range(30), "h"), world.phones(range(28, 34), "q"))
    querier, request = match.start()
    state = querier.to_bytes()
    run = match.evaluate(request)
    locators = querier.finalize(run.evaluation)
    confirming = querier.to_bytes()
    answer = match.confirm(run, locators).answer
    filters, manifest = match.publication.filters, match.publication.manifest

    def conclude(altered: bytes) -> list:
        return Querier.from_bytes(confirming, manifest=manifest, filters=filters).conclude(altered)

    def finalize(altered: bytes) -> list:
        resumed = Querier.from_bytes(state, manifest=manifest, filters=filters)
        return resumed.conclude(match.confirm(run, resumed.finalize(altered)).answer)

    def confirmed(altered: bytes) -> list:
        return conclude(match.confirm(run, altered).answer)

    def evaluated(altered: bytes) -> list:
        return finalize(match.evaluate(altered).evaluation)

    return {
        "request": (request, evaluated),
        "evaluation": (run.evaluation, finalize),
        "confirm": (locators, confirmed),
        "answer": (answer, conclude),
    }


@pytest.mark.parametrize("name", ["request", "evaluation", "confirm", "answer"])
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_flipped_bit_is_refused(crossed, name: str, data) -> None:
    message, read = crossed[name]
    flipped = bytearray(message)
    flipped[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BlindError):
        read(bytes(flipped))


@pytest.mark.parametrize("name", ["request", "evaluation", "confirm", "answer"])
def test_cut_extended_and_foreign_messages_are_refused(crossed, name: str) -> None:
    message, read = crossed[name]
    others = [other for key, (other, _) in crossed.items() if key != name]
    for wrong in (b"", message[:-1], message + b"\0", message.replace(b"-v1\n", b"-v2\n"), *others):
        with pytest.raises(BlindError):
            read(wrong)
