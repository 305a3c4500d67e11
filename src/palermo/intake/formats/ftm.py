"""FollowTheMoney entities as JSON lines, every schema, property and value checked against the model."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from palermo.intake.errors import IntakeError, Reject, RowError
from palermo.intake.formats import Format
from palermo.intake.grouping import SeenIds
from palermo.intake.model import cleaned, schema_of
from palermo.intake.rows import Lines, ignore_progress, opened
from palermo.subjects.entities import Entity, EntityError


def read(
    paths: Sequence[Path],
    on_reject: Callable[[Reject], None],
    on_progress: Callable[[int], None] = ignore_progress,
) -> Iterator[Entity]:
    """Yield one entity a line, its values in the model's normal form and their own order."""
    if not paths:
        raise IntakeError("ftm wants at least one file")
    with closing(SeenIds()) as seen:
        for path in paths:
            yield from _read_file(path, seen, on_reject, on_progress)


def _read_file(
    path: Path, seen: SeenIds, on_reject: Callable[[Reject], None], on_progress: Callable[[int], None]
) -> Iterator[Entity]:
    with opened(path) as file:
        lines = Lines(file, on_progress)
        while True:
            line = ""
            try:
                line = next(lines)
                if not line.strip():
                    continue
                entity = _checked(line)
                seen.add(entity.id, lines.number)
            except StopIteration:
                return
            except RowError as error:
                on_reject(Reject.of(path, lines.number, error, line.rstrip("\r\n")))
                continue
            yield entity


def _checked(line: str) -> Entity:
    try:
        entity = Entity.from_json(line.rstrip("\r\n"))
    except EntityError as error:
        raise RowError(error.fault) from error
    schema_of(entity.schema)
    properties = {
        name: tuple(dict.fromkeys(_clean(entity.schema, name, value) for value in entity.properties[name]))
        for name in sorted(entity.properties)
    }
    return Entity(entity.id, entity.schema, properties)


def _clean(schema: str, name: str, value: str) -> str:
    text = cleaned(schema, name, value)
    if text is None:
        raise RowError(f"{value[:80]!r} is no valid {name!r} of a {schema}")
    return text


FORMAT = Format(
    code="ftm",
    title="FollowTheMoney entities, JSON lines",
    source="https://followthemoney.tech/",
    files="one or more .json, .jsonl or .ftm files",
    read=read,
)
