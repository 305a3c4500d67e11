"""Several founders: a threshold signs a directory, and each trust root is followed by one that both sides signed."""

import dataclasses
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.sealing import canonical, dsse, founding, records
from palermo.sealing.directory import (
    check_not_expired,
    check_successor,
    content_digest,
    open_directory,
    sign_directory,
)
from palermo.sealing.errors import FormatError, RollbackError, SealingError, TrustError, UnknownKeyError
from palermo.sealing.keys import SigningKey
from palermo.sealing.trust_root import TrustChain, TrustRoot, open_successor, read_trust, sign_root, write_chain

RNG = random.Random(11).randbytes
ANNA, BEN, CARA, DORA = (SigningKey.generate(RNG) for _ in range(4))
ROOT = TrustRoot("Palermo trial", tuple(key.public.to_bytes() for key in (ANNA, BEN, CARA)), threshold=2)
NEXT = founding.next_root(ROOT, [key.public for key in (BEN, CARA, DORA)], 2)


@pytest.fixture(scope="module")
def draft(network: Any) -> Any:
    return dataclasses.replace(network.directory, founders=tuple(ROOT.keys))


def together(data: bytes, *keys: SigningKey, root: TrustRoot = ROOT) -> bytes:
    for key in keys:
        data = founding.add_founder(data, root, key)
    return data


def test_a_directory_needs_exactly_a_threshold(draft: Any) -> None:
    one = sign_directory(draft, ANNA)
    with pytest.raises(TrustError, match="1 founders; exactly 2"):
        open_directory(one, ROOT)
    standing = founding.read_draft(one, ROOT)
    assert (standing.signed, standing.complete) == ((ANNA.key_id,), False)
    assert standing.needs[0].missing == 1
    assert set(standing.needs[0].may_sign) == {BEN.key_id, CARA.key_id}
    two = together(one, BEN)
    assert open_directory(two, ROOT) == draft
    assert founding.read_draft(two, ROOT).complete
    with pytest.raises(TrustError, match="complete"):
        together(two, CARA)
    with pytest.raises(TrustError, match="exactly 2"):
        open_directory(dsse.add_signature(two, CARA), ROOT)


def test_whoever_signed_before_or_is_no_founder_cannot_add(draft: Any) -> None:
    one = sign_directory(draft, ANNA)
    for key in (ANNA, DORA):
        with pytest.raises(TrustError, match="signed it already, or is no founder"):
            together(one, key)


def test_the_same_content_by_other_founders_is_one_directory(draft: Any) -> None:
    ours, theirs = together(sign_directory(draft, ANNA), BEN), together(sign_directory(draft, CARA), BEN)
    assert content_digest(ours) == content_digest(theirs)
    check_successor(ours, draft.version, theirs, open_directory(theirs, ROOT))


def test_two_histories_are_refused_also_across_missed_versions(draft: Any) -> None:
    first = together(sign_directory(draft, ANNA), BEN)
    here, there = first, first
    for text in range(3):
        here = _following(here, f"here {text}")
        there = _following(there, f"there {text}")
    newest_here, newest_there = open_directory(here, ROOT), open_directory(there, ROOT)
    check_successor(first, draft.version, here, newest_here)
    with pytest.raises(RollbackError, match="two versions"):
        check_successor(here, newest_here.version, there, newest_there)
    onward = _following(_following(there, "a"), "b")
    with pytest.raises(RollbackError, match="does not follow"):
        check_successor(here, newest_here.version, onward, open_directory(onward, ROOT))


def _following(data: bytes, name: str) -> bytes:
    following = founding.next_directory(data, ROOT, at=open_directory(data, ROOT).created_at + timedelta(days=1))
    entry = dataclasses.replace(following.entries[0], name=name)
    return together(sign_directory(founding.with_entries(following, [entry]), ANNA), BEN)


def test_a_directory_ends(draft: Any) -> None:
    ending = dataclasses.replace(draft, expires_at=draft.created_at + timedelta(days=1))
    check_not_expired(ending, draft.created_at)
    check_not_expired(draft, draft.created_at + timedelta(days=9999))
    with pytest.raises(TrustError, match="ask a founder"):
        check_not_expired(ending, draft.created_at + timedelta(days=1))


def test_a_root_is_followed_by_one_that_both_sides_signed() -> None:
    signed = sign_root(NEXT, ANNA)
    assert [need.missing for need in founding.read_draft(signed, ROOT).needs] == [1, 2]
    signed = together(signed, BEN)
    assert [need.missing for need in founding.read_draft(signed, ROOT).needs] == [0, 1]
    with pytest.raises(TrustError, match="lacks 1 of the 2 founders it names"):
        open_successor(signed, ROOT)
    assert open_successor(together(signed, DORA), ROOT) == NEXT
    only_new = together(sign_root(NEXT, DORA), CARA)
    with pytest.raises(TrustError, match="founders before"):
        open_successor(only_new, ROOT)


