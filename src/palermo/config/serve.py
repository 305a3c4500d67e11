"""``palermo node serve``: the web server and the worker of one node, as children that die with this process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from palermo.config import node_file
from palermo.config.lifeline import die_with_parent

HEADER_MILLISECONDS = 10_000
GRACE_SECONDS = 10.0


class ServeError(Exception):
    """The node stopped by itself; the message says which part."""


def commands(node: node_file.NodeFile) -> dict[str, list[str]]:
    """The command line of each part of a node."""
    web = [sys.executable, "-m", "granian", "--interface", "asgi", "palermo.config.asgi:application"]
    web += ["--host", node.bind, "--port", str(node.port), "--workers", "1"]
    web += ["--backlog", "2048", "--backpressure", "2048", "--http1-header-read-timeout", str(HEADER_MILLISECONDS)]
    web += ["--log-level", "warning", "--no-ws"]
    return {"web server": web, "worker": [sys.executable, "-m", "palermo.config.worker"]}


def _start(command: list[str], home: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PALERMO_HOME": str(home),
        "PALERMO_SUPERVISED": "1",
        "DJANGO_SETTINGS_MODULE": "palermo.config.settings",
    }
    return subprocess.Popen(command, env=environment, preexec_fn=die_with_parent)


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children.values():
        try:
            child.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def serve(home: Path) -> None:
    """Run until SIGTERM or Ctrl-C. Raises :class:`ServeError` when a part stops by itself."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    children = {name: _start(command, home) for name, command in commands(node_file.read(home)).items()}
    try:
        while not stopping:
            for name, child in children.items():
                if child.poll() is not None:
                    raise ServeError(f"The {name} stopped with code {child.returncode}. Its messages are above.")
            time.sleep(0.2)
    finally:
        _stop(children)
