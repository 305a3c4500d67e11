"""What crosses between nodes shows nobody on the way what it says: the envelopes of a whole road, byte by byte."""

import re
from base64 import b64decode
from collections.abc import Iterator

import pytest
from finished import ASKER, HOLDER, NODES, SEED, SIZE, FinishedRoad

from palermo.cli.demo import staff, story
from palermo.cli.demo.invention import invent
from palermo.sealing.envelope import peek
from palermo.subjects.selectors import selectors_of

pytestmark = pytest.mark.slow

SHORTEST = 6
"""A value of fewer bytes could stand in random bytes by chance; so long a one does once in ten million roads."""
BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}")
STORIES = (story.CASE, story.HOLDING, story.CONFIRMATION, story.ASSISTANCE, story.CONSENT, story.ITEM)


def secrets() -> Iterator[str]:
    """Everything that the nodes hold, and everything that their officers wrote."""
    for entities in invent(SEED, SIZE).entities.values():
        for entity in entities:
            yield entity.id
            for values in entity.properties.values():
                yield from values
            for selector in selectors_of(entity):
                yield selector.value
    for told in STORIES:
        yield from told.values()
    yield from story.RECORDS.splitlines()
    yield from (name for name, _ in staff.OFFICERS.values())


@pytest.fixture(scope="module")
def forbidden() -> list[bytes]:
    """The same as bytes, each once, in the cases that a program may write them in."""
    spelled = {form for text in secrets() for form in (text, text.lower(), text.upper(), text.casefold())}
    return sorted({form.encode() for form in spelled if len(form.encode()) >= SHORTEST})


def shown(forbidden: list[bytes], content: bytes) -> list[bytes]:
    """Which of these stand in some bytes, or in what is wrapped there as base64."""
    layers = b"\n".join(unwrapped(content))
    return [value for value in forbidden if value in layers]


def unwrapped(content: bytes) -> Iterator[bytes]:
    """Some bytes, and whatever reads as base64 in them, layer below layer."""
    yield content
    for run in BASE64.findall(content):
        yield from unwrapped(b64decode(run[: len(run) // 4 * 4]))


def test_no_envelope_shows_a_selector_a_name_or_a_case(finished_road: FinishedRoad, forbidden: list[bytes]) -> None:
    envelopes = [
        bytes(envelope)
        for book in finished_road.books().values()
        for envelope in book.column("SELECT envelope FROM exchange_outgoing")
    ]
    assert len(envelopes) == finished_road.outcome["steps"][-1]["counts"]["messages"]
    assert shown(forbidden, b"\n".join(envelopes)) == []


def test_the_same_search_finds_them_once_the_envelopes_are_open(
    finished_road: FinishedRoad, forbidden: list[bytes]
) -> None:
    """The search bites: inside, the request and its answer say who, what and why."""
    signed = finished_road.books()[HOLDER].column("SELECT signed FROM exchange_incoming WHERE signed IS NOT NULL")
    inside = shown(forbidden, b"\n".join(map(bytes, signed)))
    assert story.ASSISTANCE["summary"].encode() in inside
    assert story.CASE["purpose"].encode() in inside


def test_even_opened_a_match_names_nothing_that_was_not_met(finished_road: FinishedRoad) -> None:
    """What the holder was sent in a match, and what the asker got back, names no entity and no value of either."""
    world = invent(SEED, SIZE)
    held = {
        selector.value.encode()
        for entities in world.entities.values()
        for entity in entities
        for selector in selectors_of(entity)
        if len(selector.value) >= SHORTEST
    }
    ids = {entity.id.encode() for entities in world.entities.values() for entity in entities}
    for node in NODES:
        rows = (
            "SELECT signed FROM exchange_incoming WHERE signed IS NOT NULL AND payload_type LIKE 'palermo/matching.%'"
        )
        for signed in finished_road.books()[node].column(rows):
            assert shown(sorted(held | ids), bytes(signed)) == []


def test_an_envelope_shows_its_recipient_and_nothing_else_of_its_header(finished_road: FinishedRoad) -> None:
    rows = finished_road.books()[ASKER].rows("SELECT * FROM exchange_outgoing")
    assert rows
    for row in rows:
        outer = peek(row["envelope"])
        assert outer.recipient == row["recipient"]
        clear = bytes(row["envelope"]).replace(outer.ciphertext, b"")
        for name in ("message_id", "case_reference", "payload_type", "purpose"):
            assert not row[name] or row[name].encode() not in clear
        assert ASKER.encode() not in clear.replace(outer.recipient.encode(), b"")
