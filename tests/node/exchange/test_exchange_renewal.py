"""Recipient keys: renewed in time, told to the partners, destroyed when nothing can need them."""

from datetime import timedelta

import pytest

from palermo.node.directory import checking, own_keys, queries
from palermo.node.directory.models import PublicKey
from palermo.node.exchange import renewal
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.exchange.models import Outgoing
from palermo.sealing.directory import sign_recipient_key
from palermo.sealing.keys import RecipientKey

DAY = timedelta(days=1)


def received(network, sender: str, payload: bytes) -> Received:
    return Received(sender, "m1", renewal.PAYLOAD_TYPE, payload, "", "renewal", "", 0, network.now)


def test_a_key_is_renewed_at_half_its_life_and_told_to_every_partner(network):
    assert renewal.renew_keys(network.now) == 0
    later = network.now + 15 * DAY
    assert renewal.renew_keys(later) == 2
    assert renewal.renew_keys(later) == 0
    sent = Outgoing.objects.filter(payload_type=renewal.PAYLOAD_TYPE)
    assert sorted(sent.values_list("recipient", flat=True)) == ["BB-POL", "CC-FIU"]
    assert len(own_keys.recipient_keys()) == 2
    assert queries.recipient_key("AA-POL", later).key_id in own_keys.recipient_keys()
    assert checking.check() == []


def test_a_stop_between_making_and_offering_loses_nothing(network):
    own_keys.renew(network.now + 15 * DAY)
    assert Outgoing.objects.count() == 0
    assert renewal.renew_keys(network.now + 16 * DAY) == 2


def test_a_partner_without_a_key_is_told_when_it_has_one(network):
    later = network.now + 40 * DAY
    assert renewal.renew_keys(later) == 0
    partner, key = network.members["BB-POL"], RecipientKey.generate()
    signed = sign_recipient_key("BB-POL", key.public, later, later + 30 * DAY, partner.signing)
    renewal.receive_key(received(network, "BB-POL", signed), now=later)
    assert renewal.renew_keys(later) == 1


def test_a_private_key_is_destroyed_when_no_message_can_need_it(network):
    (first,) = own_keys.recipient_keys()
    end = network.now - DAY + 30 * DAY + own_keys.OVERLAP
    own_keys.renew(network.now + 15 * DAY)
    renewal.renew_keys(end - timedelta(seconds=1))
    assert first in own_keys.recipient_keys()
    renewal.renew_keys(end)
    assert first not in own_keys.recipient_keys()
    assert not list((network.members["AA-POL"].home / "keys").glob(f"*{first}*"))


def test_a_partners_new_key_is_taken_and_used(network):
    partner, key = network.members["BB-POL"], RecipientKey.generate()
    signed = sign_recipient_key("BB-POL", key.public, network.now, network.now + 30 * DAY, partner.signing)
    renewal.receive_key(received(network, "BB-POL", signed), now=network.now)
    assert queries.recipient_key("BB-POL", network.now) == key.public
    assert checking.check() == []


def test_another_authoritys_statement_is_refused(network):
    other, key = network.members["CC-FIU"], RecipientKey.generate()
    for code in ("BB-POL", "CC-FIU"):
        signed = sign_recipient_key(code, key.public, network.now, network.now + 30 * DAY, other.signing)
        with pytest.raises(RefusedError):
            renewal.receive_key(received(network, "BB-POL", signed), now=network.now)
    assert not PublicKey.objects.filter(key_id=key.key_id).exists()


def test_a_changed_key_row_is_named(network):
    row = PublicKey.objects.get(authority__code="BB-POL", purpose=PublicKey.RECIPIENT)
    PublicKey.objects.filter(pk=row.pk).update(public=RecipientKey.generate().public.to_bytes())
    assert [fault.where for fault in checking.check()] == [f"BB-POL {row.key_id}"]
