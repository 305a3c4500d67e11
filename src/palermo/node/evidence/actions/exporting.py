"""Take an item out of the node: for a purpose that its provider consented to, or as exculpatory, after its notice."""

from datetime import datetime
from pathlib import Path

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.evidence import chain, notice_queries, queries
from palermo.node.evidence.states import Direction
from palermo.node.evidence.uses import LONGEST_TARGET, Intent, Use
from palermo.node.office import policy
from palermo.node.office.actions import audit
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor
from palermo.sealing.custody import Verb


@transaction.atomic
def export_item(officer: Actor, reference: str, *, use: str, purpose: str, now: datetime) -> Path:
    """Where an item's bytes lie, to take them out for one purpose; the copy is a step of its custody.

    ``use``: "court" or "export"; ``purpose``: the proceedings, or what for, in the words of the consent. Raises
    ``InvalidError`` without them, and what the gate (``limits.require``) raises.
    """
    found = queries.readable_item(officer, reference)
    policy.require(officer, "evidence.add", cases.members(found.case_id))
    if use not in (Use.COURT, Use.EXPORT) or not purpose.strip() or len(purpose) > LONGEST_TARGET:
        raise InvalidError(f"Say for what the item is taken out, in at most {LONGEST_TARGET} characters.")
    path = queries.content(officer, reference, Intent(Use(use), target=purpose.strip()), now=now)
    chain.record(found, Verb.COPIED, officer, now=now, how=f"{use}: {purpose.strip()}")
    audit(officer, "evidence.exported", reference, now=now, detail={"use": use, "purpose": purpose.strip()})
    return path


@transaction.atomic
def disclosed_file(officer: Actor, notice: str, *, now: datetime) -> tuple[str, Path]:
    """The name and the place of the bytes that a notice lets disclose; the copy is a step of their custody."""
    found = notice_queries.readable_notice(officer, notice)
    policy.require(officer, "evidence.notify", cases.members(found.item.case_id))
    if found.direction != Direction.OUT:
        raise ConflictError("This is a partner's notice: it discloses its own copy.")
    path = queries.content(officer, found.item.reference, Intent(Use.EXCULPATORY, target=notice), now=now)
    chain.record(found.item, Verb.COPIED, officer, now=now, how=f"disclosed as exculpatory: {notice}")
    audit(officer, "evidence.disclosed", found.item.reference, now=now, detail={"notice": notice})
    return found.item.name, path
