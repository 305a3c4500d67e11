"""One load: files through intake into the lake. The same for the command line and for the job of an upload.

The load replaces what the holding held: the report says what that added, changed and removed. Loading the same files
again changes nothing, so that a load whose worker was killed simply runs again.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from palermo.intake import format_of
from palermo.intake.errors import Reject
from palermo.lake import LoadReport
from palermo.node.holdings import queries
from palermo.subjects.entities import Entity

MAX_ID_BYTES = 150
"""Longer ids do not fit, with the holding's code, into the reference under which an item is published."""


@dataclass(slots=True)
class Rejects:
    """Writes rejected rows as JSON lines; the file appears only if there is one."""

    path: Path
    count: int = 0

    def __call__(self, reject: Reject) -> None:
        """Keep one rejected row."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fields = asdict(reject) | {"file": Path(reject.file).name}
        with self.path.open("a" if self.count else "w", encoding="utf-8") as file:
            file.write(json.dumps(fields, ensure_ascii=False, sort_keys=True) + "\n")
        self.count += 1


def read_into_lake(
    code: str, *, format_code: str, paths: Sequence[Path], rejects: Rejects, progress: Callable[[float], None]
) -> LoadReport:
    """Load `paths` into the holding. Raises `IntakeError` or `LakeError`, the holding being as before.

    `progress` is told the share of the input's bytes that was read, from 0 to 1.
    """
    with suppress(FileNotFoundError):
        rejects.path.unlink()
    meter = _Meter(max(sum(path.stat().st_size for path in paths if path.is_file()), 1), progress)
    entities = format_of(format_code).read(paths, rejects, meter)
    return queries.lake().load(code, _publishable_ids(entities, rejects, paths[0]))


def _publishable_ids(entities: Iterator[Entity], rejects: Rejects, path: Path) -> Iterator[Entity]:
    for entity in entities:
        if len(entity.id.encode()) <= MAX_ID_BYTES:
            yield entity
        else:
            reason = f"its id is longer than {MAX_ID_BYTES} bytes: give it a shorter one"
            rejects(Reject(file=str(path), line=0, reason=reason, row=entity.id))


class _Meter:
    """Turns bytes read into a share of the whole, and reports each full percent once."""

    def __init__(self, total: int, progress: Callable[[float], None]) -> None:
        self._total = total
        self._progress = progress
        self._read = 0
        self._told = -1

    def __call__(self, count: int) -> None:
        self._read += count
        percent = min(self._read * 100 // self._total, 99)
        if percent > self._told:
            self._told = percent
            self._progress(percent / 100)
