"""What a partner answers to a request of ours. Hostile until every check holds.

What does not hold is refused with a reason that the sender gets signed, and nothing of it is kept. A refusal that
states no ground, or a package that does not verify, is such a case. An answer takes effect in the transaction that
stores its message; one whose package travels beside it, in the transaction that signs for the package.
"""

from datetime import datetime
from pathlib import Path

from django.db import transaction

from palermo.law.refusal import answer_problems
from palermo.node.cases import queries as case_queries
from palermo.node.evidence import actions as evidence
from palermo.node.evidence.actions.arrivals import Examined
from palermo.node.evidence.errors import PackageRefusedError
from palermo.node.exchange.files import arriving as files
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.office.actions import add_task, audit
from palermo.node.requests import cited_items, dossier
from palermo.node.requests.actions.answering import LONGEST_TEXT
from palermo.node.requests.actions.moving import tell
from palermo.node.requests.actions.receiving import LONGEST_NAME
from palermo.node.requests.actions.sending import answer_task
from palermo.node.requests.messages import AnswerMessage
from palermo.node.requests.models import Answer, Request
from palermo.node.requests.states import Direction, Outcome, State, may_move
from palermo.sealing import records
from palermo.sealing.errors import FormatError


@transaction.atomic
def receive_answer(message: Received, *, now: datetime) -> None:
    """Take in a partner's answer to our request; the evidence it brings is verified before anything is kept.

    Of one whose package travels beside it, the file is accepted: the answer waits for it.
    """
    request, said = _answered(message)
    if said.file is not None:
        files.accept(said.file, message, subject=request.reference, now=now)
        tell(request, f"{message.sender} is sending evidence for {request.reference}", officer=None, now=now)
        return
    package = ""
    if said.package:
        try:
            package = evidence.receive_package(
                case=request.case_id,
                partner=message.sender,
                request_reference=request.reference,
                data=said.package,
                ledger_index=message.ledger_index,
                now=now,
            ).reference
        except PackageRefusedError as error:
            raise RefusedError(error.sentence[:1000]) from error
    _take(request, said, message, package, now)


class PackageBeside:
    """An answer whose package travelled beside it as a file, and is here."""

    def examine(self, message: Received, file: Path, *, now: datetime) -> Examined:
        """Verify the package, and keep the originals in it."""
        request, _ = _answered(message, lock=False)
        try:
            return evidence.examine_package(file, partner=message.sender, request_reference=request.reference, now=now)
        except PackageRefusedError as error:
            raise RefusedError(error.sentence[:1000]) from error

    @transaction.atomic
    def take(self, message: Received, file: Path, examined: Examined, *, now: datetime) -> None:
        """Take in the package and the answer."""
        request, said = _answered(message)
        try:
            package = evidence.take_package(
                file,
                examined,
                case=request.case_id,
                partner=message.sender,
                request_reference=request.reference,
                ledger_index=message.ledger_index,
                now=now,
            )
        except PackageRefusedError as error:
            raise RefusedError(error.sentence[:1000]) from error
        _take(request, said, message, package.reference, now)


def _answered(message: Received, *, lock: bool = True) -> tuple[Request, AnswerMessage]:
    """The request of ours, and what is answered to it, if that is an answer which it may get now."""
    try:
        said = AnswerMessage.from_bytes(message.payload)
    except FormatError as error:
        raise RefusedError(
            f"This is not an answer as we know it ({error}). Update your node and answer again."
        ) from error
    rows = (
        Request.objects.select_for_update() if transaction.get_connection().in_atomic_block else Request.objects.all()
    )
    request = rows.filter(reference=said.reference, direction=Direction.OUT, partner=message.sender).first()
    if request is None:
        raise RefusedError(f"We never sent you a request {said.reference[:80]}. Check the reference.")
    _refuse_wrong_answer(request, said, message)
    return request, said


def _take(request: Request, said: AnswerMessage, message: Received, package: str, now: datetime) -> None:
    Answer.objects.create(
        request=request,
        number=said.number,
        outcome=said.outcome,
        ground=said.ground,
        reasons=said.reasons,
        consultation=said.consultation,
        conditions=said.conditions,
        consent=said.consent,
        package_reference=package,
        payload=message.payload,
        message_id=message.message_id,
        answered_by=said.answered_by,
        answered_at=said.answered_at,
        items=[records.to_json(item) for item in said.items],
    )
    request.state, request.changed_at = said.outcome.value, now
    request.save()
    add_task(
        key=f"{answer_task(request)}:{said.number}",
        title=f"{message.sender} answered {request.reference}: {said.outcome.value}",
        link=f"/requests/{request.reference}/",
        officers=sorted(case_queries.members(request.case_id)),
        now=now,
    )
    tell(request, f"{message.sender} answered {request.reference}: {said.outcome.value}", officer=None, now=now)
    audit(None, f"request.{said.outcome.value}", request.reference, now=now, detail={"by": message.sender})


def _refuse_wrong_answer(request: Request, said: AnswerMessage, message: Received) -> None:
    """Refuse an answer out of turn, or one that the law of refusals does not allow."""
    type_ = dossier.type_of(request)
    if not may_move(Direction.OUT, State(request.state), State(said.outcome.value)):
        raise RefusedError(f"The request is {request.state} here: it cannot be {said.outcome.value} now.")
    last = request.answers.order_by("-number").values_list("number", flat=True).first() or 0
    problems = []
    if said.number <= last or message.in_reply_to != request.message_id:
        problems.append("The answer is out of turn, or replies to another message.")
    problems += answer_problems(
        said.outcome, ground=said.ground, reasons=said.reasons, consultation=said.consultation, grounds=type_.grounds
    )
    texts = (said.reasons, said.consultation, said.conditions)
    if any(len(text) > LONGEST_TEXT for text in texts) or len(said.answered_by) > LONGEST_NAME:
        problems.append(f"A text is longer than {LONGEST_TEXT} characters.")
    if said.consent not in ("", "yes", "no") or (said.consent and not type_.intelligence):
        problems.append("Consent is yes or no, and is given with the confirmation of a hit, nowhere else.")
    wants_package = said.outcome is Outcome.EXECUTED and not type_.intelligence
    carried = [bool(said.package), said.file is not None]
    if any(carried) != wants_package or all(carried):
        problems.append("A formal request is executed with a sealed package; no other answer carries one.")
    if problems:
        raise RefusedError(" ".join(problems)[:1000])
    cited_items.refuse_unfounded(message.sender, said.items)
