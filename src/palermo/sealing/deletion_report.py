"""A deletion statement checked offline, years later: who signed that what is gone, and who saw it in a log.

Hostile input fails a step, never the program.
"""

from collections.abc import Callable
from dataclasses import dataclass

from palermo.sealing.checkpoint import parse_checkpoint
from palermo.sealing.deletion import DeletionStatement, claimed_statement, open_statement, read_proof, verify_proof
from palermo.sealing.directory import Directory, open_directory
from palermo.sealing.errors import FormatError, SealingError
from palermo.sealing.quorum import Quorum
from palermo.sealing.records import format_time
from palermo.sealing.trust_root import Trust
from palermo.sealing.verify import Check, Verdict

_Result = tuple[bool | None, str]


@dataclass(frozen=True)
class DeletionReport:
    """The steps and the verdict. ``statement``: what is claimed, None where that cannot even be read."""

    checks: tuple[Check, ...]
    verdict: Verdict
    fingerprint: str
    statement: DeletionStatement | None


@dataclass
class _Examination:
    signed: bytes
    proof: bytes | None
    directory_file: bytes
    trust: Trust
    statement: DeletionStatement | None = None
    directory: Directory | None = None
    quorum: Quorum | None = None

    @property
    def listed(self) -> Directory:
        """The directory, once it was opened."""
        if self.directory is None:
            raise FormatError("directory", "was not read")
        return self.directory


def examine_deletion(signed: bytes, proof: bytes | None, directory: bytes, trust: Trust) -> DeletionReport:
    """Check a signed statement, and the proof from the log of who deleted. Never raises for what is in them.

    Proven: all holds, and enough witnesses cosigned, where the network has them. Unproven: intact, without a proof or
    with too few. Refused: something does not hold.
    """
    it = _Examination(signed, proof, directory, trust)
    checks: list[Check] = []
    for number, (name, step) in enumerate(_STEPS, start=1):
        if any(check.ok is False for check in checks):
            checks.append(Check(number, name, None, "not reached"))
            continue
        try:
            ok, detail = step(it)
            checks.append(Check(number, name, ok, detail, lacking=ok is None and _lacks(it)))
        except (SealingError, UnicodeDecodeError) as error:
            checks.append(Check(number, name, False, str(error)))
    verdict = Verdict.UNPROVEN if any(check.lacking for check in checks) else Verdict.PROVEN
    if any(check.ok is False for check in checks):
        verdict = Verdict.REFUSED
    return DeletionReport(tuple(checks), verdict, trust.fingerprint, it.statement)


def _lacks(it: _Examination) -> bool:
    return it.proof is None or (it.quorum is not None and it.quorum.possible)


def _read(it: _Examination) -> _Result:
    it.statement = claimed_statement(it.signed)
    number = len(it.statement.items)
    return True, f"{it.statement.reference}: {it.statement.authority} states that {number} items are gone"


def _directory(it: _Examination) -> _Result:
    it.directory = open_directory(it.directory_file, it.trust)
    return True, f"version {it.directory.version} of {it.directory.network!r}, signed by its founders"


def _signature(it: _Examination) -> _Result:
    claimed = claimed_statement(it.signed)
    said = open_statement(it.signed, it.listed.entry(claimed.authority).verify_keys())
    return True, f"signed by {said.authority}, which deleted on {format_time(said.deleted_at)}"


def _log(it: _Examination) -> _Result:
    if it.proof is None:
        return None, "no proof was given: it may have been signed at any time"
    proof = read_proof(it.proof)
    said = claimed_statement(it.signed)
    it.quorum = verify_proof(it.signed, proof, it.listed.entry(said.authority).verify_keys(), it.listed)
    log = parse_checkpoint(proof.checkpoint)
    return True, f"entry {said.ledger_index} of the log {log.origin}, signed at {log.size} entries, commits to it"


def _witnesses(it: _Examination) -> _Result:
    if it.quorum is None:
        return None, "no proof was given"
    return (True if it.quorum.reached else None), f"cosigned: {it.quorum}"


_STEPS: tuple[tuple[str, Callable[[_Examination], _Result]], ...] = (
    ("statement", _read),
    ("directory", _directory),
    ("signature", _signature),
    ("log", _log),
    ("witnesses", _witnesses),
)
