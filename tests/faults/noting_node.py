"""A node in parts that can be killed apart: web server and worker as ``palermo node serve`` runs them, and a writer.

Its one app sends notes. A note's effect is a row in a table without any constraint: what takes effect twice is there
twice. A writer is a process of the app: for every line it is given, a size in bytes, it sends a note of so many random
bytes to its partner, and says ``id digest`` once that is committed. While a node is held (:meth:`Parts.hold`), its app
stops between a note's effect and the commit, so that whoever wants to kill it just there can.

    python noting_node.py PARTNER        the writer, with PALERMO_HOME set
"""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

NOTE = "palermo/test.note+v1"
TABLE = "CREATE TABLE noted (sender TEXT, message_id TEXT, digest TEXT)"
APPLICATION = "palermo.config.asgi:application"
WEB, WORKER = "web server", "worker"
START_SECONDS = 180.0
HOLD_SECONDS = 20.0
_HOLD, _HELD = "hold", "held"


def web_application() -> Callable[..., Any]:
    """The node's web application with its gate and this app, for ``granian --factory``."""
    from palermo.config.asgi import application

    _register()
    return application


def _register() -> None:
    from django.conf import settings
    from django.db import connection

    from palermo.node.exchange import handlers

    def take(message: Any, *, now: Any) -> None:
        values = [message.sender, message.message_id, hashlib.sha256(message.payload).hexdigest()]
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO noted VALUES (%s, %s, %s)", values)
        _wait_where_asked(settings.PALERMO_HOME)

    handlers.register(NOTE, take)


def _wait_where_asked(home: Path) -> None:
    """Stop here, within the transaction, while somebody holds this node."""
    deadline = time.monotonic() + HOLD_SECONDS
    while (home / _HOLD).exists() and time.monotonic() < deadline:
        (home / _HELD).touch()
        time.sleep(0.02)


class Parts:
    """The parts of one node that live. They may be killed from any thread, and are started by one.

    ``environment`` is without anything of this test run's own node.
    """

    def __init__(self, home: Path, port: int, log: Path, environment: dict[str, str]) -> None:
        self.home, self.kills = home, 0
        self._port, self._log = port, log
        self._living: dict[str, subprocess.Popen[bytes]] = {}
        self._busy = threading.RLock()
        here, given = str(Path(__file__).resolve().parent), environment.get("PYTHONPATH")
        self._environment = {
            **environment,
            "PALERMO_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "palermo.config.settings",
            "PYTHONPATH": f"{here}{os.pathsep}{given}" if given else here,
        }

    def start(self) -> None:
        """Start what does not live, and do not wait for it."""
        from palermo.config import node_file, serve
        from palermo.config.lifeline import die_with_parent

        own = f"{Path(__file__).stem}:web_application"
        for part, command in serve.commands(node_file.read(self.home)).items():
            told = [own if word == APPLICATION else word for word in command] + ["--factory"] * (part == WEB)
            with self._busy, self._log.open("ab") as log:
                if part not in self._living:
                    self._living[part] = subprocess.Popen(
                        told,
                        env={**self._environment, "PALERMO_SUPERVISED": "1"},
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        preexec_fn=die_with_parent,
                    )

    def wait_until_up(self) -> None:
        """Wait until the web server answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{self._port}/healthz", timeout=2.0).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.home.name} did not start:\n{self._log.read_text('utf-8', 'replace')[-3000:]}")

    def kill(self, *parts: str) -> None:
        """SIGKILL each part with all that it started; what is dead already, stays so."""
        with self._busy:
            for part in parts:
                if (process := self._living.pop(part, None)) is not None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    self.kills += 1

    def hold(self) -> None:
        """Have the app stop at the next note, between its effect and the commit."""
        (self.home / _HOLD).touch()

    def wait_until_held(self, seconds: float) -> bool:
        """Whether it stopped there in time."""
        deadline = time.monotonic() + seconds
        while not (held := (self.home / _HELD).exists()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return held

    def let_go(self) -> None:
        """Let the app go on."""
        for name in (_HOLD, _HELD):
            (self.home / name).unlink(missing_ok=True)

    def ended(self) -> list[str]:
        """Parts that ended although nobody killed them."""
        with self._busy:
            return [part for part, process in self._living.items() if process.poll() is not None]

    def writer(self, partner: str) -> subprocess.Popen[str]:
        """The app's process, which reads lines."""
        command = [sys.executable, str(Path(__file__).resolve()), partner]
        return subprocess.Popen(
            command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )


def _write(partner: str) -> None:
    import django

    django.setup()
    from django.utils import timezone

    from palermo.config import wiring
    from palermo.node.exchange import actions

    wiring.connect()
    for line in sys.stdin:
        payload = os.urandom(int(line))
        sent = actions.send(
            recipient=partner,
            payload_type=NOTE,
            payload=payload,
            case_reference="",
            purpose="Test of a line that is cut",
            now=timezone.now(),
        )
        sys.stdout.write(f"{sent.message_id} {hashlib.sha256(payload).hexdigest()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _write(sys.argv[1])
