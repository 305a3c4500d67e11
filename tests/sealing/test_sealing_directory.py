"""The signed directory and its trust root."""

import dataclasses
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palermo.sealing import canonical, dsse, records
from palermo.sealing.directory import (
    DIRECTORY_TYPE,
    Directory,
    TrustRoot,
    check_successor,
    content_digest,
    directory_digest,
    open_directory,
    sign_directory,
    sign_recipient_key,
)
from palermo.sealing.errors import FormatError, RollbackError, SealingError, TrustError, UnknownKeyError
from palermo.sealing.keys import RecipientKey, SigningKey

FOUNDER = SigningKey.generate(random.Random(9).randbytes)
ROOT = TrustRoot("Palermo trial", (FOUNDER.public.to_bytes(),))

NetworkFixture = Any


def test_members_read_what_the_founder_signed(network: NetworkFixture) -> None:
    directory = open_directory(network.directory_bytes, network.trust_root)
    assert directory == network.directory
    police = directory.entry("AU-POL")
    assert police.verify_keys(network.now) == (network.aurelia.public,)
    assert police.recipient_key(network.now) == network.recipient_key.public


def test_keys_count_in_their_period_alone(network: NetworkFixture) -> None:
    police = network.directory.entry("AU-POL")
    assert police.verify_keys(network.now - timedelta(days=2)) == ()
    assert police.verify_keys(network.now + timedelta(days=700)) == ()
    assert police.verify_keys() == (network.aurelia.public,)
    for at in (network.now - timedelta(seconds=1), network.now + timedelta(days=30)):
        with pytest.raises(TrustError, match="no recipient key in force"):
            police.recipient_key(at)


def test_the_newest_recipient_key_in_force_is_taken(network: NetworkFixture) -> None:
    police, newer = network.directory.entry("AU-POL"), RecipientKey.generate(random.Random(3).randbytes)
    at = network.now + timedelta(days=10)
    statement = sign_recipient_key("AU-POL", newer.public, at, at + timedelta(days=30), network.aurelia)
    both = dataclasses.replace(police, recipient_keys=(statement, *police.recipient_keys))
    assert both.recipient_key(at - timedelta(days=1)) == network.recipient_key.public
    assert both.recipient_key(at) == newer.public


def test_a_recipient_key_lives_at_most_30_days(network: NetworkFixture) -> None:
    for days in (0, -1, 31):
        with pytest.raises(TrustError, match="30 days"):
            sign_recipient_key(
                "AU-POL", network.recipient_key.public, network.now, network.now + timedelta(days=days), network.aurelia
            )


def test_an_unknown_member_is_refused(network: NetworkFixture) -> None:
    with pytest.raises(TrustError, match="no authority"):
        network.directory.entry("CE-FIU")


def test_a_directory_of_another_founder_or_network_is_refused(
    network: NetworkFixture, other_network: NetworkFixture
) -> None:
    with pytest.raises(UnknownKeyError):
        open_directory(other_network.directory_bytes, network.trust_root)
    with pytest.raises(TrustError, match="network"):
        open_directory(network.directory_bytes, dataclasses.replace(network.trust_root, network="Other"))
    with pytest.raises(TrustError, match="founder"):
        sign_directory(network.directory, other_network.founder)


def test_a_founder_that_the_directory_no_longer_names_is_refused(network: NetworkFixture) -> None:
    orphan = dataclasses.replace(network.directory, founders=("0" * 32,))
    with pytest.raises(TrustError, match="no longer names"):
        open_directory(dsse.sign(DIRECTORY_TYPE, records.to_bytes(orphan), network.founder), network.trust_root)


