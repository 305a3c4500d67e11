"""Check an evidence package in numbered steps, each with a sentence that a court understands.

No node, no network. Hostile input fails a step, never the program. The steps, in :data:`STEPS`, run in order; one that
needs what an earlier one could not establish is not reached. The verdict is

- *proven*: every step holds under the trust root that was given;
- *unproven*: no step fails, but something that it takes is lacking: a trust root, a quorum of witnesses, a signature;
- *refused*: a step failed.

A step that has nothing to check (a network without witnesses, a package without a time stamp) says so and takes nothing
away. What it cannot know offline: that a key was withdrawn after the directory inside was signed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from palermo.sealing import checks_of_custody, checks_of_log, checks_of_package
from palermo.sealing.errors import SealingError
from palermo.sealing.examination import Examination, NotReachedError
from palermo.sealing.manifest import Manifest
from palermo.sealing.trust_root import Trust


class Verdict(StrEnum):
    """What all steps together say."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    REFUSED = "refused"


@dataclass(frozen=True)
class Check:
    """One step: ``ok`` is True (holds), False (fails) or None (not reached, or nothing to check it with).

    ``lacking``: it is None because of something that a proof needs, so that the verdict is unproven at most.
    """

    number: int
    name: str
    ok: bool | None
    detail: str
    lacking: bool = False


@dataclass(frozen=True)
class Report:
    """All steps and the verdict; ``fingerprint`` is the given trust root's, ``manifest`` as far as it was read."""

    checks: tuple[Check, ...]
    verdict: Verdict
    fingerprint: str | None
    manifest: Manifest | None

    @property
    def first_failure(self) -> Check | None:
        """The first step that fails."""
        return next((check for check in self.checks if check.ok is False), None)


def summary(report: Report) -> str:
    """The result in a sentence, for whoever reads nothing else."""
    if report.verdict is Verdict.PROVEN:
        return "The package is intact, and of the authority it names, under the trust root that was given."
    if report.verdict is Verdict.REFUSED:
        failed = report.first_failure
        return f"Do not rely on this package. Check {failed.number} fails: {failed.name}." if failed else "Do not rely."
    if report.fingerprint is None:
        return "Intact, origin unproven: give the network's trust root to prove who made it."
    lacking = ", ".join(f"{check.number} ({check.name})" for check in report.checks if check.lacking)
    return f"Intact, and of the authority it names; but the package does not show everything: check {lacking}."


def verify_package(path: Path, trust_root: Trust | None, now: datetime | None = None) -> Report:
    """Check a package file or folder. Never raises for what is in it; a path that cannot be read fails step 1.

    Without ``now`` nothing is said about dates that lie ahead.
    """
    examination = Examination(path, trust_root, now)
    try:
        checks = tuple(_run(number, name, step, examination) for number, (name, step) in enumerate(STEPS, start=1))
    finally:
        if examination.tree is not None:
            examination.tree.close()
    if any(check.ok is False for check in checks):
        verdict = Verdict.REFUSED
    else:
        verdict = Verdict.UNPROVEN if any(check.lacking for check in checks) else Verdict.PROVEN
    return Report(checks, verdict, trust_root.fingerprint if trust_root else None, examination.manifest)


def _run(number: int, name: str, step: Callable[[Examination], str], examination: Examination) -> Check:
    try:
        return Check(number, name, True, plain(step(examination)))
    except NotReachedError as reason:
        return Check(number, name, None, plain(str(reason)), reason.lacking)
    except SealingError as error:
        return Check(number, name, False, plain(str(error)))
    except OSError as error:
        return Check(number, name, False, f"cannot be read: {error.strerror}")


def plain(text: str) -> str:
    """Text on one line without control or direction characters: a package must not write its own report."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:600])


STEPS: tuple[tuple[str, Callable[[Examination], str]], ...] = (
    ("files", checks_of_package.files),
    ("bag", checks_of_package.bag),
    ("contents", checks_of_package.contents),
    ("directory", checks_of_package.directory),
    ("manifest signature", checks_of_package.manifest_signature),
    ("seal", checks_of_package.seal),
    ("custody", checks_of_custody.custody),
    ("custody signatures", checks_of_custody.custody_signatures),
    ("custody graph", checks_of_custody.graph),
    ("ledger entry", checks_of_log.ledger_leaf),
    ("ledger checkpoint", checks_of_log.checkpoint),
    ("ledger inclusion", checks_of_log.inclusion),
    ("witnesses", checks_of_log.witnesses),
    ("time stamp", checks_of_log.time_stamp),
    ("dates", checks_of_package.dates),
    ("origin", checks_of_package.origin),
)
"""The steps, in order, with the name that a report gives them."""
