"""What happened to the use of an item, told to who works on it: the time line of its case, and their work queue."""

from collections.abc import Sequence
from datetime import datetime

from palermo.node.cases import actions as case_actions
from palermo.node.cases import queries as cases
from palermo.node.cases.states import EventKind
from palermo.node.evidence.models import Item
from palermo.node.office.actions import add_task
from palermo.node.office.policy import Actor
from palermo.node.office.queries import officers_allowed

READ = "evidence.read"


def tell(item: Item, text: str, link: str, officer: Actor | None, now: datetime) -> None:
    """Write it into the time line of the item's case."""
    case_actions.record(
        item.case_id,
        kind=EventKind.EVIDENCE,
        text=text,
        link=link,
        officer=officer.pk if officer else None,
        now=now,
    )


def to_the_team(item: Item, key: str, title: str, link: str, now: datetime, due_at: datetime | None = None) -> None:
    """Put it on the work queue of the case's team."""
    team = officers_allowed(READ, members=cases.members(item.case_id))
    add_task(key=key, title=title, link=link, officers=team, due_at=due_at, now=now)


def who(permission: str, item: Item) -> Sequence[int]:
    """The officers who may do this with the item, and may read it."""
    return officers_allowed(permission, READ, members=cases.members(item.case_id))
