"""The courier's file out: everything that waits for one partner, however the directory says that it is reached.

Every message without a receipt goes into every file, and every letter whose time is not over: a stick that is lost, or
read twice, costs nothing. The receipts come back in the next file, or by whatever line there is.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import courier_contents
from palermo.node.exchange.courier_contents import Addressed, Contents, Progress
from palermo.node.exchange.routes import Route, way_to
from palermo.node.home import uploads_folder
from palermo.node.office import actions as office
from palermo.node.office import policy
from palermo.node.office.errors import ConflictError
from palermo.node.office.policy import Actor
from palermo.sealing.courier import Manifest, write_file

SUFFIX = ".courier"
KEY_ENDS_SOON = timedelta(days=7)
"""Before a key's end, how soon whoever exports is warned."""


class NothingToCarryError(ConflictError):
    """No message, no letter and no piece of a file waits for this partner."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A courier file that was written. ``left``: parcels that did not fit into it.

    ``carried_before``: how many of its parts an earlier file, or a relay, took already. ``ended_keys``: parts sealed to
    a key that has ended; ``opens_until``: when the first of the keys may be destroyed by its owner.
    """

    path: Path
    manifest: Manifest
    digest: str
    messages: int
    letters: int
    pieces: int
    carried_before: int
    left: int
    ended_keys: int
    opens_until: datetime

    def warnings(self, now: datetime) -> list[str]:
        """What whoever sends the courier off must know."""
        end, said = self.manifest.keys_end_at, []
        if self.ended_keys:
            said.append(
                f"{self.ended_keys} parts are sealed to a key that has ended. {self.manifest.recipient} may destroy it "
                f"from {self.opens_until:%Y-%m-%d %H:%M} UTC on: what arrives later is rejected, and must be sent anew."
            )
        elif end - now < KEY_ENDS_SOON:
            said.append(
                f"The key that parts are sealed to ends at {end:%Y-%m-%d %H:%M} UTC. Deliver before "
                f"{self.opens_until:%Y-%m-%d %H:%M} UTC, when {self.manifest.recipient} may destroy it; ask it for its "
                "newest key for what you send from now on."
            )
        if self.left:
            said.append(f"{self.left} more parcels wait: export them into another file with --only-new.")
        return said


def file_name(recipient: str, now: datetime) -> str:
    """What a file is called that somebody wants in a folder: sender, recipient, time."""
    return f"{directory.own_code()}-to-{recipient}-{now:%Y%m%dT%H%M%SZ}{SUFFIX}"


def waiting(recipient: str, now: datetime) -> tuple[int, int]:
    """How many messages and letters the next file to a partner would hold."""
    return courier_contents.messages(recipient).count(), courier_contents.letters(recipient, now).count()


def export(
    path: Path,
    *,
    recipient: str,
    now: datetime,
    officer: Actor | None = None,
    only_new: bool = False,
    progress: Progress = lambda size: None,
) -> Exported:
    """Write what waits for a partner to ``path``, whole or not at all.

    ``only_new``: without what an earlier file or a relay took. Raises :class:`NothingToCarryError`, ``DirectoryError``
    (unknown partner, or one without a key for the letters), ``OSError`` (a full stick: nothing was noted as carried).
    ``officer``: who does it on a page; None for whoever has the node's home, who needs no permission.
    """
    if officer is not None:
        policy.require(officer, "courier.carry")
    contents = courier_contents.choose(recipient, now, only_new=only_new)
    if not len(contents):
        raise NothingToCarryError(f"Nothing{' new' if only_new else ''} waits for {recipient}: no file was written.")
    with tempfile.TemporaryFile(dir=uploads_folder()) as spool:
        parts = courier_contents.seal(contents, spool, now)
        ended, first_end = _key_times(recipient, parts, now)
        manifest = Manifest(
            sender=directory.own_code(),
            recipient=recipient,
            made_at=now,
            keys_end_at=first_end,
            parts=tuple(addressed.part for addressed in parts),
            deliver_before=_first_end(parts, now),
        )
        read = courier_contents.read_again(contents, parts, spool, progress)
        digest = write_file(path, manifest, read, own_keys.signing_key())
    exported = Exported(
        path=path,
        manifest=manifest,
        digest=digest,
        messages=len(contents.messages),
        letters=len(contents.letters),
        pieces=contents.number_of_pieces,
        carried_before=contents.carried_before,
        left=contents.left,
        ended_keys=ended,
        opens_until=first_end + own_keys.OVERLAP,
    )
    _note(exported, contents, officer, now)
    return exported


def _key_times(recipient: str, parts: Sequence[Addressed], now: datetime) -> tuple[int, datetime]:
    """How many of the parts are sealed to a key that has ended, and when the first of the keys ends."""
    until = {key.key_id: key.valid_until for key in directory.keys(recipient)}
    ends = [until.get(addressed.key_id, now) for addressed in parts]
    return sum(end <= now for end in ends), min(ends)


def _first_end(parts: Sequence[Addressed], now: datetime) -> datetime | None:
    """When the first of the messages ends that are still in time."""
    ends = [addressed.ends_at for addressed in parts if addressed.ends_at is not None]
    return min((end for end in ends if end > now), default=None)


@transaction.atomic
def _note(exported: Exported, contents: Contents, officer: Actor | None, now: datetime) -> None:
    """Only now, with the file on disk whole. What goes by line as well does not wait for the courier."""
    if way_to(exported.manifest.recipient).route is not Route.DIRECT:
        courier_contents.note_carried(contents, now)
    office.audit(
        officer,
        "courier.exported",
        exported.manifest.recipient,
        now=now,
        detail={
            "file": exported.digest,
            "messages": exported.messages,
            "letters": exported.letters,
            "pieces": exported.pieces,
        },
    )
