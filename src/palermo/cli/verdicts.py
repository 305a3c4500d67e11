"""What the commands that verify something have in common: exit codes, the trust root, and a line a check."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from palermo.sealing.trust_root import Trust
    from palermo.sealing.verify import Check

EXIT_CODES = {"proven": 0, "refused": 1, "unproven": 3}


def trust_root_of(path: Path | None) -> "Trust | None":
    """The trust root, or chain of them, in a file, if one is named; ends the command for a file that is none."""
    from palermo.sealing.errors import SealingError
    from palermo.sealing.trust_root import read_trust

    if path is None:
        return None
    try:
        return read_trust(path.read_bytes())
    except (OSError, SealingError) as error:
        raise typer.BadParameter(f"{path} is no trust root ({error})", param_hint="--trust") from error


def print_checks(checks: "Iterable[Check]", width: int) -> None:
    """A line a check, its name padded to ``width`` characters, and an empty one."""
    words = {True: "holds", False: "FAILS", None: "-"}
    for check in checks:
        typer.echo(f"{check.number:>2}  {words[check.ok]:<5}  {check.name:<{width}}  {check.detail}")
    typer.echo("")
