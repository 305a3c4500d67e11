"""A real node loses its storage twice and comes back over real HTTP: from its witnesses, then with a new log.

Three nodes as processes, which witness each other's logs. One is restored from a back-up that is older than what passed
since. The first time its witnesses give its log back. The second time they have lost it too, and the network's recovery
key lets it begin anew. What may never happen:

- a note that its app was told is sent is lost, takes effect twice, or is delivered with other bytes;
- a node sees a second history, or finds damage in its own check;
- the restored node appends an entry before its log is what others know, or was opened anew.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from finished import own_environment
from noting_node import NOTE, TABLE, WEB, WORKER, Parts
from stored_rows import Books, on_postgresql, opened

from palermo.cli.demo.nodes import Authority, Network

pytestmark = pytest.mark.slow

A, B, C = CODES = ("AA-POL", "BB-POL", "CC-POL")
NOTES = 3
LONGEST_SECONDS = 900.0
PASSPHRASE = {"PALERMO_BACKUP_PASSPHRASE": "a back-up of a test"}


def run(*arguments: object, expect: int | None = 0) -> str:
    command = [sys.executable, "-m", "palermo", *map(str, arguments)]
    environment = {**own_environment(), **PASSPHRASE}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
    )
    assert expect is None or done.returncode == expect, (arguments, done.stdout, done.stderr)
    return done.stdout


class Three:
    """The nodes, and what each one's app was told is sent: ids with digests, by sender and recipient."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        authorities = tuple(Authority(code, f"Police of {code[:2]}", code[:2], ("police",)) for code in CODES)
        self.network = Network(folder, authorities)
        self.network.make()
        self.key = folder / "recovery.key"
        run("key", "new", self.key, "--no-passphrase")
        run("directory", "amend", self.network.founder, "--recovery-key", f"{self.key}.pub")
        self.nodes: dict[str, Parts] = {}
        for code, node in self.network.nodes.items():
            run("directory", "import", "--home", node.home, self.network.founder / "directory.signed")
            self.nodes[code] = Parts(node.home, node.port, node.log, own_environment())
            with opened(node.home) as execute:
                execute(TABLE)
        self.told: dict[tuple[str, str], dict[str, str]] = {}

    def home(self, code: str) -> Path:
        return self.network.nodes[code].home

    def books(self, code: str) -> Books:
        return Books(self.home(code))

    def start(self, *codes: str) -> None:
        for code in codes:
            self.nodes[code].start()
        for code in codes:
            self.nodes[code].wait_until_up()

    def stop(self, *codes: str) -> None:
        for code in codes:
            self.nodes[code].kill(WEB, WORKER)

    def exchange(self) -> None:
        """Some notes each way between the node that will be lost and the two others, each with its receipt."""
        for sender, recipient in ((A, B), (B, A), (A, C), (C, A)):
            with self.nodes[sender].writer(recipient) as writer:
                said, _ = writer.communicate("1000\n" * NOTES)
            sent = dict(line.split() for line in said.splitlines())
            assert len(sent) == NOTES
            self.told.setdefault((sender, recipient), {}).update(sent)
        open_messages = "SELECT count(*) FROM exchange_outgoing WHERE receipt IS NULL"
        until(lambda: not any(self.books(code).count(open_messages) for code in CODES), "receipts")

    def cosigned(self, origin: str = f"palermo/{A}") -> tuple[int, str]:
        """Size and note of the newest checkpoint of the first node's log that both witnesses cosigned."""
        rows = self.books(A).rows(
            "SELECT c.size, c.text, w.lines FROM ledger_checkpoint c "
            "JOIN ledger_cosignature w ON w.checkpoint_id = c.id WHERE c.origin = ? ORDER BY c.size DESC, w.witness",
            origin,
        )
        for size, text in dict.fromkeys((row[0], row[1]) for row in rows):
            lines = [row[2] for row in rows if row[1] == text]
            if len(lines) == 2:
                return size, text + "".join(lines)
        return 0, ""

    def entered(self) -> int:
        return self.books(A).count("SELECT size FROM ledger_log")

    def lose_and_restore(self, backup: Path) -> None:
        self.stop(A)
        shutil.rmtree(self.home(A))
        run("node", "restore", backup, "--home", self.home(A))

    def wait(self, said: str, code: int) -> None:
        """Ask how far the recovery is until the command says so, with that exit code."""
        until(lambda: said in run("node", "recover", "--home", self.home(A), expect=None), said)
        run("node", "recover", "--home", self.home(A), expect=code)

    def recover(self) -> None:
        self.wait("nothing to recover", 0)

    def check(self) -> None:
        for (sender, recipient), sent in self.told.items():
            noted = self.books(recipient).rows("SELECT message_id, digest FROM noted WHERE sender = ?", sender)
            assert sorted(map(tuple, noted)) == sorted(sent.items()), f"effects at {recipient} of what {sender} sent"
            sql = "SELECT message_id FROM exchange_outgoing WHERE recipient = ? AND payload_type = ? AND state = ?"
            found = self.books(sender).column(sql, recipient, NOTE, "accepted")
            assert sorted(found) == sorted(sent), f"{sender} to {recipient}"
        for code in CODES:
            sql = "SELECT count(*) FROM ledger_witnessed WHERE conflicts_with_id IS NOT NULL OR partner = ?"
            assert self.books(code).count(sql, code) == 0, f"{code} saw a second history"
            run("node", "check", "--home", self.home(code))


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.5)


