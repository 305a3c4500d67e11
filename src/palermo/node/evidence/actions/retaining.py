"""Retention: by which rule an item is kept, until when, and how that ends; a legal ground holds it back."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.evidence import copies, limits, queries, statements
from palermo.node.evidence.actions.destroying import close_items
from palermo.node.evidence.models import Item, Statement
from palermo.node.evidence.rows import ItemRow
from palermo.node.evidence.telling import tell
from palermo.node.ledger import actions as ledger
from palermo.node.office import jobs, policy
from palermo.node.office.actions import audit
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.jobs import Heartbeat
from palermo.node.office.policy import Actor

RETAIN = "evidence.retain"
DESTROY_JOB = "evidence.end_retention"


@transaction.atomic
def set_retention(
    officer: Actor, *, case: str, items: Sequence[str] = (), until: date, rule: str, now: datetime
) -> list[ItemRow]:
    """Set until when items are kept, and by which rule; all living items of the case where none are named.

    ``rule``: the provision. ``until``: the last day; it lies ahead. Raises ``InvalidError`` with what is missing.
    """
    policy.require(officer, RETAIN, cases.members(case))
    found = Item.objects.select_for_update(of=("self",)).filter(case_id=case, destroyed_at=None).order_by("pk")
    chosen = [item for item in found if not items or item.reference in items]
    problems = [] if until > now.date() else ["The retention has to end on a day ahead."]
    problems += [] if rule.strip() and len(rule) <= 300 else ["Name the rule of retention, in at most 300 characters."]
    problems += [] if chosen and len(chosen) >= len(set(items)) else ["Choose items of this case that are still kept."]
    if problems:
        raise InvalidError(problems)
    for item in chosen:
        item.retention_date, item.retention_rule = until, rule.strip()
        item.save(update_fields=["retention_date", "retention_rule"])
        detail: dict[str, object] = {"until": until.isoformat(), "rule": rule.strip()}
        audit(officer, "evidence.retention_set", item.reference, now=now, detail=detail)
    return [queries.item_row(item) for item in chosen]


@transaction.atomic
def hold(officer: Actor, *, item: str, ground: str, now: datetime) -> ItemRow:
    """Hold an item back from the end of its retention, on a legal ground; "" lifts the hold.

    Raises ``ConflictError`` for a recalled item: what is kept in spite of a recall is said on the recall's page.
    """
    found = queries.readable_item(officer, item)
    policy.require(officer, RETAIN, cases.members(found.case_id))
    if found.destroyed_at is not None or found.recall is not None:
        raise ConflictError("The item is destroyed, or was recalled: answer the recall on its page.")
    if len(ground) > 1000:
        raise InvalidError("Name the ground in at most 1000 characters.")
    found.hold = ground.strip()
    found.save(update_fields=["hold"])
    audit(officer, "evidence.held" if found.hold else "evidence.hold_lifted", item, now=now, detail={"ground": ground})
    return queries.item_row(found)


@transaction.atomic
def end_retention(now: datetime) -> int:
    """Close what has been kept as long as its rule says, and queue the destruction of its bytes; returns how many."""
    due = Item.objects.select_for_update(of=("self",)).filter(retention_date__lt=now.date(), destroyed_at=None, hold="")
    ended = list(due.order_by("case_id", "retention_rule", "pk"))
    for (case, rule), group in groupby(ended, key=lambda item: (item.case_id, item.retention_rule)):
        items = list(group)
        close_items(items, None, f"the retention ended: {rule}", now)
        for item in items:
            tell(item, f"{item.reference} is destroyed: its retention ended ({rule})", "", None, now)
            audit(None, "evidence.retention_ended", item.reference, now=now, detail={"rule": rule, "case": case})
        key = f"{DESTROY_JOB}:{items[0].reference}"
        jobs.enqueue(DESTROY_JOB, key, {"items": [item.reference for item in items], "rule": rule}, now=now)
    return len(ended)


def destroy(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """The work: remove the files, then state it, once."""
    items = list(Item.objects.filter(reference__in=payload["items"]).order_by("pk"))
    copies.unlink_files(items)
    _state_end(items, payload["rule"], now)


@transaction.atomic
def _state_end(items: list[Item], rule: str, now: datetime) -> None:
    ledger.hold()
    if Statement.objects.filter(items=items[0], recall=None).exists():
        return
    packages = copies.packages_with(items)
    elsewhere = copies.erase_elsewhere(packages, now)
    for package in packages:
        package.destroyed_at = package.destroyed_at or now
        package.save(update_fields=["destroyed_at"])
    counts = {
        digest: sum(item.sha256 == digest for item in items) + len(packages) + elsewhere
        for digest in {item.sha256 for item in items}
    }
    ends = max(item.retention_date for item in items if item.retention_date)
    statement = statements.make(
        items,
        provider=next(filter(None, map(limits.provider_of, items)), ""),
        recall=None,
        rule=f"{rule}; ended {ends.isoformat()}",
        copies=counts,
        passed_on=(),
        deleted_by="retention",
        now=now,
    )
    audit(None, "evidence.destroyed", items[0].reference, now=now, detail={"statement": statement.reference})
