"""Importing the directory: who signed it, what changed, what is refused."""

from datetime import timedelta

import pytest

from palermo.node.directory import actions, own_keys, queries, roots
from palermo.node.directory.models import Authority, DirectoryVersion
from palermo.sealing.directory import TrustRoot, directory_digest
from palermo.sealing.errors import RollbackError, SealingError, UnknownKeyError
from palermo.sealing.keys import SigningKey


def test_import_names_every_member(network):
    assert [row.code for row in queries.partners()] == ["BB-POL", "CC-FIU"]
    assert queries.own().is_self
    assert queries.directory_version() == 1
    assert queries.directory_bytes() == network.directory
    assert queries.authority("CC-FIU").roles == ("fiu",)


def test_importing_again_changes_nothing(network):
    change = actions.import_directory(network.directory, now=network.now)
    assert (change.added, change.changed, change.removed) == ((), (), ())
    assert DirectoryVersion.objects.count() == 1


def test_unknown_signer_is_refused(network):
    network.founder = SigningKey.generate()
    forged = network.sign_directory(version=2)
    with pytest.raises(UnknownKeyError):
        actions.import_directory(forged, now=network.now)
    assert queries.directory_version() == 1


def test_rollback_is_refused(network):
    newer = network.sign_directory(version=2, previous=directory_digest(network.directory))
    actions.import_directory(newer, now=network.now)
    with pytest.raises(RollbackError):
        actions.import_directory(network.directory, now=network.now)


def test_flipped_bit_is_refused(network):
    damaged = bytearray(network.directory)
    damaged[len(damaged) // 2] ^= 1
    with pytest.raises(SealingError):
        actions.import_directory(bytes(damaged), now=network.now)


def test_a_member_that_left_keeps_its_keys_for_history(network):
    newer = network.sign_directory(version=2, codes=("AA-POL", "BB-POL"), previous=directory_digest(network.directory))
    change = actions.import_directory(newer, now=network.now)
    assert change.removed == ("CC-FIU",)
    assert not Authority.objects.get(code="CC-FIU").is_member
    assert queries.verify_keys("CC-FIU") == [network.members["CC-FIU"].signing.public]
    assert queries.verify_keys("CC-FIU", network.now) == []
    with pytest.raises(queries.UnknownAuthorityError):
        queries.recipient_key("CC-FIU", network.now)


def test_keys_have_their_time(network):
    assert queries.recipient_key("BB-POL", network.now) == network.members["BB-POL"].recipient.public
    with pytest.raises(queries.DirectoryError, match="no recipient key in force"):
        queries.recipient_key("BB-POL", network.now + timedelta(days=31))


def test_a_second_trust_root_is_refused(network):
    with pytest.raises(queries.DirectoryError, match="another root"):
        other = SigningKey.generate()
        roots.take_trust(TrustRoot("another network", (other.public.to_bytes(),)).to_bytes(), now=network.now)


def test_own_keys_are_made_once(network):
    before = own_keys.signing_key()
    own_keys.ensure(network.now)
    assert own_keys.signing_key() == before
    assert len(own_keys.recipient_keys()) == 1
