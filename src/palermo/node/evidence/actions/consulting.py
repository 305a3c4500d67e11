"""Consult about a notice of disclosure (UNTOC 18(19), 18(5): "if so requested, consult"), from both sides."""

from datetime import datetime

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.evidence import notice_queries
from palermo.node.evidence.actions.notifying import NOTIFY, link
from palermo.node.evidence.messages import CONSULTATION_TYPE, ConsultationMessage
from palermo.node.evidence.models import Consultation, Notice
from palermo.node.evidence.receiving import parsed, refuse_empty, refuse_long
from palermo.node.evidence.rows import NoticeRow
from palermo.node.evidence.states import Direction, NoticeState
from palermo.node.evidence.telling import tell, to_the_team
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.exchange.rows import MessageRow
from palermo.node.ledger import actions as ledger
from palermo.node.office import policy
from palermo.node.office.actions import audit
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor

LONGEST = 5000
KINDS = ("asked", "said", "ended")


@transaction.atomic
def consult(officer: Actor, reference: str, *, kind: str, text: str, now: datetime) -> NoticeRow:
    """Ask to be consulted (the provider), say something, or end the consultation; each goes to the other side.

    The one who discloses ends it only after it has answered: being asked is not yet consulting.
    """
    ledger.hold()
    notice = notice_queries.readable_notice(officer, reference, lock=True)
    policy.require(officer, NOTIFY, cases.members(notice.item.case_id))
    if kind not in notice_queries.possible_kinds(notice):
        raise ConflictError(f"This cannot be done now ({kind or 'nothing chosen'}): the notice is {notice.state}.")
    if not text.strip() or len(text) > LONGEST:
        raise InvalidError(f"Write what the other authority has to know, in at most {LONGEST} characters.")
    said = ConsultationMessage(reference, kind, text.strip(), officer.get_full_name(), now)
    message = exchange.send(
        recipient=notice.partner,
        payload_type=CONSULTATION_TYPE,
        payload=said.to_bytes(),
        case_reference=notice.item.case_id,
        purpose=f"{reference}: consultation {kind}",
        legal_basis=notice.article,
        in_reply_to=notice.message_id,
        fields={"notice": reference, "item": notice.item.sha256},
        now=now,
    )
    _keep(notice, said, ours=True, message_id=message.message_id, now=now)
    tell(notice.item, f"{reference}: consultation {kind}", link(notice), officer, now)
    audit(officer, f"evidence.consultation_{kind}", notice.item.reference, now=now, detail={"notice": reference})
    return notice_queries.notice_row(notice)


@transaction.atomic
def receive_step(message: Received, *, now: datetime) -> None:
    """Take in a step of the other side: of the consultation, or that the disclosure took place or was given up."""
    said = parsed(ConsultationMessage, message)
    notice = Notice.objects.select_for_update().filter(reference=said.reference, partner=message.sender).first()
    if notice is None:
        raise RefusedError(f"We know of no notice {said.reference[:80]} between us. Check the reference.")
    refuse_empty(text=said.text, by=said.by)
    refuse_long(said.text, most=LONGEST)
    refuse_long(said.by, most=200)
    if said.kind in KINDS:
        if said.kind == "asked" and notice.direction != Direction.OUT:
            raise RefusedError("Who gave the item asks to be consulted; you gave the notice.")
        _keep(notice, said, ours=False, message_id=message.message_id, now=now)
    else:
        _settle(notice, said, now)
    text = f"{message.sender} about {notice.reference}: {said.kind}"
    tell(notice.item, text, link(notice), None, now)
    to_the_team(notice.item, f"evidence.consultation:{message.message_id}", text, link(notice), now)
    detail: dict[str, object] = {"by": message.sender, "notice": notice.reference}
    audit(None, f"evidence.consultation_{said.kind}", notice.item.reference, now=now, detail=detail)


@transaction.atomic
def step_undelivered(message: MessageRow, *, now: datetime) -> None:
    """Told by the exchange that a step of ours did not arrive: a person is told."""
    reference = message.purpose.partition(":")[0]
    notice = Notice.objects.filter(reference=reference, partner=message.partner).first()
    if notice is not None:
        told = f"{notice.partner} did not take what we wrote about {reference}: {message.reason or 'no receipt'}"
        to_the_team(notice.item, f"evidence.{message.state}:{message.message_id}", told, link(notice), now)


def _keep(notice: Notice, said: ConsultationMessage, *, ours: bool, message_id: str, now: datetime) -> None:
    """Keep a step; while the disclosure is still ahead, asking holds it and ending lets it go on."""
    Consultation.objects.create(
        notice=notice, ours=ours, kind=said.kind, text=said.text, by=said.by, at=now, message_id=message_id
    )
    moves = {
        ("asked", NoticeState.GIVEN): NoticeState.CONSULTING,
        ("ended", NoticeState.CONSULTING): NoticeState.GIVEN,
    }
    new = moves.get((said.kind, NoticeState(notice.state)))
    if new is not None:
        notice.state = new
        notice.save(update_fields=["state"])


def _settle(notice: Notice, said: ConsultationMessage, now: datetime) -> None:
    """The other side disclosed as notified, or gave it up."""
    if notice.direction != Direction.IN or said.kind not in ("disclosed", "dropped"):
        raise RefusedError("A step of a consultation is asked, said or ended; who gave notice discloses or drops it.")
    if notice.state in (NoticeState.DISCLOSED, NoticeState.DROPPED):
        raise RefusedError(f"The notice is {notice.state} here already.")
    notice.state = NoticeState(said.kind)
    if said.kind == "disclosed":
        notice.disclosed_by, notice.disclosed_at = said.by, now
    notice.save()
