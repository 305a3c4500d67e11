"""Memory does not grow with the file: measured in a process of its own, over everything that touches its bytes."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

# Seals a sparse file, cuts it into pieces as they travel, and opens it from them; prints the growth of memory in MiB.
WHOLE_WAY = """
import hashlib, json, resource, sys
from pathlib import Path
from palermo.sealing import age, sealed_file
from palermo.sealing.sealed_file import PIECE_BYTES

folder, size = Path(sys.argv[1]), int(sys.argv[2])
with (folder / "plain").open("wb") as file:
    file.truncate(size)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before = peak()
sealed = sealed_file.seal_file(folder / "plain", folder / "sealed")
with (folder / "sealed").open("rb") as file:
    for number in range(len(sealed.pieces) // 32):
        piece = file.read(PIECE_BYTES)
        assert hashlib.sha256(piece).digest() == sealed.pieces[32 * number : 32 * number + 32]
        with age.whole(folder / str(number)) as target:
            target.write(piece)

class Pieces:
    def __init__(self):
        self.files = ((folder / str(number)).open("rb") for number in range(len(sealed.pieces) // 32))
        self.file = next(self.files)

    def read(self, size):
        while not (chunk := self.file.read(size)):
            if (following := next(self.files, None)) is None:
                return b""
            self.file = following
        return chunk

sealed_file.open_file(Pieces(), folder / "out", sealed.identity, sealed.contents)
print(json.dumps({"growth": peak() - before, "size": (folder / "out").stat().st_size}))
"""
SIZE = 300 * 2**20


def test_three_hundred_megabytes_take_a_few(tmp_path):
    command = [sys.executable, "-c", WHOLE_WAY, str(tmp_path), str(SIZE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["size"] == SIZE
    assert said["growth"] < 40
