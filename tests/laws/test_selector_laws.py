"""Laws that every kind of selector keeps; a new kind is covered by being registered."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.subjects import Entity
from palermo.subjects.selectors import KINDS, Example, Kind, Selector, selectors_of

EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
EVERY_EXAMPLE = pytest.mark.parametrize(
    ("kind", "example"),
    [pytest.param(kind, example, id=example.canonical) for kind in KINDS.values() for example in kind.examples],
)
ANY_COUNTRY = st.sampled_from([None, "GB", "us", "ZZ", "", "nowhere"])
LOOKALIKES = st.text(alphabet="01259abcdefxyzIOQBC:|~=+@.-/ \u0660\u200f\ud800é中", max_size=60)


@EVERY_KIND
def test_a_kind_says_its_rule(kind: Kind) -> None:
    assert kind.code and kind.title and len(kind.source) > 10
    assert kind.examples and any(example.spellings for example in kind.examples)
    assert len(kind.garbage) >= 5


@EVERY_EXAMPLE
def test_other_spellings_meet(kind: Kind, example: Example) -> None:
    assert kind.parse(example.canonical) == example.canonical
    for spelling in example.spellings:
        assert kind.parse(spelling, country=example.country) == example.canonical, spelling


@EVERY_EXAMPLE
def test_normalising_twice_changes_nothing(kind: Kind, example: Example) -> None:
    for spelling in (example.canonical, *example.spellings):
        once = kind.parse(spelling, country=example.country)
        assert once is not None
        assert kind.parse(once) == once
        assert kind.parse(once, country="FR") == once, "a canonical value means the same everywhere"


@EVERY_EXAMPLE
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_any_text_near_a_value_settles_or_is_refused(kind: Kind, example: Example, data: st.DataObject) -> None:
    """Change a good value anywhere: what is still read is canonical, what is not is None."""
    good = data.draw(st.sampled_from((example.canonical, *example.spellings)))
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 2)))
    once = kind.parse(good[:start] + data.draw(LOOKALIKES.map(lambda t: t[:2])) + good[end:], country=example.country)
    assert once is None or kind.parse(once) == once


@EVERY_KIND
def test_garbage_gives_nothing(kind: Kind) -> None:
    for text in kind.garbage:
        assert kind.parse(text) is None, text


@EVERY_KIND
@given(text=st.one_of(st.text(max_size=80), LOOKALIKES, st.text(min_size=600, max_size=700)), country=ANY_COUNTRY)
@settings(max_examples=100, deadline=None)
def test_no_text_raises(kind: Kind, text: str, country: str | None) -> None:
    once = kind.parse(text, country=country)
    assert once is None or (kind.parse(once) == once and once.strip() == once and once)


@EVERY_KIND
def test_values_carry_no_control_characters_and_survive_utf8(kind: Kind) -> None:
    for example in kind.examples:
        assert example.canonical.encode().decode() == example.canonical
        assert example.canonical.isprintable()


@given(
    st.dictionaries(
        st.sampled_from(["name", "alias", "birthDate", "iban", "phone", "country", "publicKey", "number", "website"]),
        st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3).map(tuple),
    ),
    st.sampled_from(["Person", "Company", "BankAccount", "CryptoWallet", "Passport", "Vessel", "Unheard"]),
)
@settings(max_examples=100, deadline=None)
def test_any_entity_gives_distinct_canonical_selectors_in_one_order(
    properties: dict[str, tuple[str, ...]], schema: str
) -> None:
    selectors = list(selectors_of(Entity("x-1", schema, properties)))
    assert len(set(selectors)) == len(selectors)
    assert selectors == sorted(selectors)
    for kind, value in selectors:
        assert KINDS[kind].parse(value) == value, Selector(kind, value)
