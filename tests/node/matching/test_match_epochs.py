"""Epochs: one signed manifest a tier, the same bytes for all; seeds and publications that end with the epoch."""

import stat
from datetime import timedelta

import pytest

from palermo import blind
from palermo.node import home
from palermo.node.directory import queries as directory
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.models import Outgoing
from palermo.node.ledger.models import Entry
from palermo.node.matching import actions, files, queries
from palermo.node.matching.messages import MANIFEST, ManifestMessage
from palermo.node.matching.models import Epoch, HeldRun, PartnerManifest, Publication
from palermo.node.matching.states import EPOCH_MOVES, EpochState, HeldRunState
from palermo.node.matching.steps import Step
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError
from palermo.sealing import dsse
from palermo.subjects.entities import Entity

pytestmark = pytest.mark.django_db

HOLDER = "BB-POL"
PHONED = Entity("bb-1", "Person", {"phone": ("+39 06 698 12345",)})


class TestOpen:
    def test_who_may(self, sides, fill, make_officer):
        fill("register", HOLDER, [PHONED])
        for role in ("investigator", "auditor", "central_authority"):
            with pytest.raises(AccessDeniedError):
                actions.open_epoch(make_officer(f"o-{role}", role), now=sides.now)
        assert actions.open_epoch(make_officer("adm", "administrator"), now=sides.now).state == EpochState.PUBLISHING

    @pytest.mark.parametrize("days", [0, 31])
    def test_at_most_thirty_days(self, sides, fill, supervisor, days):
        fill("register", HOLDER, [PHONED])
        with pytest.raises(InvalidError):
            actions.open_epoch(supervisor, days=days, now=sides.now)

    def test_without_a_partner_in_any_holding_there_is_nothing_to_publish(self, sides, supervisor):
        with pytest.raises(ConflictError):
            actions.open_epoch(supervisor, now=sides.now)

    def test_a_tier_that_holds_nothing_is_not_published(self, sides, fill, supervisor):
        fill("register", HOLDER, [PHONED], partners=["CC-FIU"])
        fill("empty", HOLDER, [Entity("bb-2", "Person", {"name": ("X",)})])
        with sides.at(HOLDER):
            actions.open_epoch(supervisor, now=sides.now)
        sides.work()
        (epoch,) = queries.epochs(supervisor)
        assert (epoch.state, [publication.partners for publication in epoch.publications]) == (
            EpochState.OPEN,
            [("CC-FIU",)],
        )


class TestPublication:
    def test_the_manifest_is_signed_and_byte_equal_for_all_partners_of_the_tier(self, sides, fill, supervisor):
        fill("register", HOLDER, [PHONED], partners=["CC-FIU", "AA-POL"])
        with sides.at(HOLDER):
            actions.open_epoch(supervisor, now=sides.now)
        sides.work()
        sides.work()
        signed = bytes(Publication.objects.get().manifest)
        sent = Outgoing.objects.filter(payload_type=MANIFEST)
        assert sorted(message.recipient for message in sent) == ["AA-POL", "CC-FIU"]
        for message in sent:
            assert ManifestMessage.from_bytes(_opened(sides, message)).manifest == signed
        payload = dsse.verify(signed, dsse.by_id(*directory.verify_keys(HOLDER, sides.now)), payload_type=MANIFEST)
        manifest = blind.Manifest.parse(payload.payload)
        assert (manifest.holder, manifest.digest.hex()) == (HOLDER, Publication.objects.get().manifest_digest)

    def test_the_manifest_is_entered_in_the_ledger(self, offered):
        entry = Entry.objects.get(kind="matching.published")
        fields = {name: value for name, value, _ in entry.fields}
        assert fields["manifest"] == Publication.objects.get().manifest_digest

    def test_holdings_with_other_partners_are_another_tier_with_other_keys(self, sides, fill, supervisor):
        fill("one", HOLDER, [PHONED], partners=["AA-POL"])
        fill("two", HOLDER, [PHONED], partners=["AA-POL", "CC-FIU"])
        with sides.at(HOLDER):
            actions.open_epoch(supervisor, now=sides.now)
        sides.work()
        manifests = [
            blind.Manifest.parse(dsse.parse(bytes(publication.manifest)).payload)
            for publication in Publication.objects.all()
        ]
        assert len({manifest.tier for manifest in manifests}) == 2
        assert len({manifest.entry("phone").public_key for manifest in manifests}) == 2

    def test_a_protected_value_is_in_no_token_table(self, sides, offered):
        with sides.at(HOLDER):
            seed = files.read_seed(offered.code)
            folder = files.publication_folder(offered.code, Publication.objects.get().tier)
            publication = blind.Publication.load(folder)
        references = _references(publication)
        assert references == {"register/bb-1", "register/bb-2", "register/bb-4"}
        assert len(seed) == 32

    def test_the_seed_is_for_the_owner_alone(self, sides, offered):
        with sides.at(HOLDER):
            (path,) = home.epoch_seeds_folder().iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.name == f"{offered.code}.seed"


