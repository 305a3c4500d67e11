"""What our log and its witnesses can prove about a package that waits, under the directory that lies in it."""

from palermo.node.directory import queries as directory
from palermo.node.evidence.models import Package
from palermo.node.ledger import queries as ledger
from palermo.node.ledger.rows import InclusionProof
from palermo.sealing import package as sealing
from palermo.sealing.directory import Directory, TrustRoot, open_directory
from palermo.sealing.errors import SealingError
from palermo.sealing.leaf import open_fields
from palermo.sealing.quorum import Cosignature, Quorum, listed_witnesses, quorum_of, verify_quorum

SHOWN = ("kind", "counterparty", "recorded_at", sealing.MANIFEST_FIELD)


def listed(package: Package) -> Directory:
    """The directory that lies in the package: whoever checks it years later has no other."""
    return open_directory(bytes(package.draft_directory), TrustRoot.from_bytes(bytes(package.draft_trust_root)))


def quorum(package: Package) -> Quorum:
    """How many of the witnesses cosigned the checkpoint that :func:`proof` would take."""
    lists = listed(package)
    return _count(lists, _best(package, lists)[1])


def proof(package: Package) -> sealing.LedgerProof:
    """Inclusion under a checkpoint that a quorum cosigned, if there is one; else under the newest."""
    found, cosignatures = _best(package, listed(package))
    return sealing.LedgerProof(
        leaf=found.leaf,
        opened=open_fields(ledger.opened(package.ledger_index), SHOWN),
        index=found.index,
        size=found.size,
        hashes=found.hashes,
        checkpoint=found.checkpoint,
        cosignatures=cosignatures,
        new_logs=found.new_logs,
    )


def _best(package: Package, lists: Directory) -> tuple[InclusionProof, tuple[Cosignature, ...]]:
    """The newest cosigned checkpoint that covers the package's entry, else the newest of all, with who cosigned it."""
    log = ledger.log_of(package.ledger_index)
    cosigned = ledger.newest_cosigned(log)
    size = cosigned.size if cosigned is not None and cosigned.covers(package.ledger_index) else None
    found = ledger.inclusion(package.ledger_index, size)
    given = ledger.cosigned(found.size, log).cosignatures
    return found, tuple(one for one in given if _verifies(found.checkpoint, one, lists))


def _verifies(checkpoint: str, cosignature: Cosignature, lists: Directory) -> bool:
    """Whether a cosignature counts by that directory: one that joined later cannot be checked with this package."""
    try:
        verify_quorum(checkpoint, [cosignature], lists, directory.own_code())
    except SealingError:
        return False
    return True


def _count(lists: Directory, cosignatures: tuple[Cosignature, ...]) -> Quorum:
    return quorum_of(listed_witnesses(lists, directory.own_code()), (one.witness for one in cosignatures))
