"""This node as a relay: what it takes, from whom, how much; what it hands out; and what it never loses."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

import pytest
from relaying import RELAY_ROLES, with_entries

from palermo.node.exchange import relay, relay_limits
from palermo.node.exchange.relay import RelayRefusalError
from palermo.node.exchange.relay_models import Holding, RelayParcel
from palermo.sealing import batch, parcel
from palermo.sealing.envelope import Header, seal_envelope
from palermo.sealing.keys import SigningKey
from palermo.sealing.letter import Letter, seal_letter
from palermo.sealing.stage import Stage, verify_stage
from palermo.sealing.ticket import Collection, Index, Ticket, sign_collection, sign_ticket

RELAY, SENDER, RECIPIENT = "AA-POL", "BB-POL", "CC-FIU"


@dataclass
class Post:
    """What the two members do at this relay."""

    network: object
    count: int = 0

    @property
    def now(self):
        return self.network.now

    def parcel(self, body: bytes = b"", *, sender: str = SENDER, recipient: str = RECIPIENT) -> bytes:
        self.count += 1
        there = self.network.members[recipient].recipient.public
        letter = Letter(
            kind="test.note+v1",
            letter_id=f"letter-{self.count}",
            sender=sender,
            recipient=recipient,
            recipient_key_id=there.key_id,
            created_at=self.now,
            not_after=self.now + timedelta(days=7),
            body=body,
        )
        return seal_letter(letter, self.network.members[sender].signing, there)

    def ticket(self, *parcels: bytes, key: SigningKey | None = None, **changes) -> bytes:
        values = {
            "relay": RELAY,
            "member": SENDER,
            "recipient": RECIPIENT,
            "at": self.now,
            "nonce": secrets.token_hex(16),
            "digests": tuple(map(parcel.digest, parcels)),
        }
        ticket = Ticket(**{**values, **changes})
        return sign_ticket(ticket, key or self.network.members[ticket.member].signing)

    def hand_in(self, *parcels: bytes, now=None, **changes) -> list[bytes]:
        now = now or self.now
        admitted = relay.admit(self.ticket(*parcels, at=now, **changes), RECIPIENT, now=now)
        return relay.hold(admitted, parcels, now=now)

    def collection(self, key: SigningKey | None = None, **changes) -> bytes:
        values = {"relay": RELAY, "member": RECIPIENT, "at": self.now, "nonce": secrets.token_hex(16)}
        asked = Collection(**{**values, **changes})
        return sign_collection(asked, key or self.network.members[asked.member].signing)

    def collect(self, *, now=None, **changes) -> tuple[Index, list[bytes], list[bytes]]:
        now = now or self.now
        first, *rest = batch.unpack(relay.collect(self.collection(at=now, **changes), now=now))
        index = Index.from_bytes(first)
        return index, rest[: index.failures], rest[index.failures :]

    def statement(self, data: bytes):
        return verify_stage(data, [self.network.members[RELAY].signing.public])


@pytest.fixture
def post(network) -> Post:
    with_entries(network, {RELAY: {"roles": RELAY_ROLES}, RECIPIENT: {"endpoint": "", "relay": RELAY}})
    return Post(network)


def refused(status: int):
    return pytest.raises(RelayRefusalError, check=lambda error: error.status == status)


def test_what_is_handed_in_is_stated_and_handed_out(post):
    first, second = post.parcel(b"one"), post.parcel(b"two")
    stated = [post.statement(answer) for answer in post.hand_in(first, second)]
    assert [(s.stage, s.sender, s.recipient, s.issuer) for s in stated] == [
        (Stage.RELAYED, SENDER, RECIPIENT, RELAY)
    ] * 2
    assert [s.envelope_digest for s in stated] == [parcel.digest(first), parcel.digest(second)]
    index, failures, parcels = post.collect()
    assert (parcels, failures, index.more) == ([first, second], [], False)
    assert [(held.digest, held.sender) for held in index.parcels] == [
        (parcel.digest(first), SENDER),
        (parcel.digest(second), SENDER),
    ]


def test_it_is_handed_out_until_its_recipient_signs_that_it_has_it(post):
    content = post.parcel()
    post.hand_in(content)
    assert post.collect()[2] == post.collect()[2] == [content]
    assert post.collect(taken=(parcel.digest(content),))[2] == []
    row = RelayParcel.objects.get()
    assert (row.state, row.content) == (Holding.COLLECTED, None)


def test_the_same_parcel_again_is_one_parcel_with_one_statement(post):
    content = post.parcel()
    assert post.hand_in(content) == post.hand_in(content)
    assert RelayParcel.objects.count() == 1


def test_collected_and_handed_in_again_it_is_handed_out_again(post):
    """Its sender has no receipt: the recipient answers with the receipt that it gave before."""
    content = post.parcel()
    statement = post.hand_in(content)
    post.collect(taken=(parcel.digest(content),))
    assert post.hand_in(content) == statement
    assert post.collect()[2] == [content]


def test_a_parcel_that_cannot_be_taken_does_not_hide_those_behind_it(post):
    parcels = [post.parcel() for _ in range(3)]
    post.hand_in(*parcels)
    assert post.collect(after=parcel.digest(parcels[0]))[2] == parcels[1:]
    # the last that was given is taken now, and the pass goes on behind it all the same
    assert post.collect(taken=(parcel.digest(parcels[1]),), after=parcel.digest(parcels[1]))[2] == parcels[2:]
    assert post.collect()[2] == [parcels[0], parcels[2]]


def test_an_answer_holds_no_more_than_its_bounds_and_says_that_more_waits(post, monkeypatch):
    monkeypatch.setattr(relay, "MOST_BYTES", 10_000)
    parcels = [post.parcel() for _ in range(3)]
    sizes = {len(content) for content in parcels}
    post.hand_in(*parcels)
    index, _, given = post.collect()
    assert sizes == {8192} and given == parcels[:1] and index.more


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"key": SigningKey.generate()}, 403),
        ({"member": "DD-POL", "key": SigningKey.generate()}, 403),
        ({"relay": SENDER}, 403),
        ({"at": timedelta(minutes=6)}, 403),
        ({"at": timedelta(minutes=-6)}, 403),
    ],
)
def test_a_ticket_that_proves_nothing_is_refused_before_its_parcels(post, changes, status):
    if "at" in changes:
        changes = {**changes, "at": post.now + changes["at"]}
    with refused(status):
        relay.admit(post.ticket(post.parcel(), **changes), RECIPIENT, now=post.now)


def test_a_ticket_is_for_its_recipient_alone(post):
    with refused(400):
        relay.admit(post.ticket(post.parcel()), SENDER, now=post.now)
    with refused(409):
        relay.admit(post.ticket(post.parcel(), member=RECIPIENT, recipient=SENDER), SENDER, now=post.now)
    with refused(409):
        relay.admit(post.ticket(post.parcel(), recipient="DD-POL"), "DD-POL", now=post.now)


def test_bytes_that_are_no_ticket(post):
    for data in (b"", b"{}", b"x" * 70_000, post.collection()):
        with refused(403):
            relay.admit(data, RECIPIENT, now=post.now)


def test_a_ticket_is_used_once_and_takes_its_own_parcels_alone(post):
    content, other = post.parcel(), post.parcel()
    admitted = relay.admit(post.ticket(content), RECIPIENT, now=post.now)
    for wrong in ([other], [], [content, other]):
        with refused(400):
            relay.hold(admitted, wrong, now=post.now)
    relay.hold(admitted, [content], now=post.now)
    with refused(403):
        relay.hold(admitted, [content], now=post.now)
    assert RelayParcel.objects.count() == 1


def test_what_is_no_parcel_or_for_another_or_not_padded(post, network):
    there = network.members[RECIPIENT].recipient.public
    header = network_header(network, there.key_id)
    unpadded = seal_envelope(header, b"x" * 1000, network.members[SENDER].signing, there)
    for content in (b"hello", unpadded, post.parcel() + b"\0", post.parcel(sender=RECIPIENT, recipient=SENDER)):
        with refused(400):
            post.hand_in(content)
    assert RelayParcel.objects.count() == 0


def network_header(network, key_id: str) -> Header:
    return Header(
        protocol_version=1,
        payload_type="palermo/test.note+v1",
        sender=SENDER,
        recipient=RECIPIENT,
        recipient_key_id=key_id,
        message_id="note-1",
        sequence=1,
        purpose="test",
        created_at=network.now,
        not_after=network.now + timedelta(days=7),
        directory_version=1,
    )


def test_nobody_collects_or_deletes_anothers_post(post):
    content = post.parcel()
    post.hand_in(content)
    assert post.collect(member=SENDER, taken=(parcel.digest(content),))[2] == []
    with refused(403):
        relay.collect(post.collection(key=post.network.members[SENDER].signing), now=post.now)
    assert post.collect()[2] == [content]


def test_a_collection_is_used_once_and_while_it_is_fresh(post):
    asked = post.collection()
    relay.collect(asked, now=post.now)
    with refused(403):
        relay.collect(asked, now=post.now)
    with refused(403):
        relay.collect(post.collection(), now=post.now + timedelta(minutes=6))


def test_a_full_mailbox_takes_nothing_more_and_pushes_nothing_out(post, monkeypatch):
    monkeypatch.setattr(relay_limits, "MAILBOX", relay_limits.Bound(2**40, 2, "test"))
    parcels = [post.parcel() for _ in range(3)]
    answers = post.hand_in(*parcels)
    assert [bool(answer) for answer in answers] == [True, True, False]
    assert post.collect()[2] == parcels[:2]
    post.collect(taken=tuple(map(parcel.digest, parcels[:2])))
    assert post.hand_in(parcels[2]) != [b""]


def test_one_sender_alone_cannot_fill_a_relay(post, monkeypatch):
    monkeypatch.setattr(relay_limits, "SENDER", relay_limits.Bound(relay_limits.LEAST_BYTES * 2, 10, "test"))
    answers = post.hand_in(*(post.parcel() for _ in range(3)))
    assert [bool(answer) for answer in answers] == [True, True, False]


def test_what_is_not_collected_in_time_fails_and_its_sender_is_told_until_it_knows(post):
    content = post.parcel()
    post.hand_in(content)
    later = post.now + relay_limits.KEEP
    assert (relay.sweep(later - timedelta(seconds=1)), relay.sweep(later), relay.sweep(later)) == (0, 1, 0)
    told = {"now": later, "member": SENDER}
    _, [failure], _ = post.collect(**told)
    stated = post.statement(failure)
    assert (stated.stage, stated.envelope_digest) == (Stage.RELAY_FAILED, parcel.digest(content))
    assert f"{RECIPIENT} did not collect it" in stated.reason
    assert post.hand_in(content, now=later) == [failure]
    assert post.collect(**told)[1] == [failure]
    assert post.collect(**told, told=(parcel.digest(content),))[1] == []
    assert post.collect(now=later)[2] == []


def test_what_is_over_is_forgotten(post):
    content = post.parcel()
    post.hand_in(content)
    post.collect(taken=(parcel.digest(content),))
    relay.sweep(post.now + relay_limits.REMEMBER - timedelta(seconds=1))
    assert RelayParcel.objects.count() == 1
    relay.sweep(post.now + relay_limits.REMEMBER)
    assert RelayParcel.objects.count() == 0


def test_a_node_without_the_role_relays_for_nobody(network):
    post = Post(network)
    with refused(403):
        relay.admit(post.ticket(post.parcel()), RECIPIENT, now=post.now)
    with refused(403):
        relay.collect(post.collection(), now=post.now)


def test_a_member_that_left_is_refused(post, network):
    ticket = post.ticket(post.parcel())
    with_entries(
        network, {RELAY: {"roles": RELAY_ROLES}, RECIPIENT: {"endpoint": "", "relay": RELAY}}, without=(SENDER,)
    )
    with refused(403):
        relay.admit(ticket, RECIPIENT, now=post.now)
