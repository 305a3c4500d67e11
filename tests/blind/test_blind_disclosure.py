"""What each party could learn and must not, searched for in the bytes that crossed.

The attackers here are given more than they would have. Each search is shown to bite: it finds what a weaker protocol
lets through.
"""

import hashlib

import pytest

from palermo.blind import Item, Manifest, filters, group, keys, tokens, voprf
from palermo.blind.filters import Filter
from palermo.blind.holder import _State
from palermo.blind.messages import Answer, Confirm, Request
from palermo.blind.publication import filter_columns

DICTIONARY = range(3_000)
HELD = range(800)
ASKED = range(760, 1_400)
BOTH = {f"+99955{number:05}" for number in range(760, 800)}


def tokens_of(match, values: list[str]) -> dict[str, tokens.Token]:
    """What whoever has the seed can compute for any value."""
    manifest = Manifest.parse(match.publication.manifest)
    key = keys.kind_key(match.seed, holder=manifest.holder, epoch=manifest.epoch, tier=manifest.tier, kind="phone")
    outputs = voprf.evaluate(key, [keys.oprf_input("phone", value) for value in values])
    return {value: tokens.token(output) for value, output in zip(values, outputs, strict=True)}


def traces(match, value: str, token: tokens.Token, transcript, key: voprf.KeyPair) -> list[bytes]:
    """Everything derived from a value that the protocol computes and that would give it away if it crossed."""
    [point] = group.hash_to_points([keys.oprf_input("phone", value)], voprf._HASH_TO_GROUP)
    [evaluated] = group.multiply(key.secret, [point])
    querier_key, holder_key = tokens.querier_key(token), tokens.holder_key(token)
    return [
        *(value.encode(), hashlib.sha256(value.encode()).digest(), point, evaluated, token),
        *(tokens.locator(token, match.publication.manifest_digest), querier_key, holder_key),
        *(transcript.mac(querier_key), transcript.mac(holder_key)),
    ]


def attack(match, run) -> set[str]:
    """The holder's best: its seed and state, all recorded bytes, and a dictionary that contains every query."""
    recorded = b"\0\0".join(match.wire[len(match.publication.filters) + 1 :])  # what it published itself tells nothing
    transcript = _State.parse(run.state).transcript
    manifest = Manifest.parse(match.publication.manifest)
    key = keys.kind_key(match.seed, holder=manifest.holder, epoch=manifest.epoch, tier=manifest.tier, kind="phone")
    dictionary = tokens_of(match, [f"+99955{number:05}" for number in DICTIONARY])
    return {
        value
        for value, token in dictionary.items()
        if any(trace in recorded for trace in traces(match, value, token, transcript, key))
    }


def run_match(world):
    match = world.Match(world.phones(HELD, "h"), world.phones(ASKED, "q"))
    querier, request = match.start()
    run = match.evaluate(request)
    confirmation = match.confirm(run, querier.finalize(run.evaluation))
    return match, run, querier.conclude(confirmation.answer)


def test_a_holder_with_key_recording_and_dictionary_recovers_no_query_but_the_hits(world) -> None:
    match, run, hits = run_match(world)
    assert {hit.value for hit in hits} == BOTH
    assert attack(match, run) == BOTH


def test_the_attack_bites_where_the_filter_is_weak(world, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 4-bit fingerprints one query in sixteen passes the filter, is named by its locator, and is recovered."""
    monkeypatch.setattr(filters, "FINGERPRINT_BITS", 4)
    match, run, hits = run_match(world)
    assert {hit.value for hit in hits} == BOTH
    recovered = attack(match, run) - BOTH
    assert 10 < len(recovered) < 100
    assert recovered <= {item.value for item in match.asked}


def test_the_querier_learns_no_holding_that_it_did_not_ask_for(world) -> None:
    match, run, _ = run_match(world)
    crossed = b"\0\0".join(match.wire)
    asked = {item.value for item in match.asked}
    unasked = [item.value for item in match.held if item.value not in asked]
    manifest = Manifest.parse(match.publication.manifest)
    key = keys.kind_key(match.seed, holder=manifest.holder, epoch=manifest.epoch, tier=manifest.tier, kind="phone")
    transcript = _State.parse(run.state).transcript
    for value, token in tokens_of(match, unasked).items():
        assert not any(trace in crossed for trace in traces(match, value, token, transcript, key))
    named = {locator for locator, _ in Confirm.parse(match.wire[-2]).entries}
    answered = [locator for locator, mac in zip(sorted(named), Answer.parse(match.wire[-1]).macs, strict=True) if mac]
    assert len(answered) == len(BOTH)


def test_a_querier_with_the_filter_and_a_dictionary_learns_nothing_without_the_holder(world) -> None:
    match = world.Match(world.phones(HELD, "h"), [])
    filter_ = Filter.parse(match.publication.filters["phone"])
    values = [item.value for item in match.held]
    guesses = {
        "no key": [tokens.token(hashlib.sha512(keys.oprf_input("phone", value)).digest()) for value in values],
        "a key of its own": [
            tokens.token(output)
            for output in voprf.evaluate(
                voprf.derive_key_pair(bytes(32), b"guess"), [keys.oprf_input("phone", value) for value in values]
            )
        ],
    }
    for guess in guesses.values():
        assert not filter_.contains(*filter_columns(guess)).any()
    assert filter_.contains(*filter_columns(list(tokens_of(match, values).values()))).all()  # the seed alone opens it


def test_what_crosses_has_the_same_size_whatever_is_held_and_asked(world) -> None:
    sizes = set()
    for held, asked in ((range(70), range(65, 90)), (range(300, 370), range(31)), (range(900), range(884, 910))):
        match = world.Match(world.phones(held, "h"), world.phones(asked, "q"))
        match.finish()
        sizes.add(tuple(map(len, match.wire[2:])))  # five, no and sixteen hits of 25, 31 and 26 questions
    assert len(sizes) == 1


def test_the_same_question_twice_cannot_be_linked(world) -> None:
    match = world.Match(world.phones(HELD, "h"), world.phones(ASKED, "q"))
    one, other = (Request.parse(match.start(run_id=run_id)[1]) for run_id in ("run-1", "run-2"))
    assert one.commitment_root != other.commitment_root
    assert not set(one.batches[0].elements) & set(other.batches[0].elements)


def test_positions_of_the_queries_tell_nothing_of_their_order(world) -> None:
    match = world.Match([Item("phone", "x", "h")], world.phones(range(16), "q"))
    orders = set()
    for seed in range(12):
        querier, _ = match.start(rng=world.seeded(seed))
        orders.add(tuple(one.value for one in querier.openings()))
    assert len(orders) == 12
