"""The whole road where only one of three nodes has an address: the holder stands behind a relay, and to the third a
courier carries everything that the others have for it, all the while.

The steps are the demo's own, each of them verified; here they must come out the same, over a relay that sees sealed
bytes alone and files on a stick. What the third has for others it posts itself: it has a line, but no address.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from finished import SEED, SIZE, palermo
from stored_rows import Books

from palermo.cli.demo import story
from palermo.cli.demo.invention import invent
from palermo.cli.demo.nodes import BY_COURIER, Authority, Network
from palermo.cli.demo.road import steps, walk
from palermo.cli.demo.stage import Stage

pytestmark = pytest.mark.slow

RELAY = Authority("XR-RC", "Relay of the Invented Seas", "an organisation", ("regional-centre", "relay"))
DIRECT = story.VICTIMS
BEHIND = replace(story.MULES, reached=RELAY.code)
CARRIED = replace(story.COMPOUND, reached=BY_COURIER)


@contextmanager
def a_tireless_courier(network: Network, sticks: Path) -> Iterator[list[str]]:
    """Walks to and fro between the third and both others until the block ends; what went wrong on the way."""
    done, wrong = threading.Event(), []

    def carry(sender: str, recipient: str) -> None:
        stick = sticks / f"{secrets.token_hex(4)}.courier"
        for arguments in (("export", stick, "--to", recipient), ("import", stick)):
            at = sender if arguments[0] == "export" else recipient
            if arguments[0] == "export" or stick.exists():
                told = palermo("courier", *arguments, "--home", network.nodes[at].home)
                if told.returncode and "Nothing waits" not in told.stderr:
                    wrong.append(f"{arguments[0]} at {at}: {told.stdout}{told.stderr}")
        stick.unlink(missing_ok=True)

    def work() -> None:
        while not done.wait(1):
            for other in (DIRECT.code, BEHIND.code):
                carry(other, CARRIED.code)
                carry(CARRIED.code, other)

    walking = threading.Thread(target=work)
    walking.start()
    try:
        yield wrong
    finally:
        done.set()
        walking.join()


def test_the_road_comes_out_the_same(tmp_path: Path) -> None:
    network = Network(tmp_path, (DIRECT, BEHIND, CARRIED, RELAY))
    network.make()
    for code in (BEHIND.code, CARRIED.code):
        settings = network.nodes[code].home / "node.toml"
        settings.write_text(settings.read_text("utf-8").replace("poll_seconds = 30", "poll_seconds = 1"), "utf-8")
    relay = network.nodes.pop(RELAY.code)  # it has no officers who walk
    (tmp_path / "sticks").mkdir()
    stage = Stage(network, invent(SEED, SIZE), tmp_path)
    relay.start()
    try:
        with network.running(), a_tireless_courier(network, tmp_path / "sticks") as wrong:
            walked = list(walk(stage, steps()))
    finally:
        relay.stop()
        stage.staff.leave()
    assert [(done.step.name, done.failure) for done in walked if not done.ok] == []
    assert [done.step.name for done in walked] == [step.name for step in steps()]
    assert wrong == []
    _what_came_went_these_ways(network, relay.home)


def _what_came_went_these_ways(network: Network, relay: Path) -> None:
    relayed = Books(relay).count("SELECT count(*) FROM exchange_relayparcel WHERE recipient = ?", BEHIND.code)
    carried = Books(network.nodes[DIRECT.code].home).count(
        "SELECT count(*) FROM exchange_outgoing WHERE recipient = ? AND receipt IS NOT NULL", CARRIED.code
    )
    assert relayed > 0 and carried > 0