def test_a_node_comes_back_from_its_witnesses_and_where_they_lost_it_with_a_new_log(tmp_path) -> None:
    ours = Three(tmp_path)
    if on_postgresql(ours.home(A)):
        pytest.skip("its app's table is in no migration, so a back-up of PostgreSQL leaves it out")
    backup, newer, note = tmp_path / "old.backup", tmp_path / "newer.backup", tmp_path / "note.txt"
    try:
        ours.start(*CODES)
        ours.exchange()
        until(lambda: ours.cosigned()[0] > 0, "cosignatures")
        run("node", "backup", backup, "--home", ours.home(A))
        ours.exchange()
        before = ours.entered()
        until(lambda: ours.cosigned()[0] >= before, "cosignatures of all entries")
        before = ours.cosigned()[0]

        ours.lose_and_restore(backup)
        assert ours.entered() < before
        ours.start(A)
        ours.recover()
        assert ours.entered() > before, "the witnesses gave back what was lost"
        ours.exchange()
        until(lambda: ours.cosigned()[0] > before, "cosignatures after the recovery")
        ours.check()

        # One that knows the recipient key made for the recovery: what is sealed to a lost one cannot be opened again.
        run("node", "backup", newer, "--home", ours.home(A))
        before = ours.entered()
        ours.exchange()
        until(lambda: ours.cosigned()[0] > before, "cosignatures of what will be lost")
        size, text = ours.cosigned()
        note.write_text(text, "utf-8")
        ours.lose_and_restore(newer)
        kept = ours.entered()
        for code in (B, C):
            with opened(ours.home(code)) as execute:
                execute("DELETE FROM ledger_witnessedtile WHERE partner = ?", A)
                execute("DELETE FROM ledger_witnessedlog WHERE partner = ?", A)
        ours.start(A)
        ours.wait("No witness keeps", 3)
        assert ours.entered() == kept, "it appends nothing"

        draft, signed = tmp_path / "opening.draft", tmp_path / "opening.signed"
        run("ledger", "draft-new", "--home", ours.home(A), "--out", draft, "--checkpoint", note)
        run("ledger", "sign-new", draft, "--key", ours.key, "--out", signed, "--yes")
        assert f"number {max(size, kept)}" in run("ledger", "open-new", signed, "--home", ours.home(A))
        ours.recover()
        ours.exchange()
        new = f"palermo/{A}/2"
        until(lambda: ours.cosigned(new)[0] > 1, "cosignatures of the new log")
        ours.check()
        for code in (B, C):
            assert ours.books(code).column("SELECT origin FROM ledger_newlog") == [new]
        said = run("ledger", "audit", "--home", ours.home(A), "--against", note)
        assert "which the recovery key opened for the lost" in said and "The log is whole." in said
    finally:
        ours.stop(*CODES)
