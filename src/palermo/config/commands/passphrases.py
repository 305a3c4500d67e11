"""Where a command gets the passphrase of a private key: the environment, or a person at the terminal.

``PALERMO_KEY_PASSPHRASE``, or ``PALERMO_KEY_PASSPHRASE_FILE`` for a file that holds it. Without either, a locked key
is asked for, where there is a terminal.
"""

import os
import sys
from pathlib import Path

import typer

from palermo.config.commands import stop
from palermo.sealing.errors import KeyFileError, SealingError
from palermo.sealing.keys import Signer
from palermo.sealing.keyuri import KeyPlace, open_signer

VARIABLE = "PALERMO_KEY_PASSPHRASE"
NEW_VARIABLE = "PALERMO_NEW_KEY_PASSPHRASE"
LOCKED = "is locked"


def given(variable: str = VARIABLE) -> bytes | None:
    """A passphrase from the environment, ``X`` or ``X_FILE``; None where neither is set."""
    text = os.environ.get(variable, "")
    if not text and (file := os.environ.get(f"{variable}_FILE")):
        try:
            text = Path(file).read_text("utf-8").strip()
        except OSError as error:
            raise stop(f"{variable}_FILE names {file}, which cannot be read ({error.strerror}).") from error
    return text.encode() or None


def asked(prompt: str, *, twice: bool = False) -> bytes:
    """A passphrase from a person, not shown; ends the command where nobody can be asked."""
    if not sys.stdin.isatty():
        raise stop(f"{prompt} is needed: set {VARIABLE} or {VARIABLE}_FILE, or call this at a terminal.")
    text: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=twice)
    return text.encode()


def new(prompt: str, *, variable: str = VARIABLE) -> bytes:
    """The passphrase for a new key: the environment's, else a person is asked twice."""
    return given(variable) or asked(prompt, twice=True)


def open_key(uri: str, folder: Path) -> Signer:
    """The key that a URI (or the plain name of a file) names; asks for its passphrase when it is locked."""
    uri = uri if ":" in uri else f"file:{uri}"
    passphrase = given()
    try:
        return open_signer(uri, KeyPlace(folder, passphrase))
    except KeyFileError as error:
        if passphrase is not None or LOCKED not in str(error):
            raise stop(str(error)) from error
    except SealingError as error:
        raise stop(str(error)) from error
    try:
        return open_signer(uri, KeyPlace(folder, asked("Passphrase of the key")))
    except SealingError as error:
        raise stop(str(error)) from error
