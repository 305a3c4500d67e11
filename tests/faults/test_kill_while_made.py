"""``palermo node init`` killed at any moment: called again, it makes one whole node; nobody is locked out of it.

Also: a node whose web server or worker is killed alone ends as a whole, for whoever supervises it to start it again.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from finished import own_environment, palermo
from killing import LONGEST_DEATH_SECONDS, descendants
from stored_rows import Books

from palermo.cli.demo import databases
from palermo.cli.demo.nodes import Authority, Node, free_port
from palermo.config import node_file
from palermo.sealing.keyfile import read_private

AUTHORITY = Authority("XV-POL", "Veltrian National Police", "Veltria", ("police",))
KILLS = 3
LINK = re.compile(r"http://\S+(/join/[^/]+/)")


def init(home: Path, port: int, *more: str) -> list[str]:
    """The command line of ``palermo node init``."""
    return ["node", "init", "--home", str(home), "--code", AUTHORITY.code, "--port", str(port), "--http", *more]


def killed_after(seconds: float, arguments: list[str], home: Path) -> str:
    """Run the command and kill it; what it had printed by then."""
    command = [sys.executable, "-m", "palermo", *arguments]
    with subprocess.Popen(command, env=own_environment(home), stdout=subprocess.PIPE, text=True) as process:
        try:
            return process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0]


def officers(home: Path) -> list[str]:
    """Usernames in a node's database."""
    return Books(home).column("SELECT username FROM office_officer")


@pytest.mark.slow
def test_a_node_killed_while_it_is_made_is_made_by_calling_again(tmp_path: Path) -> None:
    seed = int(os.environ.get("PALERMO_KILL_SEED") or random.SystemRandom().randrange(2**32))
    sys.stdout.write(f"PALERMO_KILL_SEED={seed}\n")
    rng = random.Random(seed)
    node = Node(AUTHORITY, tmp_path, free_port())
    arguments = init(node.home, node.port)
    databases.make(node.home)
    for _ in range(KILLS):
        printed = killed_after(rng.uniform(0.1, 4.0), arguments, node.home)
        assert not LINK.search(printed) or (node.home / node_file.NAME).exists()
    if not (node.home / "complete").exists():
        done = palermo(*arguments, making=node.home)
        assert done.returncode == 0, done.stderr
        link = LINK.search(done.stdout)
    else:
        link = LINK.search(palermo("node", "invite", "--home", node.home, "admin").stdout)
    assert officers(node.home) == ["admin"]
    assert len(list(node.home.glob("keys/signing.key"))) == 1
    assert len(list(node.home.glob("keys/recipient-*.signed"))) == 1, "one recipient key is offered to partners"
    for key in node.home.glob("keys/*.key"):
        assert read_private(key, None)
    assert palermo("node", "check", "--home", node.home).returncode == 0
    again = palermo(*arguments)
    assert again.returncode == 2
    assert "already holds a node" in again.stderr

    node.start()
    try:
        assert httpx.get(node.url + link[1], timeout=30).status_code == httpx.codes.OK
        _a_part_alone_is_killed(node, rng)
    finally:
        node.stop()


def _a_part_alone_is_killed(node: Node, rng: random.Random) -> None:
    family = descendants(node.pid)
    part = rng.choice(sorted(pid for pid, _ in family if pid != node.pid))
    os.kill(part, signal.SIGKILL)
    deadline = time.monotonic() + 2 * LONGEST_DEATH_SECONDS
    while descendants(node.pid) & family:
        assert time.monotonic() < deadline, "the rest of the node goes on without its part"
        time.sleep(0.05)
    assert "stopped with code" in node.log.read_text("utf-8")


def test_a_command_that_was_killed_before_it_told_the_link_gives_a_new_one(tmp_path: Path) -> None:
    """Also with the administrator made already, and only under the same settings."""
    home, port = tmp_path / "home", free_port()
    databases.make(home)
    first = palermo(*init(home, port), making=home)
    (home / "complete").unlink()
    second = palermo(*init(home, port), making=home)
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert LINK.search(first.stdout)[1] != LINK.search(second.stdout)[1]
    assert officers(home) == ["admin"]
    (home / "complete").unlink()
    other = palermo(*init(home, port, "--admin", "somebody"))
    assert other.returncode == 2
    assert "no officer of that name" in other.stderr
    other = palermo(*init(home, port + 1))
    assert other.returncode == 2
    assert "half-made node with other settings" in other.stderr
