"""A node restored from a back-up that is 1,000 messages old: nothing is lost, done twice, or forked.

Three nodes in this process, each with home, keys and database of its own; letters and messages go by hand as batches of
parcels, as over the wire.
"""

import importlib.util
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings as live_settings

from palermo.config import wiring
from palermo.config.backup import databases as snapshots
from palermo.node import restored
from palermo.node.directory import actions as directory_actions
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory_queries
from palermo.node.exchange import actions, handlers, recovery, witnessing
from palermo.node.exchange.models import Equivocation, Incoming, Outgoing, Peer, QueuedLetter
from palermo.node.exchange.routes import due_messages, next_load, way_to
from palermo.node.exchange.states import Outbox
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import disclosures
from palermo.node.ledger import queries as ledger_queries
from palermo.node.ledger.models import Witnessed
from palermo.node.office.errors import ConflictError
from palermo.sealing import directory as sealed
from palermo.sealing import records
from palermo.sealing.keys import SigningKey
from palermo.sealing.ledger_export import verify_export
from palermo.sealing.verify import Verdict

spec = importlib.util.spec_from_file_location("databases", Path(__file__).parents[1] / "databases.py")
databases_of_tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(databases_of_tests)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
A, B, C = CODES = ("AA-POL", "BB-POL", "CC-FIU")
KIND = "palermo/test.note+v1"
MESSAGES = 1000


class Nodes:
    """Three members that witness each other's logs. ``effects``: what each message did, by node."""

    def __init__(self, settings, folder, databases):
        # Once through the fixture, which puts all back; then directly, for each change through it nests one deeper.
        settings.PALERMO_AUTHORITY, settings.PALERMO_HOME = A, folder
        self.settings, self.folder, self.databases = live_settings, folder, databases
        self.homes = {code: folder / code for code in CODES}
        self.stores = {}
        self.effects = {code: [] for code in CODES}
        self.now = NOW

    @contextmanager
    def at(self, code):
        before = (self.settings.PALERMO_AUTHORITY, self.settings.PALERMO_HOME)
        self.settings.PALERMO_AUTHORITY, self.settings.PALERMO_HOME = code, self.homes[code]
        try:
            with databases_of_tests.acting_on(self.stores[code]):
                yield
        finally:
            self.settings.PALERMO_AUTHORITY, self.settings.PALERMO_HOME = before

    def found(self):
        entries, founder = [], SigningKey.generate()
        for code in CODES:
            self.homes[code].mkdir()
            self.stores[code] = self.databases.new(self.homes[code])
            with self.at(code):
                own_keys.ensure(NOW)
                entries.append(entry(code))
        root = sealed.TrustRoot("test", (founder.public.to_bytes(),))
        directory = sealed.Directory(
            network="test",
            version=1,
            created_at=NOW,
            founders=(founder.key_id,),
            entries=tuple(entries),
            witnesses=CODES,
        )
        for code in CODES:
            with self.at(code):
                (self.homes[code] / "trust-root.json").write_bytes(root.to_bytes())
                directory_actions.import_directory(sealed.sign_directory(directory, founder), now=NOW)

    def write(self, sender, recipient, text):
        with self.at(sender):
            actions.send(
                recipient=recipient,
                payload_type=KIND,
                payload=text.encode(),
                case_reference="",
                purpose="test",
                message_id=f"{sender}-{text}",
                now=self.now,
            )

    def carry(self, sender, recipient):
        """One post from one to the other; whether there was anything."""
        with self.at(sender):
            load = next_load(way_to(recipient), self.now)
        if not load:
            return False
        with self.at(recipient):
            self.acting = recipient
            answers = actions.receive_parcels(load.parcels, now=self.now)
        with self.at(sender):
            for key, answer in zip(load.messages, answers, strict=False):
                if not answer.startswith(b"!"):
                    actions.settle(key, answer, now=self.now)
            letters = zip(load.letters, answers[len(load.messages) :], strict=True)
            assert all(not answer.startswith(b"?") for _, answer in letters), answers
            taken = zip(load.letters, answers[len(load.messages) :], strict=True)
            actions.drop_letters([letter for letter, answer in taken if answer == b""])
        return any(not answer.startswith(b"!") for answer in answers)

    def settle_down(self):
        """Carry until nothing moves any more."""
        pairs = [(one, other) for one in CODES for other in CODES if one != other]
        moved = [True]
        while any(moved):
            moved = [self.carry(*pair) for pair in pairs]

    def close_intervals(self):
        self.now += timedelta(minutes=15)
        for code in CODES:
            with self.at(code):
                witnessing.turn(self.now)
        self.settle_down()

    def back_up(self, code):
        kept = self.folder / f"{code}.backup"
        with self.at(code):
            shutil.copytree(self.homes[code], kept, ignore=shutil.ignore_patterns("db.sqlite3*"))
            with snapshots.snapshot(kept):
                pass
            return kept, ledger_queries.size()

    def restore(self, code, kept, size):
        self.databases.drop(self.stores[code])
        shutil.rmtree(self.homes[code])
        shutil.copytree(kept, self.homes[code])
        self.stores[code] = self.databases._open(self.homes[code] / "db.sqlite3")
        mark = restored.Restored(self.now, size, False, None)
        (self.homes[code] / restored.RESTORED).write_bytes(records.to_bytes(mark))


