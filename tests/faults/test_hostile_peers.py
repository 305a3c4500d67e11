"""One peer that trickles, floods or is dead: the post to and from all others arrives. Real processes, real sockets."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from palermo.config import node_file
from palermo.config.serve import commands

HOSTILE = "127.0.0.66"
UNHEARD = "127.0.0.67"
"""An address whose pace is not used up."""
PATIENCE_SECONDS = 120.0

FOUND = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
import exchange
folder, endpoints = Path(sys.argv[1]), json.loads(sys.argv[2])
exchange.found(folder, datetime.now(UTC), endpoints)
"""

SEND = """
import json, random
import django, httpx
django.setup()
from django.utils import timezone
from palermo.config import wiring
from palermo.node.exchange import actions, delivery, handlers, queries
wiring.connect()
for number in range(5):
    for code in ("BB-POL", "CC-POL"):
        actions.send(recipient=code, payload_type="palermo/directory.recipient-key+v1", payload=b"x", case_reference="",
                     purpose="test", message_id=f"{code}.{number}", now=timezone.now())
with httpx.Client(trust_env=False) as client:
    delivery.deliver_due(timezone.now(), client)
ids = [f"{code}.{number}" for code in ("BB-POL", "CC-POL") for number in range(5)]
print(json.dumps({name: queries.why(name, now=timezone.now()).stage for name in ids}))
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Network:
    """AA-POL sends; BB-POL runs a web server on ``port``; CC-POL takes connections and never answers."""

    folder: Path
    port: int

    def environment(self, code: str) -> dict[str, str]:
        environment = {**os.environ, "PALERMO_HOME": str(self.folder / code)}
        environment.pop("DATABASE_URL", None)
        return {**environment, "DJANGO_SETTINGS_MODULE": "palermo.config.settings"}


def python(code: str, *arguments: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, text=True, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> Iterator[Network]:
    folder, port = tmp_path_factory.mktemp("hostile"), free_port()
    dead = socket.create_server(("127.0.0.1", 0))
    endpoints = {
        "AA-POL": "http://127.0.0.1:9",
        "BB-POL": f"http://127.0.0.1:{port}",
        "CC-POL": f"http://127.0.0.1:{dead.getsockname()[1]}",
    }
    benchmarks = Path(__file__).parents[2] / "benchmarks"
    path = os.pathsep.join([str(benchmarks), os.environ.get("PYTHONPATH", "")])
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {"PYTHONPATH": path}
    python(FOUND, str(folder), json.dumps(endpoints), environment=environment)
    made = Network(folder, port)
    home = folder / "BB-POL"
    node = node_file.NodeFile("BB-POL", port=port, https=False)
    (home / node_file.NAME).write_text(node.to_toml(), "utf-8")
    server = subprocess.Popen(commands(node)["web server"], env=made.environment("BB-POL"))
    try:
        _await_answer(port)
        yield made
    finally:
        server.terminate()
        server.wait(timeout=30)
        dead.close()


def _await_answer(port: int) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=10, trust_env=False).status_code == 200
        except httpx.HTTPError:
            assert time.monotonic() < ends, "the web server did not start"
            time.sleep(0.3)
        else:
            return


def _connect(port: int, address: str = HOSTILE) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30, source_address=(address, 0))


@contextmanager
def in_background(work, number: int) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(stop,), daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)


def trickle(port: int, path: str):
    """Begin posts and send a byte now and then."""

    def work(stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                with _connect(port) as line:
                    line.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n".encode())
                    line.sendall(b"Content-Type: application/vnd.palermo.batch\r\n\r\n")
                    while not stop.wait(0.2):
                        line.sendall(b"x")
            except OSError:
                stop.wait(0.2)

    return work


def flood(port: int):
    """Post rubbish as fast as it is answered, and never look at the answer's content."""

    def work(stop: threading.Event) -> None:
        transport = httpx.HTTPTransport(local_address=HOSTILE)
        with httpx.Client(transport=transport, trust_env=False, timeout=30) as client:
            while not stop.is_set():
                try:
                    client.post(
                        f"http://127.0.0.1:{port}/exchange/v2/parcels",
                        content=b"palermo-batch/1\n" + b"\0\0\x40\0" + bytes(2**14),
                        headers={"Content-Type": "application/vnd.palermo.batch", "Host": "localhost"},
                    )
                except httpx.HTTPError:
                    stop.wait(0.1)

    return work


def test_others_mail_arrives_while_one_trickles_floods_and_one_is_dead(network):
    with ExitStack() as hostile:
        for path in ("/exchange/v2/parcels", "/exchange/v1/envelopes", "/sign-in/"):
            hostile.enter_context(in_background(trickle(network.port, path), 8))
        hostile.enter_context(in_background(flood(network.port), 2))
        time.sleep(2)
        said = json.loads(python(SEND, environment=network.environment("AA-POL")))
        page = httpx.get(f"http://127.0.0.1:{network.port}/sign-in/", timeout=60, trust_env=False)
    assert page.status_code == 200
    # The payload is no key, so it is rejected: signed, with a receipt. Nothing waited for the dead peer.
    assert {stage for name, stage in said.items() if name.startswith("BB-POL")} == {"not-delivered"}
    assert {stage for name, stage in said.items() if name.startswith("CC-POL")} == {"submission-accepted"}


def test_one_address_has_so_many_connections_and_no_more(network):
    with ExitStack() as lines:
        opened = [lines.enter_context(_connect(network.port, UNHEARD)) for _ in range(60)]
        for line in opened:
            line.sendall(b"POST /exchange/v2/parcels HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx")
        answered = 0
        for line in opened:
            line.settimeout(0.5)
            try:
                answered += line.recv(100).startswith(b"HTTP/1.1 503")
            except TimeoutError:
                continue
        assert answered >= 60 - 32
        _await_answer(network.port)


def test_too_long_a_post_is_refused_before_it_is_sent(network):
    with _connect(network.port, UNHEARD) as line:
        line.sendall(b"POST /exchange/v2/parcels HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")
        line.settimeout(30)
        assert line.recv(100).startswith(b"HTTP/1.1 413")
