"""Taking trust roots: the first from a file that was handed over in person, each further one by its founders' word."""

from datetime import datetime

from django.db import transaction

from palermo.lake.files import write_whole
from palermo.node.directory import queries
from palermo.node.directory.models import TrustRootVersion
from palermo.node.directory.queries import DirectoryError
from palermo.node.home import trust_root_file
from palermo.sealing import dsse
from palermo.sealing.errors import FormatError
from palermo.sealing.trust_root import (
    TRUST_ROOT_TYPE,
    Trust,
    TrustChain,
    TrustRoot,
    open_successor,
    parse_chain,
    read_trust,
)


def take_trust(data: bytes, *, now: datetime) -> Trust:
    """Take what members are given: a trust root, a chain of them, or the signed root that follows the present one.

    Returns what is trusted from now on. What is held already changes nothing. Raises ``DirectoryError`` for the root of
    another network, and ``SealingError`` for one that does not follow: older, another history, too few founders.
    """
    if is_signed_root(data):
        return take_successor(data, now=now)
    offered = read_trust(data)
    first, successors = parse_chain(data) if isinstance(offered, TrustChain) else (data, ())
    path = trust_root_file()
    if not path.exists():
        write_whole(path, first)
    if not set(offered.roots) & set(queries.trust().roots):
        raise DirectoryError("This node trusts another root. A node joins one network; make a new node for another.")
    for root, successor in zip(offered.roots[1:], successors, strict=True):
        if root.version > queries.trust_root().version:
            take_successor(successor, now=now)
    return queries.trust()


def is_signed_root(data: bytes) -> bool:
    """Whether a file is a signed trust root, by what it claims."""
    try:
        return dsse.parse_all(data).payload_type == TRUST_ROOT_TYPE
    except FormatError:
        return False


@transaction.atomic
def take_successor(data: bytes, *, now: datetime) -> TrustRoot:
    """Take the root that follows the present one. The present one again changes nothing.

    Raises what :func:`palermo.sealing.trust_root.open_successor` raises.
    """
    TrustRootVersion.objects.select_for_update().order_by("-version").first()
    current = queries.trust_root()
    if dsse.parse_all(data, "trust root").payload == current.to_bytes():
        return current
    new = open_successor(data, current)
    TrustRootVersion.objects.create(version=new.version, data=data, taken_at=now)
    return new
