"""Disclose something exculpatory to an accused person: never forbidden, but told to its provider (UNTOC 18(19), 18(5)).

"[The] State Party shall notify the [providing] State Party prior to the disclosure and, if so requested, consult with
[it]. If, in an exceptional case, advance notice is not possible, [it] shall inform [the provider] of the disclosure
without delay." So: notice, then the disclosure, which waits while a consultation is on; or both at once, with reasons.
"""

from datetime import datetime

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import limits, notice_queries, queries
from palermo.node.evidence.marks import Origin
from palermo.node.evidence.messages import CONSULTATION_TYPE, NOTICE_TYPE, ConsultationMessage, NoticeMessage
from palermo.node.evidence.models import Item, Notice
from palermo.node.evidence.receiving import given_to, new_reference, parsed, refuse_empty, refuse_long
from palermo.node.evidence.rows import NoticeRow
from palermo.node.evidence.states import NOTICE_MOVES, Direction, NoticeState
from palermo.node.evidence.telling import tell, to_the_team, who
from palermo.node.exchange import actions as exchange
from palermo.node.exchange import queries as exchange_queries
from palermo.node.exchange.handlers import Received
from palermo.node.exchange.rows import MessageRow
from palermo.node.ledger import actions as ledger
from palermo.node.office import policy
from palermo.node.office.actions import add_task, audit, next_reference
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor

NOTIFY = "evidence.notify"
_LONGEST = {"why": 2000, "proceedings": 500, "exceptional": 2000, "letter": 200}


@transaction.atomic
def give_notice(
    officer: Actor,
    *,
    item: str,
    why: str,
    proceedings: str,
    planned_at: datetime | None = None,
    exceptional: str = "",
    letter: str = "",
    now: datetime,
) -> NoticeRow:
    """Notify a provider that an item is to be disclosed as exculpatory, not before ``planned_at``.

    ``exceptional``: why advance notice was not possible; then the disclosure is recorded as made, and the provider told
    of it in the same transaction. ``letter``: by which a provider outside the network was told.
    """
    ledger.hold()
    found = queries.readable_item(officer, item)
    policy.require(officer, NOTIFY, cases.members(found.case_id))
    _refuse_needless(found)
    provider = limits.reachable_provider(found)
    texts = {"why": why, "proceedings": proceedings, "exceptional": exceptional, "letter": letter}
    texts = {name: text.strip() for name, text in texts.items()}
    if problems := _problems(texts, planned_at, provider, now):
        raise InvalidError(problems)
    at_once = bool(texts["exceptional"])
    notice = Notice.objects.create(
        reference=next_reference(f"{directory.own_code()}-NTC", now=now),
        direction=Direction.OUT,
        partner=provider or limits.provider_of(found) or "not named",
        item=found,
        package_reference=found.package.reference if found.package else "",
        article=limits.article_of(found),
        given_by=officer.get_full_name(),
        given_at=now,
        planned_at=now if at_once or planned_at is None else planned_at,
        state=NoticeState.DISCLOSED if at_once else NoticeState.GIVEN,
        disclosed_by=officer.get_full_name() if at_once else "",
        disclosed_at=now if at_once else None,
        **texts,
    )
    if provider:
        notice.message_id = _send(notice, NOTICE_TYPE, _message_of(notice).to_bytes(), "notice of disclosure", now)
        notice.save(update_fields=["message_id"])
    told = "disclosed in an exceptional case" if at_once else "to be disclosed"
    tell(found, f"{item} is {told} as exculpatory: {notice.reference}", link(notice), officer, now)
    audit(officer, "evidence.notice_given", item, now=now, detail={"notice": notice.reference, "exceptional": at_once})
    return notice_queries.notice_row(notice)


@transaction.atomic
def disclose(officer: Actor, reference: str, *, now: datetime) -> NoticeRow:
    """Record that the disclosure takes place; its provider is told. From now on the item opens for it.

    Raises ``ConflictError`` before its date, while the provider is being consulted, and while no receipt shows that the
    notice arrived.
    """
    ledger.hold()
    notice = _ours(officer, reference)
    if NoticeState.DISCLOSED not in NOTICE_MOVES[NoticeState(notice.state)]:
        wait = "its provider is being consulted" if notice.state == NoticeState.CONSULTING else f"it is {notice.state}"
        raise ConflictError(f"The disclosure under {reference} cannot take place now: {wait}.")
    if now < notice.planned_at:
        raise ConflictError("The date that was notified has not come. Wait for it, or state an exceptional case.")
    if notice.message_id and exchange_queries.message(notice.message_id).state != "accepted":
        raise ConflictError("No receipt shows that the notice arrived. Wait for it, or state an exceptional case.")
    notice.state, notice.disclosed_by, notice.disclosed_at = NoticeState.DISCLOSED, officer.get_full_name(), now
    notice.save()
    return _finish(officer, notice, "disclosed", "Disclosed as notified.", now)


@transaction.atomic
def drop_notice(officer: Actor, reference: str, *, reasons: str, now: datetime) -> NoticeRow:
    """Give up a disclosure that was notified; its provider is told."""
    ledger.hold()
    notice = _ours(officer, reference)
    if NoticeState.DROPPED not in NOTICE_MOVES[NoticeState(notice.state)]:
        raise ConflictError(f"The notice {reference} is {notice.state}: there is nothing to give up.")
    if not reasons.strip() or len(reasons) > 2000:
        raise InvalidError("Give the reasons, in at most 2000 characters.")
    notice.state = NoticeState.DROPPED
    notice.save(update_fields=["state"])
    return _finish(officer, notice, "dropped", reasons.strip(), now)


