"""A new log follows a lost one by the recovery key's leave alone: each step is broken once."""

import dataclasses

import pytest

from palermo.sealing import merkle, records
from palermo.sealing import new_log as sealed
from palermo.sealing.checkpoint import sign_checkpoint
from palermo.sealing.errors import SealingError, TrustError
from palermo.sealing.keys import SigningKey
from palermo.sealing.leaf import leaf_bytes, open_fields, salt_fields
from palermo.sealing.new_log import LogIdentity, NewLog, Opening

BO = "BO-CA"
ORIGIN = f"palermo/{BO}"


@pytest.fixture(scope="module")
def recovery():
    return SigningKey.generate()


@pytest.fixture
def directory(network, recovery):
    return dataclasses.replace(network.directory, recovery_key=recovery.public.to_bytes())


@pytest.fixture
def opening(network):
    checkpoint = sign_checkpoint(ORIGIN, 9, bytes(32), network.borealia)
    return Opening(
        network=network.directory.network,
        authority=BO,
        number=2,
        origin=f"{ORIGIN}/2",
        lost_origin=ORIGIN,
        checkpoint=checkpoint,
        cosignatures=(network.cosign(checkpoint, "AU-POL"),),
        kept=5,
        first=9,
        drafted_at=network.directory.created_at,
    )


def begin(network, opening, key, **changes):
    """A beginning in which any part can be another."""
    statement = sealed.sign_opening(opening, key)
    committed = changes.get("committed", sealed.opening_digest(statement))
    fields = salt_fields([("kind", changes.get("kind", sealed.OPENED)), (sealed.OPENING_FIELD, committed)])
    leaf = leaf_bytes(fields)
    root = changes.get("root", merkle.leaf_hash(leaf))
    text = sign_checkpoint(opening.origin, changes.get("size", 1), root, changes.get("signer", network.borealia))
    return NewLog(statement, leaf, open_fields(fields, sealed.SHOWN), text)


def test_it_leads_from_the_directory_to_the_new_log_and_the_next(network, directory, opening, recovery):
    first = begin(network, opening, recovery)
    assert sealed.log_of(directory, BO) == LogIdentity(1, ORIGIN, 0)
    assert sealed.log_of(directory, BO, (first,)) == LogIdentity(2, f"{ORIGIN}/2", 9)
    checkpoint = sign_checkpoint(f"{ORIGIN}/2", 4, bytes(32), network.borealia)
    again = dataclasses.replace(
        opening,
        number=3,
        origin=f"{ORIGIN}/3",
        lost_origin=f"{ORIGIN}/2",
        checkpoint=checkpoint,
        cosignatures=(),
        kept=13,
        first=13,
    )
    second = begin(network, again, recovery)
    assert sealed.log_of(directory, BO, (first, second)) == LogIdentity(3, f"{ORIGIN}/3", 13)
    for broken in ((second,), (second, first), (first, first)):
        with pytest.raises(SealingError):
            sealed.log_of(directory, BO, broken)
    assert records.from_bytes(NewLog, records.to_bytes(first), "new log") == first


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "sent.test"},
        {"committed": "00" * 32},
        {"root": bytes(32)},
        {"size": 2},
        {"signer": SigningKey.generate()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_first_entry_that_is_another_is_refused(network, directory, opening, recovery, change):
    with pytest.raises(SealingError):
        sealed.log_of(directory, BO, (begin(network, opening, recovery, **change),))


@pytest.mark.parametrize(
    "change",
    [
        {"network": "another network"},
        {"authority": "AU-POL"},
        {"first": 8},
        {"checkpoint": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_opening_that_says_something_else_is_refused(network, directory, opening, recovery, change):
    opening = dataclasses.replace(opening, **change)
    if change == {"checkpoint": ""}:
        assert sealed.log_of(directory, BO, (begin(network, opening, recovery),)).first == 9
        return
    with pytest.raises(SealingError):
        sealed.log_of(directory, BO, (begin(network, opening, recovery),))


def test_another_key_and_a_checkpoint_of_another_log_are_refused(network, directory, opening, recovery):
    with pytest.raises(SealingError):
        sealed.log_of(directory, BO, (begin(network, opening, SigningKey.generate()),))
    with pytest.raises(SealingError):
        sealed.log_of(directory, BO, (begin(network, opening, network.borealia),)), "the authority itself may not"
    foreign = sign_checkpoint("palermo/AU-POL", 9, bytes(32), network.borealia)
    forged = sign_checkpoint(ORIGIN, 9, bytes(32), SigningKey.generate())
    for text in (foreign, forged):
        with pytest.raises(SealingError):
            changed = dataclasses.replace(opening, checkpoint=text)
            sealed.log_of(directory, BO, (begin(network, changed, recovery),))
    with pytest.raises(TrustError, match="recovery key"):
        sealed.log_of(network.directory, BO, (begin(network, opening, recovery),))


@pytest.mark.parametrize(
    "change", [{"number": 1}, {"number": 3}, {"origin": ORIGIN}, {"kept": 10}, {"kept": -1}, {"number": 101}]
)
def test_an_opening_that_makes_no_sense_cannot_be_read(opening, change):
    with pytest.raises(SealingError):
        dataclasses.replace(opening, **change)


def test_a_long_or_cut_statement_is_refused(opening, recovery):
    statement = sealed.sign_opening(opening, recovery)
    for data in (b"", statement[:-1], bytes(sealed.MAX_OPENING_BYTES + 1)):
        with pytest.raises(SealingError):
            sealed.open_opening(data, [recovery.public])
        with pytest.raises(SealingError):
            sealed.claimed_opening(data)
