"""The mark of a node that was restored from a back-up: until its log is recovered it appends and sends nothing.

It is a file in the home, written before the restored home gets its name, so that no restored node ever starts without.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from palermo.lake.files import locked, write_whole
from palermo.node.home import home
from palermo.sealing import records

RESTORED = "restored.json"


@dataclass(frozen=True)
class Restored:
    """``log_size``: entries in the back-up of ``backed_up_at``. ``log_recovered``: whether appending goes on.

    ``waiting``: codes of partners that have not yet said what passed between us since; None before they were asked.
    """

    backed_up_at: datetime
    log_size: int
    log_recovered: bool
    waiting: tuple[str, ...] | None


def read() -> Restored | None:
    """What is still to be recovered; None at a node that was not restored, or is whole again."""
    try:
        data = _file().read_bytes()
    except FileNotFoundError:
        return None
    return records.from_bytes(Restored, data, RESTORED)


def log_is_behind() -> bool:
    """Whether the log may lack entries that others have seen: nothing may be appended."""
    found = read()
    return found is not None and not found.log_recovered


def waits_for(partner: str) -> bool:
    """Whether a partner has yet to say which numbers it has seen: nothing new may be sent to it."""
    found = read()
    return found is not None and (found.waiting is None or partner in found.waiting)


def note_asked(partners: tuple[str, ...]) -> None:
    """These partners were asked."""
    _change(waiting=partners)


def ask_again() -> None:
    """Let the node ask its witnesses and partners once more."""
    _change(waiting=None)


def note_log_recovered() -> None:
    """The log is as others know it."""
    _change(log_recovered=True)


def note_new_log() -> None:
    """The log began anew: every partner is told of it and asked for what passed since, before anything new is sent."""
    _change(log_recovered=True, waiting=None)


def note_answered(partner: str) -> None:
    """A partner has told what passed between us."""
    found = read()
    if found is not None and found.waiting is not None:
        _change(waiting=tuple(code for code in found.waiting if code != partner))


def _change(**changes: object) -> None:
    """Change the mark; it goes when there is nothing left to recover."""
    with locked(_file().with_name(".restored.lock")):
        found = read()
        if found is None:
            return
        found = replace(found, **changes)  # type: ignore[arg-type]
        if found.log_recovered and found.waiting == ():
            _file().unlink()
        else:
            write_whole(_file(), records.to_bytes(found))


def _file() -> Path:
    return home() / RESTORED
