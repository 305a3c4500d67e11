"""Reading the directory again: every version under the trust root, and the rows against what the versions say.

Keys are read from the rows whenever a signature is checked, so a changed row matters as much as a changed version.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from palermo.node.directory.actions import description, differences, services
from palermo.node.directory.models import Authority, DirectoryVersion, PublicKey
from palermo.node.directory.queries import DirectoryError, trust
from palermo.sealing import directory as sealed
from palermo.sealing import dsse
from palermo.sealing.directory import Directory, TrustRoot
from palermo.sealing.errors import SealingError
from palermo.sealing.keys import VerifyKey

_KeyFacts = tuple[str, bytes, datetime, datetime]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something stored that does not fit. ``what``: the kind of thing; ``where``: which; ``detail``: how it differs."""

    what: str
    where: str
    detail: str


def check() -> list[Fault]:
    """Every version, authority and key that is not what a founder signed; empty when all is whole."""
    rows = list(DirectoryVersion.objects.order_by("version"))
    if not rows:
        return []
    try:
        roots = {root.version: root for root in trust().roots}
    except (DirectoryError, SealingError, OSError) as error:
        return [Fault("trust root", "trust-root.json", str(error))]
    opened = [_open(row, roots.get(row.root_version)) for row in rows]
    faults = [found for found in opened if isinstance(found, Fault)]
    versions = [found for found in opened if isinstance(found, Directory)]
    if faults:
        return faults  # the rows cannot be held against what is not there
    return [*_chain(rows, versions), *_authorities(versions), *_keys(versions)]


def _open(row: DirectoryVersion, root: TrustRoot | None) -> Directory | Fault:
    data, where = bytes(row.data), f"version {row.version}"
    if sealed.directory_digest(data) != row.digest:
        return Fault("directory", where, "does not hash to the digest that was recorded: changed after its import")
    if root is None:
        return Fault("directory", where, f"was taken under the trust root {row.root_version}, which is not here")
    try:
        directory = sealed.open_directory(data, root)
    except SealingError as error:
        return Fault("directory", where, str(error))
    if directory.version != row.version:
        return Fault("directory", where, f"is signed as version {directory.version}")
    if changed := differences(row, services(directory)):
        return Fault("directory", where, f"its {changed[0]} is not what was signed")
    return directory


def _chain(rows: list[DirectoryVersion], versions: list[Directory]) -> Iterator[Fault]:
    for (before, _), (row, directory) in pairwise(zip(rows, versions, strict=True)):
        try:
            sealed.check_successor(bytes(before.data), before.version, bytes(row.data), directory)
        except SealingError as error:
            yield Fault("directory", f"version {row.version}", str(error))


def _authorities(versions: list[Directory]) -> Iterator[Fault]:
    """Each authority as the last version that lists it describes it; a member only if the newest does."""
    expected: dict[str, dict[str, object]] = {}
    for directory in versions:
        for values in expected.values():
            values["is_member"] = False
        expected |= {entry.code: description(entry) for entry in directory.entries}
    stored = {row.code: row for row in Authority.objects.all()}
    for code in sorted(expected.keys() | stored.keys()):
        if code not in expected or code not in stored:
            yield Fault("authority", code, "is missing" if code not in stored else "stands in no version")
            continue
        for name in differences(stored[code], expected[code]):
            yield Fault("authority", code, f"its {name} is not what the directory says")


def _keys(versions: list[Directory]) -> Iterator[Fault]:
    expected: dict[tuple[str, str], _KeyFacts] = {}
    for directory in versions:
        _end_left_out(expected, directory)
        expected |= _signed_keys(directory)
    yield from _renewed_keys(expected)
    stored: dict[tuple[str, str], _KeyFacts] = {
        (row.authority.code, row.key_id): (row.purpose, bytes(row.public), row.valid_from, row.valid_until)
        for row in PublicKey.objects.select_related("authority")
    }
    for key in sorted(expected.keys() | stored.keys()):
        if expected.get(key) != stored.get(key):
            yield Fault("public key", " ".join(key), "is not what the directory says")


def _end_left_out(expected: dict[tuple[str, str], _KeyFacts], directory: Directory) -> None:
    """Signing keys that a member's newer entry no longer lists ended when that was made."""
    listed = {entry.code: {period.verify_key.key_id for period in entry.signing_keys} for entry in directory.entries}
    at = directory.created_at
    for (code, key_id), (purpose, public, start, end) in list(expected.items()):
        if purpose != PublicKey.SIGNING or key_id in listed.get(code, {key_id}) or end <= at:
            continue
        if start >= at:
            del expected[code, key_id]
        else:
            expected[code, key_id] = (purpose, public, start, at)


def _renewed_keys(expected: dict[tuple[str, str], _KeyFacts]) -> Iterator[Fault]:
    """Add to ``expected`` the recipient keys that authorities renewed themselves, as their statements say."""
    for row in PublicKey.objects.select_related("authority").filter(purpose=PublicKey.RECIPIENT):
        code = row.authority.code
        identity = [
            VerifyKey.from_bytes(facts[1]) for (owner, _), facts in expected.items() if _signs(owner, code, facts)
        ]
        try:
            opened = sealed.open_recipient_key(bytes(row.statement), code, dsse.by_id(*identity))
        except SealingError as error:
            yield Fault("public key", f"{code} {row.key_id}", f"its statement does not hold: {error}")
            continue
        facts = (PublicKey.RECIPIENT, opened.key, opened.not_before, opened.not_after)
        expected.setdefault((code, opened.recipient_key.key_id), facts)


def _signs(owner: str, code: str, facts: _KeyFacts) -> bool:
    return owner == code and facts[0] == PublicKey.SIGNING


def _signed_keys(directory: Directory) -> dict[tuple[str, str], _KeyFacts]:
    found: dict[tuple[str, str], _KeyFacts] = {}
    for entry in directory.entries:
        for period in entry.signing_keys:
            facts = (PublicKey.SIGNING, period.key, period.not_before, period.not_after)
            found[entry.code, period.verify_key.key_id] = facts
        by_id = dsse.by_id(*entry.verify_keys())
        for statement in entry.recipient_keys:
            opened = sealed.open_recipient_key(statement, entry.code, by_id)
            facts = (PublicKey.RECIPIENT, opened.key, opened.not_before, opened.not_after)
            found[entry.code, opened.recipient_key.key_id] = facts
    return found
