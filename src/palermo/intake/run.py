"""One intake: files in, FollowTheMoney JSON lines out, rejects beside them. Each output appears whole or not at all."""

import json
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from palermo.intake.errors import IntakeError, Reject
from palermo.intake.formats import format_of
from palermo.intake.rows import ignore_progress
from palermo.subjects.entities import Entity

MAX_SHOWN_REJECTS = 10


@dataclass(slots=True)
class Summary:
    """What an intake did: entities loaded by schema, rows rejected, and the first few of those."""

    loaded: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    first_rejects: list[Reject] = field(default_factory=list)

    def count(self, reject: Reject) -> None:
        """Note a rejected row."""
        self.rejected += 1
        if len(self.first_rejects) < MAX_SHOWN_REJECTS:
            self.first_rejects.append(reject)

    @property
    def entities(self) -> int:
        """How many entities were loaded."""
        return self.loaded.total()


def intake(
    code: str,
    paths: Sequence[Path],
    out: Path,
    rejects: Path | None = None,
    on_progress: Callable[[int], None] = ignore_progress,
) -> Summary:
    """Read `paths` as the format `code` and write the entities to `out`, the rejected rows to `rejects` if given.

    Both are written under a temporary name and renamed. Raises `IntakeError` if the input is unusable, which includes
    that no row of it could be loaded; then `out` is left as it was, and `rejects` is still written.
    """
    summary = Summary()
    read = format_of(code).read
    _check_targets(paths, out, rejects)
    failure: IntakeError | None = None
    with _whole(rejects) as rejects_file:

        def on_reject(reject: Reject) -> None:
            summary.count(reject)
            if rejects_file is not None:
                rejects_file.write(json.dumps(asdict(reject), ensure_ascii=False) + "\n")

        try:
            _write(read(paths, on_reject, on_progress), out, summary)
        except IntakeError as error:
            failure = error
    if failure is not None:
        raise failure
    return summary


def _write(entities: Iterator[Entity], out: Path, summary: Summary) -> None:
    with _whole(out) as out_file:
        for entity in entities:
            summary.loaded[entity.schema] += 1
            if out_file is not None:
                out_file.write(entity.to_json() + "\n")
        if summary.entities:
            return
        if summary.first_rejects:
            first = summary.first_rejects[0]
            raise IntakeError(
                f"none of its rows could be loaded; the first: {first.reason}", Path(first.file), first.line
            )
        raise IntakeError("the input holds no entity")


def _check_targets(paths: Sequence[Path], out: Path, rejects: Path | None) -> None:
    targets = [path.resolve() for path in (out, rejects) if path is not None]
    if len(set(targets)) < len(targets) or set(targets) & {path.resolve() for path in paths}:
        raise IntakeError("OUT, REJECTS and the input files must be different files", out)


@contextmanager
def _whole(path: Path | None) -> Generator[TextIO | None]:
    """A file that takes its name only when all of it is on disk; a failure leaves what was there before."""
    if path is None:
        yield None
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise IntakeError(f"can't be written: {error.strerror}", path) from error
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
