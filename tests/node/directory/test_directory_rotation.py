"""Keys and roots change hands: what a node takes, what it refuses, and that history stays verifiable."""

import dataclasses
from datetime import timedelta

import pytest

from palermo.node.directory import actions, checking, currency, overview, own_entry, own_keys, queries, roots
from palermo.node.directory.models import PublicKey
from palermo.node.exchange import renewal
from palermo.node.exchange.actions import send
from palermo.node.office.models import Task
from palermo.sealing import directory as sealed
from palermo.sealing import founding
from palermo.sealing.errors import RollbackError, TrustError, UnknownKeyError
from palermo.sealing.keys import SigningKey
from palermo.sealing.trust_root import read_trust, sign_root

DAY = timedelta(days=1)


def following(network, at, *entries, **changes) -> bytes:
    """The next version of the directory in force, signed and not yet imported."""
    draft = founding.next_directory(queries.directory_bytes(), queries.trust(), at=at)
    return sealed.sign_directory(dataclasses.replace(founding.with_entries(draft, entries), **changes), network.founder)


def entry(code: str):
    return sealed.open_directory(queries.directory_bytes(), queries.directory_root()).entry(code)


def write(network, now):
    return send(
        recipient="BB-POL", payload_type="palermo/x+v1", payload=b"x", case_reference="", purpose="test", now=now
    )


def test_roots_rotate_and_the_old_directory_stays_whole(network):
    second = SigningKey.generate()
    new = founding.next_root(queries.trust_root(), [network.founder.public, second.public], 2)
    signed = founding.add_founder(sign_root(new, network.founder), queries.trust_root(), second)
    for _ in range(2):  # again: nothing changes
        assert roots.take_trust(signed, now=network.now) == new
    assert queries.trust_root() == new
    assert queries.directory_root().version == 1
    assert checking.check() == []
    lone = following(network, network.now + DAY)
    with pytest.raises(TrustError, match="exactly 2"):
        actions.import_directory(lone, now=network.now + DAY)
    data = founding.add_founder(lone, new, second)
    assert actions.import_directory(data, now=network.now + DAY).version == 2
    assert queries.directory_root() == new
    assert checking.check() == []
    assert read_trust(queries.trust_file()) == queries.trust()
    assert overview.overview(network.now).threshold == 2
    with pytest.raises(queries.DirectoryError, match="another root"):
        roots.take_trust(dataclasses.replace(new, network="other").to_bytes(), now=network.now)


def test_a_new_member_takes_the_whole_chain(network):
    second = SigningKey.generate()
    new = founding.next_root(queries.trust_root(), [second.public], 1)
    roots.take_trust(
        founding.add_founder(sign_root(new, network.founder), queries.trust_root(), second), now=network.now
    )
    chain = queries.trust_file()
    roots.TrustRootVersion.objects.all().delete()
    roots.trust_root_file().unlink()
    assert roots.take_trust(chain, now=network.now).roots[-1] == new
    assert queries.trust_root() == new


def test_an_expired_directory_is_not_taken_and_sends_nothing_new(network, make_officer):
    end = network.now + 20 * DAY
    data = following(network, network.now, expires_at=end)
    with pytest.raises(TrustError, match="ask a founder"):
        actions.import_directory(data, now=end)
    actions.import_directory(data, now=network.now)
    assert currency.standing(network.now).currency is currency.Currency.CURRENT
    assert not renewal.watch_directory(network.now)
    write(network, end - timedelta(seconds=1))
    assert renewal.watch_directory(end - 14 * DAY)
    assert currency.standing(end - 14 * DAY).currency is currency.Currency.ENDING
    with pytest.raises(currency.ExpiredDirectoryError, match="nothing new is sent"):
        write(network, end)
    assert currency.standing(end).currency is currency.Currency.EXPIRED
    assert "IT HAS ENDED" in "\n".join(overview.lines(overview.overview(end)))
    actions.import_directory(following(network, end, expires_at=end + 90 * DAY), now=end)
    assert not renewal.watch_directory(end)
    assert not Task.objects.filter(key__startswith="directory.ending", done_at=None).exists()


def test_the_next_identity_is_used_from_its_time_on(network):
    old = own_keys.signing_key().key_id
    prepared = own_keys.prepare_next()
    assert own_keys.prepare_next().key_id == prepared.key_id
    start = network.now + 7 * DAY
    described = own_entry.with_next_key(own_entry.with_keys(entry("AA-POL"), network.now), start, 38 * DAY)
    actions.import_directory(following(network, network.now, described), now=network.now)
    assert not own_keys.change_over(network.now)
    assert own_keys.signing_key().key_id == old
    renewal.renew_keys(start)
    assert own_keys.signing_key().key_id == prepared.key_id
    assert own_keys.next_signing_key() is None
    assert {key.key_id for key in queries.verify_keys("AA-POL", start)} == {old, prepared.key_id}
    assert [key.key_id for key in queries.verify_keys("AA-POL", start + 38 * DAY)] == [prepared.key_id]
    statements = {period.recipient_key.key_id: signed for period, signed in own_keys.statements()}
    assert len(statements) == 2, "the new identity states a recipient key of its own"
    assert queries.recipient_key("AA-POL", start + DAY).key_id in own_keys.recipient_keys()
    assert checking.check() == []


def test_nothing_is_prepared_for_the_key_in_use(network):
    with pytest.raises(queries.DirectoryError, match="in use already"):
        own_keys.prepare_next("file:signing.key")
    with pytest.raises(queries.DirectoryError, match="No next signing key"):
        own_entry.with_next_key(entry("AA-POL"), network.now, DAY)


def test_a_revoked_key_ends_and_names_no_recipient_key_any_more(network):
    at, key_id = network.now + DAY, network.members["BB-POL"].signing.key_id
    draft = founding.next_directory(queries.directory_bytes(), queries.trust(), at=at)
    actions.import_directory(sealed.sign_directory(founding.revoke(draft, key_id, at), network.founder), now=at)
    assert [key.key_id for key in queries.verify_keys("BB-POL", network.now)] == [key_id]
    assert queries.verify_keys("BB-POL", at) == []
    assert [key.key_id for key in queries.verify_keys("BB-POL")] == [key_id], "history stays verifiable"
    with pytest.raises(queries.DirectoryError, match="no recipient key in force"):
        queries.recipient_key("BB-POL", at)
    assert checking.check() == []


def test_a_key_that_is_left_out_ends_and_never_comes_back(network):
    at, partner = network.now + DAY, entry("BB-POL")
    new = SigningKey.generate()
    period = sealed.SigningKeyPeriod(new.public.to_bytes(), at, at + 100 * DAY)
    without = dataclasses.replace(partner, signing_keys=(period,), recipient_keys=())
    actions.import_directory(following(network, at, without), now=at)
    old = PublicKey.objects.get(key_id=network.members["BB-POL"].signing.key_id)
    assert old.valid_until == at
    assert checking.check() == []
    with pytest.raises(RollbackError, match="lives on"):
        actions.import_directory(following(network, at + DAY, partner), now=at + DAY)
    assert checking.check() == []


def test_a_stranger_among_the_founders_is_refused(network):
    new = founding.next_root(queries.trust_root(), [SigningKey.generate().public], 1)
    with pytest.raises(UnknownKeyError):
        roots.take_trust(sign_root(new, SigningKey.generate()), now=network.now)
    assert queries.trust_root().version == 1
