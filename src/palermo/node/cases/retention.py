"""When a holding's retention ends, the copies of its entities in cases end too; that they were there stays."""

from datetime import datetime

from django.db import transaction

from palermo.node.cases import actions
from palermo.node.cases.models import CaseSubject
from palermo.node.cases.states import EventKind
from palermo.node.holdings import queries as holdings
from palermo.node.office.actions import audit
from palermo.subjects.entities import Entity


def redact_expired(now: datetime) -> int:
    """Empty the subjects that were copied from holdings whose retention has ended; returns how many.

    Also in closed cases. Id, kind and origin stay, so that the time line can be read; it says why the rest is gone.
    """
    return sum(_redact(code, now) for code in holdings.expired())


@transaction.atomic
def _redact(code: str, now: datetime) -> int:
    gone = holdings.gone(code)
    copies = list(
        CaseSubject.objects.select_for_update(of=("self",))
        .filter(origin=holdings.origin(code))
        .exclude(caption=gone)
        .select_related("case")
    )
    for copy in copies:
        copy.caption, copy.entity = gone, Entity(copy.entity_id, copy.schema, {}).to_json()
    CaseSubject.objects.bulk_update(copies, ["caption", "entity"], batch_size=actions.CHUNK)
    for reference in sorted({copy.case.reference for copy in copies}):
        count = sum(copy.case.reference == reference for copy in copies)
        text = f"{count} of the subjects emptied: the retention of holding {code} has ended"
        actions.record(reference, kind=EventKind.REDACTED, text=text, officer=None, now=now)
        audit(None, "case.redacted", reference, now=now, detail={"holding": code, "subjects": count})
    return len(copies)
