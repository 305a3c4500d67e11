"""What is known about a package under examination, step by step; the steps themselves lie in ``checks_of_*``."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from palermo.sealing import bagit, dsse
from palermo.sealing.archive import Tree
from palermo.sealing.custody import Certificate
from palermo.sealing.directory import AuthorityEntry, Directory
from palermo.sealing.errors import PackageError
from palermo.sealing.manifest import FORMAT_1, Manifest
from palermo.sealing.package import LedgerProof, Seal
from palermo.sealing.trust_root import Trust

CLOCK_SKEW = timedelta(minutes=5)
Value = TypeVar("Value")


class NotReachedError(Exception):
    """A step that was not checked; the message says why.

    ``lacking``: what it would have shown is missing, so that the package is unproven. Otherwise there is nothing that
    it could show here, and the other steps decide.
    """

    def __init__(self, reason: str, *, lacking: bool = False) -> None:
        super().__init__(reason)
        self.lacking = lacking


class Examination:
    """One package under examination, and what the steps so far have established about it."""

    def __init__(self, path: Path, trust_root: Trust | None, now: datetime | None) -> None:
        self.path = path
        self.trust_root = trust_root
        self.now = now
        self.tree: Tree | None = None
        self.bag: bagit.Bag | None = None
        self.manifest: Manifest | None = None
        self.directory: Directory | None = None
        self.signed_manifest: bytes | None = None
        self.seal: Seal | None = None
        self.certificates: dict[str, Certificate] | None = None
        self.proof: LedgerProof | None = None
        self.leaf_hash: bytes | None = None
        self.checkpoint: str | None = None
        self.root: bytes | None = None

    @property
    def provider(self) -> AuthorityEntry:
        """The provider as the directory lists it."""
        return have(self.directory).entry(have(self.manifest).provider)

    def file(self, name: str) -> bytes:
        """A file outside the payload. Raises PackageError when it is missing."""
        content = self.file_or_none(name)
        if content is None:
            raise PackageError(f"file {name!r}", "is missing")
        return content

    def file_or_none(self, name: str) -> bytes | None:
        """A file outside the payload that need not be there."""
        return have(self.bag).tags.get(name)

    def verify_by_provider(self, name: str, payload_type: str, at: datetime) -> bytes:
        """A signed file's payload, verified under the keys that the provider had at a time."""
        keys = dsse.by_id(*self.provider.verify_keys(at))
        return dsse.verify(self.file(name), keys, payload_type=payload_type, part=f"file {name!r}").payload

    def require_format_2(self) -> None:
        """Leave a step that format 1 knows nothing of."""
        if have(self.manifest).format == FORMAT_1:
            raise NotReachedError("not part of format 1, in which this package was made")


def have(value: Value | None) -> Value:
    """What an earlier step established; ends this step when it did not."""
    if value is None:
        raise NotReachedError("not reached: an earlier step failed")
    return value
