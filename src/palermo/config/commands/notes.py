"""A checkpoint of this node's log as a file, with what witnesses signed beneath it."""

from pathlib import Path
from typing import TYPE_CHECKING

from palermo.config.commands import stop
from palermo.sealing.checkpoint import MAX_CHECKPOINT_BYTES
from palermo.sealing.cosignature import MAX_LINES_BYTES
from palermo.sealing.errors import SealingError
from palermo.sealing.quorum import MAX_WITNESSES

if TYPE_CHECKING:
    from palermo.node.ledger.notes import Outside

MAX_NOTE_BYTES = MAX_CHECKPOINT_BYTES + MAX_WITNESSES * MAX_LINES_BYTES


def read_note(path: Path) -> "Outside":
    """A checkpoint file of this node's log; ends the command for any other."""
    from palermo.node.directory.queries import DirectoryError
    from palermo.node.ledger import notes

    try:
        with path.open("rb") as file:
            text = file.read(MAX_NOTE_BYTES + 1).decode("utf-8")
        if len(text) > MAX_NOTE_BYTES:
            raise stop(f"{path} is longer than any checkpoint ({MAX_NOTE_BYTES} bytes).")
        return notes.read_outside(text)
    except (OSError, UnicodeDecodeError) as error:
        raise stop(f"{path} cannot be read: {error}") from error
    except (SealingError, DirectoryError) as error:
        raise stop(f"{path} is no checkpoint of this node's log ({error}).") from error
