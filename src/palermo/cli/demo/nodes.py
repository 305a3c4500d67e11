"""The demo's nodes: made with the ``palermo`` command, run as processes, killed and started again."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from palermo.cli.demo import databases

START_SECONDS = 180.0
DIRECTLY, BY_COURIER = "directly", "by courier"
TREATIES = Path(__file__).with_name("treaties.toml")
"""What binds the demo's States, as an administrator writes it: `palermo law basis` reads it in each home."""

CHECKPOINT_SECONDS = 5
"""Nobody who watches waits a quarter of an hour for the witnesses."""


class DemoError(Exception):
    """A step of the demo that did not come out as it must; the message says what was seen."""


@dataclass(frozen=True, slots=True)
class Authority:
    """What the directory will say of a node. States are fictitious.

    ``reached``: "directly", "by courier", or the code of the relay by which partners reach it.
    """

    code: str
    name: str
    state: str
    roles: tuple[str, ...]
    time_zone: str = "UTC"
    reached: str = DIRECTLY

    @property
    def jurisdiction(self) -> str:
        """The state's code, from the range that ISO 3166-1 leaves to users."""
        return self.code[:2]


def run_palermo(*arguments: str | Path, expect: int = 0, making: Path | None = None) -> str:
    """Run the ``palermo`` command and return what it printed. ``making``: the home of the node that it makes.

    Raises :class:`DemoError` with its messages when it ends with another code than expected.
    """
    command = [sys.executable, "-m", "palermo", *map(str, arguments)]
    environment = databases.environment(making)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != expect:
        raise DemoError(f"{' '.join(command[2:])} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def free_port() -> int:
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Node:
    """One authority's node in a folder of its own."""

    def __init__(self, authority: Authority, folder: Path, port: int) -> None:
        self.authority = authority
        self.home = folder / authority.code
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"{authority.code}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The main process's id. Raises :class:`DemoError` when the node was never started."""
        if self._process is None:
            raise DemoError(f"{self.authority.code} is not running")
        return self._process.pid

    def make(self) -> str:
        """Make the node; returns the first administrator's one-time link."""
        databases.make(self.home)
        printed = run_palermo(
            *("node", "init", "--home", self.home, "--code", self.authority.code, "--port", str(self.port)),
            *("--http", "--time-zone", self.authority.time_zone, "--admin-name", "Demo Administrator"),
            *("--checkpoint-seconds", str(CHECKPOINT_SECONDS)),
            making=self.home,
        )
        link = re.search(r"http://\S+/join/\S+", printed)
        if link is None:
            raise DemoError(f"palermo node init printed no link: {printed!r}")
        law = self.home / "law"
        law.mkdir(mode=0o700)
        (law / "treaties.toml").write_text(TREATIES.read_text("utf-8"), "utf-8")
        return link[0]

    def describe(self, out: Path) -> Path:
        """Write the authority's entry for the directory."""
        roles = [part for role in self.authority.roles for part in ("--role", role)]
        run_palermo(
            *("directory", "entry", "--home", self.home, "--out", out, "--name", self.authority.name),
            *("--jurisdiction", self.authority.jurisdiction, "--language", "en", *self._way()),
            *("--contact", f"Duty desk of {self.authority.name}", *roles),
        )
        return out

    def _way(self) -> tuple[str, ...]:
        """How the directory says that it is reached."""
        ways = {DIRECTLY: ("--endpoint", self.url), BY_COURIER: ()}
        return ways.get(self.authority.reached, ("--relay", self.authority.reached))

    def start(self) -> None:
        """Start the node and wait until it answers."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "palermo", "node", "serve", "--home", str(self.home)]
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, env=databases.environment()
            )
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Wait for the web server's health page; raises :class:`DemoError` with the end of the node's log."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=2.0).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            if self._process is not None and self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise DemoError(f"{self.authority.code} did not start:\n{self.log.read_text('utf-8', 'replace')[-3000:]}")

    def kill(self) -> None:
        """SIGKILL the main process: its web server and worker die with it (``palermo.config.lifeline``)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End the node in an orderly way; what does not end within 15 seconds is killed with its whole group."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Network:
    """The founder's folder and the nodes that joined."""

    def __init__(self, folder: Path, authorities: tuple[Authority, ...]) -> None:
        self.folder = folder
        self.founder = folder / "founder"
        self.nodes = {item.code: Node(item, folder, free_port()) for item in authorities}
        self.links: dict[str, str] = {}
        # Whom only a courier reaches, or a relay, answers too late for those who wait for a quorum.
        self.witnesses = [item.code for item in authorities if item.reached == DIRECTLY]

    @property
    def trust_root(self) -> Path:
        """The network's trust root."""
        return self.founder / "trust-root.json"

    def make(self) -> None:
        """Make every node, found the network, sign the directory and import it everywhere."""
        self.links = {code: node.make() for code, node in self.nodes.items()}
        run_palermo("directory", "found", self.founder, "--network", "Palermo demo network")
        entries = [node.describe(self.folder / f"{code}.entry.json") for code, node in self.nodes.items()]
        witnesses = [part for code in self.witnesses for part in ("--witness", code)]
        run_palermo("directory", "sign", self.founder, *entries, *witnesses)
        for node in self.nodes.values():
            directory = self.founder / "directory.signed"
            run_palermo("directory", "import", "--home", node.home, directory, "--root", self.trust_root)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run all nodes for as long as the block lasts."""
        try:
            for node in self.nodes.values():
                node.start()
            yield
        finally:
            for node in self.nodes.values():
                node.stop()