def entry(code):
    (statement,) = (signed for _, signed in own_keys.statements())
    period = sealed.SigningKeyPeriod(own_keys.signing_key().public.to_bytes(), NOW, NOW + timedelta(days=900))
    return sealed.AuthorityEntry(
        code=code,
        name=code,
        jurisdiction=code[:2],
        roles=(sealed.Role.POLICE,),
        languages=("en",),
        endpoint=f"http://{code.lower()}.invalid",
        contact_point="duty desk",
        log_origin=f"palermo/{code}",
        signing_keys=(period,),
        recipient_keys=(statement,),
        protocol=2,
        cosigner_key=own_keys.cosigner_key().public.to_bytes(),
    )


@pytest.fixture
def nodes(settings, tmp_path, tmp_path_factory, django_db_blocker):
    wiring.connect()
    with django_db_blocker.unblock():
        made = databases_of_tests.SqliteDatabases(tmp_path_factory.mktemp("database"))
        world = Nodes(settings, tmp_path, made)

        def effect(message, *, now):
            world.effects[world.acting].append((message.sender, message.message_id))

        handlers.register(KIND, effect)
        world.found()
        yield world
        for store in world.stores.values():
            made.drop(store)


@pytest.mark.parametrize("number", [20, pytest.param(MESSAGES, marks=pytest.mark.slow)])
def test_a_back_up_that_is_many_messages_old(nodes, number):
    for text in ("first", "second"):
        nodes.write(B, A, text)
        nodes.write(A, B, text)
    nodes.settle_down()
    nodes.close_intervals()
    kept, size = nodes.back_up(A)
    for place in range(number // 2):
        nodes.write(B, A, f"to-a-{place}")
        nodes.write(A, (B, C)[place % 2], f"from-a-{place}")
    nodes.settle_down()
    nodes.close_intervals()
    with nodes.at(A):
        expected = set(Incoming.objects.values_list("message_id", flat=True))
        sent = set(Outgoing.objects.values_list("message_id", flat=True))
        before = ledger_queries.size()
    assert len(expected) + len(sent) == number + 4
    nodes.now += timedelta(days=9)  # longer than the messages live
    kept_effects = [found for found in nodes.effects[A] if found[1] in (f"{B}-first", f"{B}-second")]
    nodes.restore(A, kept, size)
    nodes.effects[A] = list(kept_effects)

    with nodes.at(A):
        with pytest.raises(ledger.RestoredError):
            ledger.append(kind="x", counterparty="", fields={}, now=nodes.now)
        with pytest.raises(ledger.RestoredError):
            actions.send(recipient=B, payload_type=KIND, payload=b"x", case_reference="", purpose="test", now=nodes.now)
        assert not due_messages(nodes.now).exists()
        assert witnessing.turn(nodes.now) == 0
    for _ in range(3):
        with nodes.at(A):
            recovery.turn(nodes.now)
        nodes.settle_down()

    with nodes.at(A):
        assert restored.read() is None
        assert set(Incoming.objects.values_list("message_id", flat=True)) == expected
        assert set(Outgoing.objects.values_list("message_id", flat=True)) == sent
        assert not Outgoing.objects.exclude(state=Outbox.ACCEPTED).exists()
        assert ledger_queries.size() > before
        assert Peer.objects.get(code=B).next_sequence == Outgoing.objects.filter(recipient=B).count() + 1
        assert ledger_queries.check() == []
        assert not QueuedLetter.objects.exists()
    assert len(nodes.effects[A]) == len(set(nodes.effects[A])) == len(expected), "each acted on once"
    for code in (B, C):
        assert len(nodes.effects[code]) == len(set(nodes.effects[code]))

    nodes.write(A, B, "after")
    nodes.write(B, A, "after")
    nodes.settle_down()
    nodes.close_intervals()
    for code in CODES:
        with nodes.at(code):
            assert not Witnessed.objects.filter(conflicts_with__isnull=False).exists(), "nobody saw a fork"
            assert not Witnessed.objects.filter(partner=code).exists()
            assert not Equivocation.objects.exists()
            assert ledger_queries.newest_cosigned().size == ledger_queries.size()
    with nodes.at(A):
        lines = disclosures.shown(SimpleNamespace(pk=1, roles=["auditor"], is_active=True))
        report = verify_export(lines, directory_queries.trust())
        assert report.verdict is Verdict.PROVEN, report.checks
        assert report.expired.total() > 0, "lost entries are shown as lost"


def test_a_partner_that_has_not_answered_gets_nothing_new(nodes):
    nodes.write(A, B, "first")
    nodes.settle_down()
    nodes.close_intervals()
    nodes.restore(A, *nodes.back_up(A))
    with nodes.at(A):
        recovery.turn(nodes.now)
        restored.note_log_recovered()
        assert restored.waits_for(B)
    with pytest.raises(ConflictError, match="has not said yet"):
        nodes.write(A, B, "second")