@transaction.atomic
def receive_notice(message: Received, *, now: datetime) -> None:
    """Take in a partner's notice about an item that we gave it; who may ask to be consulted finds it as a task."""
    said = parsed(NoticeMessage, message)
    known = Notice.objects.filter(reference=said.reference).exists()
    reference = new_reference(message.sender, "NTC", said.reference, known)
    refuse_empty(why=said.why, proceedings=said.proceedings, given_by=said.given_by)
    refuse_long(said.why, said.exceptional, most=2000)
    refuse_long(said.proceedings, most=500)
    refuse_long(said.given_by, most=200)
    refuse_long(said.article, most=40)
    item = given_to(message.sender, said.package, said.sha256)
    notice = Notice.objects.create(
        reference=reference,
        direction=Direction.IN,
        partner=message.sender,
        item=item,
        package_reference=said.package,
        article=said.article,
        why=said.why,
        proceedings=said.proceedings,
        exceptional=said.exceptional,
        given_by=said.given_by,
        given_at=said.given_at,
        planned_at=said.planned_at,
        disclosed_by=said.given_by if said.exceptional else "",
        disclosed_at=said.planned_at if said.exceptional else None,
        message_id=message.message_id,
        state=NoticeState.DISCLOSED if said.exceptional else NoticeState.GIVEN,
    )
    verb = "has disclosed" if said.exceptional else "will disclose"
    title = f"{message.sender} {verb} {item.reference} as exculpatory"
    add_task(
        key=f"evidence.notice:{reference}",
        title=title,
        link=link(notice),
        officers=list(who(NOTIFY, item)),
        due_at=None if said.exceptional else said.planned_at,
        now=now,
    )
    tell(item, title, link(notice), None, now)
    audit(None, "evidence.notice_received", item.reference, now=now, detail={"by": message.sender})


@transaction.atomic
def notice_undelivered(message: MessageRow, *, now: datetime) -> None:
    """Told by the exchange that a notice of ours was rejected, or ran out of time: no disclosure may rest on it."""
    notice = Notice.objects.filter(message_id=message.message_id, direction=Direction.OUT).first()
    if notice is not None:
        told = f"{notice.partner} did not take notice {notice.reference}: {message.reason or 'no receipt'}"
        to_the_team(notice.item, f"evidence.{message.state}:{message.message_id}", told, link(notice), now)


def link(notice: Notice) -> str:
    """Where the notice is shown."""
    return f"/notices/{notice.reference}/"


def _refuse_needless(item: Item) -> None:
    if item.origin == Origin.OWN:
        raise ConflictError(f"{item.reference} is our own: its disclosure needs no one's notice.")
    if item.destroyed_at is not None or (item.recall is not None and not item.hold):
        raise ConflictError(
            f"{item.reference} is destroyed, or recalled. State on the recall's page that it is kept as exculpatory."
        )


def _problems(texts: dict[str, str], planned_at: datetime | None, provider: str, now: datetime) -> list[str]:
    problems = [
        f"Shorten '{name}' to {_LONGEST[name]} characters."
        for name, text in texts.items()
        if len(text) > _LONGEST[name]
    ]
    if not texts["why"] or not texts["proceedings"]:
        problems.append("Say why it is exculpatory, and to whom it is disclosed in which proceedings.")
    if not texts["exceptional"] and (planned_at is None or planned_at <= now):
        problems.append("Say when it is disclosed: a time ahead. Or say why, exceptionally, notice was not possible.")
    if not provider and not texts["letter"]:
        problems.append("The exchange does not reach the provider: name the letter by which it was told.")
    return problems


def _ours(officer: Actor, reference: str) -> Notice:
    notice = notice_queries.readable_notice(officer, reference, lock=True)
    policy.require(officer, NOTIFY, cases.members(notice.item.case_id))
    if notice.direction != Direction.OUT:
        raise ConflictError("This is a partner's notice: it decides about the disclosure. Ask to be consulted.")
    return notice


def _finish(officer: Actor, notice: Notice, kind: str, text: str, now: datetime) -> NoticeRow:
    if notice.message_id:
        said = ConsultationMessage(notice.reference, kind, text, officer.get_full_name(), now)
        _send(notice, CONSULTATION_TYPE, said.to_bytes(), f"notice {kind}", now)
    tell(notice.item, f"{notice.reference}: {kind}", link(notice), officer, now)
    audit(officer, f"evidence.notice_{kind}", notice.item.reference, now=now, detail={"notice": notice.reference})
    return notice_queries.notice_row(notice)


def _send(notice: Notice, kind: str, payload: bytes, purpose: str, now: datetime) -> str:
    return exchange.send(
        recipient=notice.partner,
        payload_type=kind,
        payload=payload,
        case_reference=notice.item.case_id,
        purpose=f"{notice.reference}: {purpose}",
        legal_basis=notice.article,
        in_reply_to=notice.message_id,
        fields={"notice": notice.reference, "item": notice.item.sha256},
        now=now,
    ).message_id


def _message_of(notice: Notice) -> NoticeMessage:
    return NoticeMessage(
        reference=notice.reference,
        package=notice.package_reference,
        sha256=notice.item.sha256,
        article=notice.article,
        why=notice.why,
        proceedings=notice.proceedings,
        given_by=notice.given_by,
        given_at=notice.given_at,
        planned_at=notice.planned_at,
        exceptional=notice.exceptional,
    )
