"""Fuzz one reader of hostile bytes, guided by coverage (atheris), from valid inputs:

    .venv/bin/pip install atheris
    .venv/bin/python tests/fuzz/run.py --minutes 10 envelope

It ends with the number of inputs that were tried. What it finds it writes to ``crash-*`` in the working directory and
ends with an exit code other than 0; ``--input FILE`` tries that file alone.
"""

import argparse
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Run."""
    try:
        import atheris
    except ImportError:
        sys.exit("This needs atheris, which is not among the dependencies: .venv/bin/pip install atheris")
    with atheris.instrument_imports(include=["palermo.sealing"]):
        from fuzzing.targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0, help="of the fuzzer; 0 takes another each time")
    parser.add_argument("--input", type=Path, help="try this file alone")
    asked = parser.parse_args()
    chosen = TARGETS[asked.target]
    if asked.input is not None:
        chosen.read(asked.input.read_bytes())
        return
    with tempfile.TemporaryDirectory(prefix="palermo-fuzz-") as corpus:
        for number, seed in enumerate(chosen.seeds()):
            chosen.read(seed)
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        longest = max(4096, 2 * max(len(seed) for seed in chosen.seeds()))
        limits = [f"-max_total_time={round(asked.minutes * 60)}", f"-max_len={longest}", f"-seed={asked.seed}"]
        atheris.Setup([sys.argv[0], *limits, "-print_final_stats=1", corpus], chosen.read)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
