"""What a large file costs: memory, time against what the same bytes cost without a network, and bytes sent twice.

Two nodes run as processes on loopback, each a web server and a worker. One offers a file to the other; when a third of
it has arrived, the sender's worker and the recipient's web server are killed (SIGKILL) and started again. Printed are:

- the peak of resident memory of each process (VmHWM, shared pages counted in each);
- the throughput from the offer until the signed receipt is at the sender, as a ratio to a limit measured in the same
  run on a part of the same file: sealing it (age, SHA-256, SHA-512, the digests of the pieces), writing each piece to
  disk and hashing it, opening it again (age, both digests), each byte written and forced to disk as in a transfer;
- how many pieces that were on the recipient's disk already were sent again.

    python benchmarks/large_files.py --size 10G
    python benchmarks/large_files.py --size 200M --piece 256K --folder /tmp/large
"""

import argparse
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import large_files_node as nodes
from palermo.sealing import age, sealed_file
from palermo.sealing.sealed_file import PIECE_BYTES

UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
SAMPLE_BYTES = 512 * 2**20
RANDOM_BYTES = 2**20
LONGEST_SECONDS = 3 * 3600.0


def size_of(text: str) -> int:
    """Bytes, from such as ``10G``."""
    match = re.fullmatch(r"(\d+)([KMG]?)", text)
    if not match:
        raise argparse.ArgumentTypeError("a number of bytes, with K, M or G behind it or not")
    return int(match[1]) * UNITS[match[2]]


def generate(path: Path, size: int) -> None:
    """A file of this size, each MiB of it different, made without reading random bytes for all of it."""
    block = bytearray(os.urandom(RANDOM_BYTES))
    with path.open("wb") as file:
        for number in range(-(-size // RANDOM_BYTES)):
            block[:8] = number.to_bytes(8, "big")
            file.write(block[: min(RANDOM_BYTES, size - number * RANDOM_BYTES)])


def seconds_of(work: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def limit(source: Path, folder: Path, piece_bytes: int) -> float:
    """Bytes a second of the work that each byte of a transfer needs, one step after the other, without a network."""
    sample, sealed, pieces, clear = (folder / name for name in ("sample", "sealed", "pieces", "clear"))
    with source.open("rb") as whole, sample.open("wb") as part:
        part.write(b"")
        for _ in range(SAMPLE_BYTES // RANDOM_BYTES):
            part.write(whole.read(RANDOM_BYTES))
    identity = age.new_identity()
    facts: list[sealed_file.SealedFile] = []
    pieces.mkdir()
    spent = seconds_of(
        lambda: facts.append(sealed_file.seal_file(sample, sealed, identity=identity, piece_bytes=piece_bytes))
    )
    spent += seconds_of(lambda: _write_pieces(sealed, pieces, piece_bytes))

    def read_all() -> None:
        with sealed.open("rb") as file:
            sealed_file.open_file(file, clear, identity, facts[0].contents)

    spent += seconds_of(read_all)
    size = sample.stat().st_size
    for path in (sample, sealed, clear):
        path.unlink()
    shutil.rmtree(pieces)
    return size / spent


def _write_pieces(sealed: Path, folder: Path, piece_bytes: int) -> None:
    with sealed.open("rb") as file:
        for number in range(-(-sealed.stat().st_size // piece_bytes)):
            piece = file.read(piece_bytes)
            hashlib.sha256(piece).digest()
            with age.whole(folder / str(number)) as target:
                target.write(piece)


def wait_for(what: Callable[[], bool], sender: nodes.Pair, peaks: dict[str, int], every: float = 0.5) -> None:
    """Wait until something is so, keeping the peaks of memory."""
    ends = time.monotonic() + LONGEST_SECONDS
    while not what():
        if time.monotonic() > ends:
            raise TimeoutError(f"not done after {LONGEST_SECONDS:.0f} seconds: {_state(sender)}")
        time.sleep(every)
        _note_peaks(peaks)


_running: dict[str, nodes.Pair] = {}


def _note_peaks(peaks: dict[str, int]) -> None:
    for role, pair in _running.items():
        for part, peak in pair.peaks().items():
            peaks[f"{role}, {part}"] = max(peak, peaks.get(f"{role}, {part}", 0))


def _state(sender: nodes.Pair) -> str:
    rows = sender.rows("SELECT state, arrived, pieces, last_error FROM exchange_outgoingfile")
    return str(rows[-1]) if rows else "no file"


def measure(size: int, piece_bytes: int, folder: Path) -> None:
    """Send one file of this size, cut it once, and print what it cost."""
    peaks: dict[str, int] = {}
    with nodes.two_nodes(folder, PALERMO_PIECE_BYTES=str(piece_bytes)) as (sender, recipient):
        _running.update(sender=sender, recipient=recipient)
        source = sender.home / "packages" / "large.bin"
        source.parent.mkdir(exist_ok=True)
        generate(source, size)
        most = limit(source, folder, piece_bytes)
        began = time.perf_counter()
        message_id = nodes.send(sender, source)
        third = size // piece_bytes // 3
        wait_for(lambda: len(recipient.pieces_here()) >= third, sender, peaks, 0.1)
        sender.kill("worker")
        recipient.kill("web")
        on_disk = len(recipient.pieces_here())
        recipient.start("web")
        sender.start("worker")
        wait_for(lambda: _settled(sender), sender, peaks)
        spent = time.perf_counter() - began
        _note_peaks(peaks)
        _report(size, spent, most, peaks, recipient, on_disk, _state(sender))
        if (recipient.home / "received" / message_id).stat().st_size != size:
            raise RuntimeError("the file that arrived has another size")


def _settled(sender: nodes.Pair) -> bool:
    return bool(sender.rows("SELECT 1 FROM exchange_outgoingfile WHERE receipt IS NOT NULL"))


def _report(
    size: int, spent: float, most: float, peaks: dict[str, int], recipient: nodes.Pair, on_disk: int, state: str
) -> None:
    handed = recipient.handed_in()
    again = sum(here for _, here in handed)
    print(f"file                                  {size / 2**30:10.2f} GiB, {state}")
    for name in sorted(peaks):
        print(f"peak memory, {name:<24} {peaks[name] / 2**20:10.0f} MiB")
    for role in ("sender", "recipient"):
        whole = sum(peak for name, peak in peaks.items() if name.startswith(role))
        print(f"peak memory, {role + ', all processes':<24} {whole / 2**20:10.0f} MiB")
    print(f"throughput                            {size / spent / 2**20:10.1f} MiB/s")
    print(f"limit: seal, write, open, no network  {most / 2**20:10.1f} MiB/s")
    print(f"ratio to the limit                    {size / spent / most:10.2f}")
    print(f"pieces on disk when it was cut        {on_disk:10d}")
    print(f"pieces handed in                      {len(handed):10d}")
    print(f"of those, on disk before              {again:10d}")


def main() -> None:
    """Measure with the options given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=size_of, default="10G", help="size of the file; needs four times as much disk")
    parser.add_argument("--piece", type=size_of, default=str(PIECE_BYTES), help="size of a piece")
    parser.add_argument("--folder", type=Path, help="an existing folder on the disk to use")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="large-files-", dir=options.folder))
    try:
        if shutil.disk_usage(folder).free < 4 * options.size + 2**31:
            parser.error(f"{folder} needs {4 * options.size / 2**30 + 2:.0f} GiB free")
        measure(options.size, options.piece, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
