"""Two real nodes that send each other large files, each as a web server and a worker, to be measured or killed.

A message type of its own stands for an app: it accepts every file, and moves the one that came to ``received/`` in the
node's home. Each piece that is handed in is noted in ``pieces.log``: its number, and whether it was here already.

    python large_files_node.py worker        with PALERMO_HOME set; the web server is run by granian
"""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from palermo.cli.demo.nodes import Authority, Network, Node
from palermo.config import node_file, serve
from palermo.config.lifeline import die_with_parent

KIND = "palermo/benchmark.file+v1"
SENDER, RECIPIENT = "AA-POL", "BB-POL"
START_SECONDS = 60.0


def register() -> None:
    """Let this process act on files, and note each piece that is handed in."""
    from django.conf import settings

    from palermo.node.exchange import handlers
    from palermo.node.exchange.files import arriving, store
    from palermo.sealing import records
    from palermo.sealing.file_offer import FileOffer

    class Received:
        """Keeps the file under the id of its message."""

        def examine(self, message: Any, file: Path, *, now: Any) -> None:
            """Nothing to look at."""

        def take(self, message: Any, file: Path, examined: None, *, now: Any) -> None:
            """Move it away."""
            folder = settings.PALERMO_HOME / "received"
            folder.mkdir(exist_ok=True)
            file.replace(folder / message.message_id)

    def accept(message: Any, *, now: Any) -> None:
        arriving.accept(records.from_bytes(FileOffer, message.payload, "offer"), message, subject="benchmark", now=now)

    handlers.register(KIND, handlers.Handler(accept, file=Received()))
    take, log = arriving.take_piece, settings.PALERMO_HOME / "pieces.log"

    def noting(file_id: str, number: int, chunks: Iterable[bytes]) -> None:
        with log.open("a", encoding="ascii") as lines:
            lines.write(f"{number} {int(store.has_piece(file_id, number))}\n")
        take(file_id, number, chunks)

    arriving.take_piece = noting


def web_application() -> Callable[..., Any]:
    """The node's web application with its gate, for ``granian --factory``."""
    from palermo.config.asgi import application

    register()
    return application


def run_worker() -> None:
    """The node's worker, as ``palermo.config.worker`` runs it."""
    import django

    django.setup()
    from palermo.config import wiring, worker

    wiring.connect()
    register()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    worker.run(stop)


@dataclass
class Pair:
    """One node of the two. ``settings``: environment variables of its processes."""

    node: Node
    settings: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The node's home."""
        return self.node.home

    def start(self, *parts: str) -> None:
        """Start the web server, the worker, or both, and wait until the server answers."""
        usual, target = serve.commands(node_file.read(self.home))["web server"], "palermo.config.asgi:application"
        web = ["large_files_node:web_application" if word == target else word for word in usual]
        commands = {
            "web": [*web, "--factory"],
            "worker": [sys.executable, str(Path(__file__).resolve()), "worker"],
        }
        here, given = str(Path(__file__).resolve().parent), os.environ.get("PYTHONPATH")
        environment = {
            **os.environ,
            **self.settings,
            "PALERMO_HOME": str(self.home),
            "PALERMO_SUPERVISED": "1",
            "DJANGO_SETTINGS_MODULE": "palermo.config.settings",
            "PYTHONPATH": f"{here}{os.pathsep}{given}" if given else here,
        }
        with self.node.log.open("ab") as log:
            for part in parts or commands:
                self.processes[part] = subprocess.Popen(
                    commands[part],
                    env=environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                )
        self._wait_until_up()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.node.url}/healthz", timeout=2.0).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.node.authority.code} did not start:\n{self.node.log.read_text()[-3000:]}")

    def kill(self, *parts: str) -> None:
        """SIGKILL the whole group of the web server, of the worker, or of both."""
        for part in parts or list(self.processes):
            process = self.processes.pop(part)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def peaks(self) -> dict[str, int]:
        """The largest memory (VmHWM, in bytes) that each living process of this node ever had, by part."""
        return {part: sum(map(_peak, _family(process.pid))) for part, process in self.processes.items()}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What stands committed in its database."""
        with sqlite3.connect(f"file:{self.home / 'db.sqlite3'}?mode=ro", uri=True, timeout=20) as database:
            return database.execute(sql).fetchall()

    def handed_in(self) -> list[tuple[int, bool]]:
        """Each piece that was handed in here: its number, and whether it was here already."""
        log = self.home / "pieces.log"
        lines = log.read_text("ascii").splitlines() if log.exists() else []
        return [(int(line.split()[0]), line.endswith(" 1")) for line in lines if len(line.split()) == 2]

    def pieces_here(self) -> set[int]:
        """Pieces on disk."""
        return {int(path.name) for path in (self.home / "transfers" / "in").glob("*/*") if path.name.isdigit()}


def _family(pid: int) -> list[int]:
    """A process and what it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [pid, *(member for child in children.read_text().split() for member in _family(int(child)))]
    except OSError:
        return []


def _peak(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


@contextmanager
def two_nodes(folder: Path, **settings: str) -> Iterator[tuple[Pair, Pair]]:
    """Sender and recipient, made and listed in one directory, both running; ``settings``: environment variables."""
    authorities = tuple(Authority(code, f"Police of {code[:2]}", code[:2], ("police",)) for code in (SENDER, RECIPIENT))
    network = Network(folder, authorities)
    network.make()
    sender, recipient = (Pair(network.nodes[code], settings) for code in (SENDER, RECIPIENT))
    try:
        for pair in (sender, recipient):
            pair.start()
        yield sender, recipient
    finally:
        for pair in (sender, recipient):
            pair.kill()


def send(sender: Pair, source: Path) -> str:
    """Offer a file below the sender's home to the recipient, in a process of its own; returns the message's id."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "send", str(source)],
        env={**os.environ, **sender.settings, "PALERMO_HOME": str(sender.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def _send(source: Path) -> None:
    from palermo.config.commands import enter

    enter(Path(os.environ["PALERMO_HOME"]))
    from django.db import transaction
    from django.utils import timezone

    from palermo.node.exchange import actions
    from palermo.node.exchange.files.offering import offer
    from palermo.sealing import records
    from palermo.sealing.bagit import digest_of

    digest, now, message_id = digest_of(source), timezone.now(), os.urandom(16).hex()
    with transaction.atomic():
        offered = offer(
            recipient=RECIPIENT,
            message_id=message_id,
            source=source,
            size=digest.size,
            sha256=digest.sha256,
            subject="benchmark",
            now=now,
        )
        actions.send(
            recipient=RECIPIENT,
            payload_type=KIND,
            payload=records.to_bytes(offered),
            case_reference="",
            purpose="Benchmark of large files",
            message_id=message_id,
            now=now,
        )
    print(message_id)


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        run_worker()
    else:
        _send(Path(sys.argv[2]))