def test_a_recipient_key_is_signed_by_its_own_authority(network: NetworkFixture) -> None:
    """A founder, or another member, cannot slip in a key of its own."""
    police, *others = network.directory.entries
    public, until = network.recipient_key.public, network.now + timedelta(days=1)
    for statement, error in (
        (sign_recipient_key("AU-POL", public, network.now, until, network.founder), UnknownKeyError),
        (sign_recipient_key("BO-CA", public, network.now, until, network.aurelia), TrustError),
    ):
        entries = (dataclasses.replace(police, recipient_keys=(statement,)), *others)
        with pytest.raises(error):
            open_directory(network.signed_directory(entries=entries), network.trust_root)


def test_an_authority_is_named_once_whatever_the_case(network: NetworkFixture) -> None:
    police = network.directory.entries[0]
    with pytest.raises(FormatError, match="twice"):
        dataclasses.replace(
            network.directory, entries=(police, dataclasses.replace(police, code="au-pol")), witnesses=()
        )
    with pytest.raises(FormatError, match="version"):
        dataclasses.replace(network.directory, version=0)
    with pytest.raises(FormatError, match="code"):
        dataclasses.replace(police, code="no code")


def test_a_directory_follows_from_the_one_held(network: NetworkFixture) -> None:
    held, version = network.directory_bytes, network.directory.version

    def check(data: bytes) -> None:
        check_successor(held, version, data, open_directory(data, network.trust_root))

    check(held)
    check(network.signed_directory())  # signed anew: other bytes, and the same content
    check(network.signed_directory(version=version + 1, previous_digest=directory_digest(held)))
    check(network.signed_directory(version=version + 1, previous_digest=content_digest(held)))
    earlier = ("4", "3", "2", content_digest(held), "")
    check(network.signed_directory(version=version + 5, previous_digest="5", earlier_digests=earlier))
    for changes, reason in (
        ({"version": version - 1}, "older"),
        ({"expires_at": network.now + timedelta(days=9)}, "two versions"),
        ({"version": version + 1}, "does not follow"),
        ({"version": version + 5, "previous_digest": "5", "earlier_digests": tuple("4321")}, "does not follow"),
        ({"version": version + 5, "previous_digest": "5", "earlier_digests": tuple("43")}, "import version 5 first"),
    ):
        with pytest.raises(RollbackError, match=reason):
            check(network.signed_directory(**changes))


def test_a_trust_root_survives_its_file_and_has_a_fingerprint_to_read_aloud() -> None:
    assert TrustRoot.from_bytes(ROOT.to_bytes()) == ROOT
    groups = ROOT.fingerprint.split(" ")
    assert [len(group) for group in groups] == [8] * 8


@pytest.mark.parametrize(
    "change",
    [
        {"founders": []},
        {"founders": ["AA=="]},
        {"founders": [canonical.encode_base64(FOUNDER.public.to_bytes())] * 2},
        {"kind": "palermo-trust-root/2"},
        {"more": 1},
    ],
)
def test_a_trust_root_is_read_strictly(change: dict[str, object]) -> None:
    fields = canonical.decode(ROOT.to_bytes(), "root")
    with pytest.raises(FormatError):
        TrustRoot.from_bytes(canonical.encode(fields | change))


def test_a_flipped_bit_anywhere_is_refused(network: NetworkFixture) -> None:
    data = network.directory_bytes
    chosen = random.Random(3).randbytes(len(data))
    for at in range(0, len(data), 29):
        with pytest.raises(SealingError):
            open_directory(data[:at] + bytes([data[at] ^ (1 << chosen[at] % 8)]) + data[at + 1 :], network.trust_root)


@given(
    st.binary(max_size=200),
    st.dictionaries(st.sampled_from([field.name for field in dataclasses.fields(Directory)]), st.none()),
)
def test_garbage_is_refused_even_when_a_founder_signs_it(data: bytes, fields: dict[str, None]) -> None:
    for content in (data, canonical.encode(fields)):
        for signed in (content, dsse.sign(DIRECTORY_TYPE, content, FOUNDER)):
            with pytest.raises(SealingError):
                open_directory(signed, ROOT)
