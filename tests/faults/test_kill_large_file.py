"""A large file between two real nodes whose processes are killed: nothing that arrived is sent again."""

import hashlib
import importlib.util
import random
import sys
import time
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "large_files_node.py"
SIZE, PIECE_BYTES = 6 * 2**20, 32 * 2**10
LONGEST_SECONDS = 240.0

pytestmark = pytest.mark.slow


def load():
    if PATH.stem not in sys.modules:
        spec = importlib.util.spec_from_file_location(PATH.stem, PATH)
        sys.modules[PATH.stem] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[PATH.stem])
    return sys.modules[PATH.stem]


def wait_until(what, said):
    ends = time.monotonic() + LONGEST_SECONDS
    while not what():
        assert time.monotonic() < ends, said()
        time.sleep(0.02)


def test_killed_in_the_middle_it_goes_on_with_what_is_lacking(tmp_path):
    nodes = load()
    data = random.Random(7).randbytes(SIZE)
    with nodes.two_nodes(tmp_path, PALERMO_PIECE_BYTES=str(PIECE_BYTES)) as (sender, recipient):
        source = sender.home / "packages" / "large.bin"
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(data)
        message_id = nodes.send(sender, source)

        def state():
            return sender.rows("SELECT state, arrived, pieces, last_error FROM exchange_outgoingfile")

        total = -(-SIZE // PIECE_BYTES)
        for number, victims in enumerate(("sender", "recipient", "both"), start=1):
            wait_until(lambda share=number: len(recipient.pieces_here()) >= total * share // 5, state)
            if victims in ("sender", "both"):
                sender.kill("worker")
            if victims in ("recipient", "both"):
                recipient.kill("web")
            before = recipient.pieces_here()
            if victims in ("recipient", "both"):
                recipient.start("web")
            if victims in ("sender", "both"):
                sender.start("worker")
            assert before <= recipient.pieces_here() or (recipient.home / "received" / message_id).exists()
        wait_until(lambda: state()[0][0] == "taken", state)
        arrived = (recipient.home / "received" / message_id).read_bytes()
        assert hashlib.sha256(arrived).digest() == hashlib.sha256(data).digest()
        handed = recipient.handed_in()
        assert [number for number, here in handed if here] == []  # none that was on disk was sent again
        assert {number for number, _ in handed} == set(range(state()[0][2]))
        assert len(handed) <= state()[0][2] + 3  # at most the one in the air at each kill went twice
        for home in (sender.home, recipient.home):  # what is settled is cleared away
            wait_until(lambda home=home: not list((home / "transfers").glob("*/*")), state)