def test_roots_are_taken_one_by_one_and_never_back() -> None:
    signed = together(sign_root(NEXT, BEN), CARA)
    third = founding.next_root(NEXT, NEXT.keys.values(), 2)
    with pytest.raises(RollbackError, match="after version 1"):
        open_successor(together(sign_root(third, BEN), CARA, root=NEXT), ROOT)
    with pytest.raises(RollbackError, match="after version 2"):
        open_successor(signed, NEXT)
    other = dataclasses.replace(third, previous_digest=ROOT.digest)
    with pytest.raises(RollbackError, match="does not follow"):
        open_successor(dsse.add_signature(sign_root(other, BEN), CARA), NEXT)
    with pytest.raises(TrustError, match="network"):
        open_successor(sign_root(dataclasses.replace(NEXT, network="Other"), BEN), ROOT)
    with pytest.raises(UnknownKeyError):
        open_successor(sign_root(NEXT, SigningKey.generate(RNG)), ROOT)


def test_a_chain_verifies_what_was_signed_in_earlier_years(draft: Any) -> None:
    chain = write_chain(ROOT.to_bytes(), (together(sign_root(NEXT, BEN), CARA),))
    trust = read_trust(chain)
    assert isinstance(trust, TrustChain)
    assert trust.roots == (ROOT, NEXT)
    assert trust.fingerprint == NEXT.fingerprint
    old = together(sign_directory(draft, ANNA), BEN)
    assert open_directory(old, trust) == draft
    with pytest.raises(SealingError):
        open_directory(old, NEXT)
    following = founding.next_directory(old, trust, at=draft.created_at + timedelta(days=1))
    assert open_directory(together(sign_directory(following, DORA), CARA, root=NEXT), trust) == following
    broken = write_chain(ROOT.to_bytes(), (sign_root(NEXT, BEN),))
    with pytest.raises(TrustError, match="lacks"):
        read_trust(broken)


def test_revoking_ends_a_key_for_good(network: Any, draft: Any) -> None:
    data = together(sign_directory(draft, ANNA), BEN)
    at = draft.created_at + timedelta(days=3)
    following = founding.revoke(founding.next_directory(data, ROOT, at=at), network.aurelia.key_id, at)
    police = following.entry("AU-POL")
    assert police.verify_keys(at - timedelta(seconds=1)) == (network.aurelia.public,)
    assert police.verify_keys(at) == ()
    with pytest.raises(TrustError, match="no recipient key in force"):
        police.recipient_key(at)
    with pytest.raises(TrustError, match="ended already"):
        founding.revoke(following, network.aurelia.key_id, at)
    with pytest.raises(TrustError, match="no member lists"):
        founding.revoke(following, "0" * 32, at)
    revoked = together(sign_directory(following, ANNA), BEN)
    again = founding.next_directory(revoked, ROOT, at=at + timedelta(days=1))
    alive = together(sign_directory(founding.with_entries(again, [draft.entry("AU-POL")]), ANNA), BEN)
    with pytest.raises(RollbackError, match="lives on"):
        check_successor(revoked, following.version, alive, open_directory(alive, ROOT))


def test_founders_are_told_what_changes(network: Any, draft: Any) -> None:
    at = draft.created_at + timedelta(days=3)
    after = founding.without(founding.revoke(draft, network.aurelia.key_id, at), ["BO-CA"])
    assert founding.changes(draft, after) == [
        f"AU-POL: signing key {network.aurelia.key_id} ends at 2026-03-05T09:30:00Z",
        "BO-CA leaves",
        "other witnesses",
    ]
    assert {"AU-POL joins: Aurelia Police", "BO-CA joins: Borealia"} <= set(founding.changes(None, draft))


def test_a_public_key_file_is_read_strictly() -> None:
    data = records.to_bytes(founding.PublicKeyFile(ANNA.public.to_bytes()))
    assert founding.PublicKeyFile.read(data) == ANNA.public
    for wrong in (data[:-1], data.replace(b"/1", b"/2"), b"{}", b""):
        with pytest.raises(FormatError):
            founding.PublicKeyFile.read(wrong)


WHOLE = together(sign_root(NEXT, BEN), CARA)
CHAIN = write_chain(ROOT.to_bytes(), (WHOLE,))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([ROOT.to_bytes(), WHOLE, CHAIN]), st.data())
def test_damaged_roots_and_chains_are_refused_and_never_crash(data: bytes, choice: st.DataObject) -> None:
    at = choice.draw(st.integers(0, len(data) - 1))
    kept = choice.draw(st.integers(0, 3))
    patch = choice.draw(st.binary(min_size=1, max_size=4))
    damaged = data[:at] + patch + data[at + kept :]
    for read in (read_trust, lambda given: open_successor(given, ROOT), lambda given: founding.read_draft(given, ROOT)):
        try:
            found = read(damaged)
        except SealingError:
            continue
        assert damaged == data or isinstance(found, TrustRoot), (
            "a changed root is another root, with another fingerprint"
        )


@given(st.dictionaries(st.sampled_from(["kind", "first", "successors", "network", "founders", "version"]), st.none()))
def test_objects_of_the_wrong_shape_are_refused(fields: dict[str, None]) -> None:
    for kind in ({}, {"kind": "palermo-trust-chain/1"}, {"kind": "palermo-trust-root/1"}):
        with pytest.raises(FormatError):
            read_trust(canonical.encode(fields | kind))
