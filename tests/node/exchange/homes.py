"""Three members in one process, each with home, keys and database of its own, of which one can lose its storage.

Letters and messages go by hand as batches of parcels, as over the wire.
"""

import importlib.util
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings as live_settings

from palermo.config.backup import databases as snapshots
from palermo.node import restored
from palermo.node.directory import actions as directory_actions
from palermo.node.directory import own_keys
from palermo.node.exchange import actions, witnessing
from palermo.node.exchange.routes import next_load, way_to
from palermo.node.ledger import queries as ledger_queries
from palermo.sealing import directory as sealed
from palermo.sealing import records
from palermo.sealing.keys import SigningKey

spec = importlib.util.spec_from_file_location("databases", Path(__file__).parents[1] / "databases.py")
databases_of_tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(databases_of_tests)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
A, B, C = CODES = ("AA-POL", "BB-POL", "CC-FIU")
KIND = "palermo/test.note+v1"


class Nodes:
    """Three members that witness each other's logs. ``effects``: what each message did, by node."""

    def __init__(self, settings, folder, databases):
        # Once through the fixture, which puts all back; then directly, for each change through it nests one deeper.
        settings.PALERMO_AUTHORITY, settings.PALERMO_HOME = A, folder
        self.settings, self.folder, self.databases = live_settings, folder, databases
        self.homes = {code: folder / code for code in CODES}
        self.stores = {}
        self.dumped = {}  # what a back-up of PostgreSQL is, by node: its tables and migrations
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
        self.recovery = SigningKey.generate()
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
            recovery_key=self.recovery.public.to_bytes(),
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
            with snapshots.snapshot(kept) as tables:
                self.dumped[code] = (tables, snapshots.applied())
            return kept, ledger_queries.size()

    def restore(self, code, kept, size):
        self.databases.drop(self.stores[code])
        shutil.rmtree(self.homes[code])
        shutil.copytree(kept, self.homes[code])
        self.stores[code] = self.databases.restored(self.homes[code])
        tables, migrations = self.dumped[code]
        if tables:
            with self.at(code):
                snapshots.load(self.homes[code], tables, migrations)
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
