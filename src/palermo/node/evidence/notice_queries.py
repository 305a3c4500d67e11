"""Reads of notices of exculpatory disclosure. The officer comes first; without need to know there is nothing."""

from palermo.node.cases import queries as cases
from palermo.node.evidence.models import Notice
from palermo.node.evidence.queries import readable_item
from palermo.node.evidence.reading import readable
from palermo.node.evidence.rows import ConsultationRow, NoticeRow
from palermo.node.evidence.states import NOTICE_MOVES, Direction, NoticeState
from palermo.node.office import policy
from palermo.node.office.policy import Actor


def notice(officer: Actor, reference: str) -> NoticeRow:
    """One notice, ours or a partner's, with the consultation about it."""
    return notice_row(readable_notice(officer, reference))


def notices(officer: Actor, item: str) -> list[NoticeRow]:
    """Every notice about an item, both directions, oldest first."""
    return [notice_row(row) for row in readable_item(officer, item).notices.order_by("pk")]


def notice_steps(officer: Actor, reference: str) -> frozenset[str]:
    """What this officer may do now with a notice: of disclose, drop, asked, said, ended."""
    found = readable_notice(officer, reference)
    if not policy.allows(officer, "evidence.notify", cases.members(found.item.case_id)):
        return frozenset()
    moves = {"disclose": NoticeState.DISCLOSED, "drop": NoticeState.DROPPED}
    ours = found.direction == Direction.OUT
    steps = {step for step, new in moves.items() if ours and new in NOTICE_MOVES[NoticeState(found.state)]}
    return frozenset(steps | possible_kinds(found))


def possible_kinds(notice: Notice) -> frozenset[str]:
    """Which steps of a consultation may be written now. Through the exchange alone: a letter answers a letter."""
    if not notice.message_id or notice.state == NoticeState.DROPPED:
        return frozenset()
    steps = list(notice.consultation.values_list("kind", "ours"))
    asked = any(kind == "asked" for kind, _ in steps)
    answered = ("said", True) in steps
    theirs = notice.direction == Direction.IN
    possible = {
        "asked": theirs and notice.state in (NoticeState.GIVEN, NoticeState.DISCLOSED),
        "said": asked,
        "ended": notice.state == NoticeState.CONSULTING and (theirs or answered),
    }
    return frozenset(kind for kind, may in possible.items() if may)


def readable_notice(officer: Actor, reference: str, *, lock: bool = False) -> Notice:
    """A notice, if the officer has need to know of its item's case. For this room alone."""
    rows = Notice.objects.select_related("item")
    return readable(rows, officer, reference, lambda row: [row.item.case_id], lock=lock)


def notice_row(notice: Notice) -> NoticeRow:
    """The row of a model instance."""
    return NoticeRow(
        reference=notice.reference,
        direction=Direction(notice.direction),
        partner=notice.partner,
        item=notice.item.reference,
        case=notice.item.case_id,
        what=notice.item.what,
        article=notice.article,
        why=notice.why,
        proceedings=notice.proceedings,
        exceptional=notice.exceptional,
        letter=notice.letter,
        given_by=notice.given_by,
        given_at=notice.given_at,
        planned_at=notice.planned_at,
        disclosed_by=notice.disclosed_by,
        disclosed_at=notice.disclosed_at,
        state=NoticeState(notice.state),
        consultation=tuple(
            ConsultationRow(row.ours, row.kind, row.text, row.by, row.at) for row in notice.consultation.all()
        ),
    )