class TestReceivedManifest:
    def test_it_is_kept_with_its_filters(self, sides, offered, investigator):
        (manifest,) = queries.manifests(investigator, now=sides.now)
        assert (manifest.partner, manifest.live) == (HOLDER, True)
        assert manifest.counts == {"email": 64, "person": 64, "phone": 64}
        with sides.at("AA-POL"):
            payload = dsse.parse(bytes(PartnerManifest.objects.get().manifest)).payload
            assert files.read_filters(blind.Manifest.parse(payload)).keys() == {"email", "person", "phone"}

    @pytest.mark.parametrize("fault", ["filter", "signer", "holder", "second", "nonsense"])
    def test_what_does_not_fit_is_refused_with_its_reason(self, sides, offered, fault):
        payload, words = _faulty(sides, fault)
        with sides.at(HOLDER):
            exchange.send(
                recipient="AA-POL",
                payload_type=MANIFEST,
                payload=payload,
                case_reference="X",
                purpose="test",
                now=sides.now,
            )
        sides.post()
        assert words in sides.reason(MANIFEST)
        assert PartnerManifest.objects.count() == 1


class TestClose:
    def test_the_seed_is_destroyed_when_the_epoch_ends_and_the_ledger_says_so(self, sides, offered):
        with sides.at(HOLDER):
            assert actions.close_due_epochs(offered.valid_until - timedelta(seconds=1)) == 0
            assert actions.close_due_epochs(offered.valid_until) == 1
            assert actions.close_due_epochs(offered.valid_until) == 0
            assert list(home.epoch_seeds_folder().iterdir()) == []
            assert not files.publication_folder(offered.code, Publication.objects.get().tier).exists()
            with pytest.raises(files.SeedGoneError):
                files.read_seed(offered.code)
        assert Epoch.objects.get().state == EpochState.CLOSED
        assert Entry.objects.filter(kind="matching.epoch_closed").count() == 1

    def test_runs_in_flight_are_refused_and_the_querier_learns_why(self, sides, offered, start, investigator):
        run = start()
        sides.work(only=Step.PREPARE)
        sides.post()
        Epoch.objects.update(valid_until=sides.now + timedelta(days=1))
        sides.now += timedelta(days=1)
        with sides.at(HOLDER):
            actions.close_due_epochs(sides.now)
        sides.settle()
        assert HeldRun.objects.get().state == HeldRunState.FAILED
        assert "The epoch has ended" in queries.run(investigator, run.run_id).failure

    def test_a_partner_to_whom_nothing_can_be_sealed_keeps_no_epoch_from_ending(self, sides, offered, start):
        start()
        sides.work(only=Step.PREPARE)
        sides.post()
        with sides.at(HOLDER):
            assert actions.close_due_epochs(sides.now + timedelta(days=500)) == 1
            assert list(home.epoch_seeds_folder().iterdir()) == []

    def test_filters_of_an_ended_manifest_go_once_no_run_needs_them(self, sides, offered, start):
        start()
        with sides.at("AA-POL"):
            folder = home.publications_folder() / "received"
            actions.close_due_epochs(offered.valid_until)
            assert len(list(folder.iterdir())) == 1
            actions.settle(offered.valid_until)
            actions.close_due_epochs(offered.valid_until)
            assert list(folder.iterdir()) == []

    def test_states_move_forward_only(self):
        assert EPOCH_MOVES[EpochState.CLOSED] == frozenset()
        assert all(EpochState.PUBLISHING not in moves for moves in EPOCH_MOVES.values())


def _faulty(sides, fault: str) -> tuple[bytes, str]:
    """A manifest message with one fault, and words of the reason for which it is refused."""
    sent = ManifestMessage.from_bytes(_opened(sides, Outgoing.objects.get(payload_type=MANIFEST)))
    if fault == "nonsense":
        return b'{"filters":{},"manifest":""}', "cannot be used"
    if fault == "filter":
        altered = dict(sent.filters) | {"phone": sent.filters["phone"][:-1] + b"\x00"}
        return ManifestMessage(sent.manifest, altered).to_bytes(), "the filter of phone is not the one"
    seed = b"s" * 32
    holder = "CC-FIU" if fault == "holder" else HOLDER
    made = blind.publish(
        seed=seed,
        holder=holder,
        epoch=Epoch.objects.get().code,
        tier=Publication.objects.get().tier,
        valid_from=sides.now,
        valid_until=sides.now + timedelta(days=1),
        items=[blind.Item("phone", "+390669812345", "x")],
        rng=lambda size: b"\x05" * size,
    )
    signer = sides.network.members["CC-FIU" if fault == "signer" else HOLDER].signing
    message = ManifestMessage(dsse.sign(MANIFEST, made.manifest, signer), made.filters)
    words = {
        "signer": "not among the signer's keys",
        "holder": "each holder sends its own",
        "second": "another manifest",
    }
    return message.to_bytes(), words[fault]


def _opened(sides, message: Outgoing) -> bytes:
    from palermo.node.directory import own_keys
    from palermo.sealing.envelope import open_envelope

    with sides.at(message.recipient):
        opened = open_envelope(
            bytes(message.envelope), own_keys.recipient_keys(), lambda sender: directory.verify_keys(sender, sides.now)
        )
    return opened.payload


def _references(publication: blind.Publication) -> set[str]:
    return {
        reference
        for table in publication.tables.values()
        for index in range(len(table))
        for reference in table.find(table._locator(index)).refs
    }
