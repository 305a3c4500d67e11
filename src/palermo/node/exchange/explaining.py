"""Why was this not delivered? What became of one message, in either direction, and what happens next.

Everything here is read from what this node holds: signed statements and receipts, the attempts, the partner's last
error. Of a case it says nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.stating import expects_retrieval
from palermo.node.exchange.models import Equivocation, Incoming, Outgoing, Peer, QueuedLetter
from palermo.node.exchange.relay_models import Poll
from palermo.node.exchange.routes import HANDED_PATIENCE, KEEP_ASKING, Route, Way, way_to
from palermo.node.exchange.stage_models import Refusal, Statement
from palermo.node.exchange.states import Inbox, Outbox
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor
from palermo.sealing.stage import Stage


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that is known. ``what``: of :class:`Stage`, or "equivocation", "forgotten". ``by``: who says so."""

    at: datetime
    what: str
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer. ``direction``: "out", "in", or "refused" for what never entered the outbox.

    ``summary``: the answer in one sentence. ``next``: what this node does by itself, at ``next_at`` or at once;
    "" for nothing. ``advice``: what a person can do. ``last_error``: of the last attempt, "" if the partner answers.
    """

    message_id: str
    direction: str
    partner: str
    stage: str
    summary: str
    events: tuple[Event, ...]
    attempts: int = 0
    last_error: str = ""
    next: str = ""
    next_at: datetime | None = None
    limit_at: datetime | None = None
    advice: tuple[str, ...] = ()


def why_for(officer: Actor, message_id: str, *, now: datetime) -> Explanation:
    """The answer for an officer who may see the post. Raises ``AccessDeniedError``, ``NotFoundError``."""
    policy.require(officer, "message.read")
    return why(message_id, now=now)


def why(message_id: str, *, now: datetime) -> Explanation:
    """The answer for whoever has the machine itself. Raises ``NotFoundError`` for an id that this node never saw."""
    ours = Outgoing.objects.defer("envelope", "receipt").filter(message_id=message_id).first()
    if ours is not None:
        return _sent(ours, now)
    theirs = (
        Incoming.objects.defer("envelope", "signed", "receipt").filter(message_id=message_id).order_by("pk").first()
    )
    if theirs is not None:
        return _received(theirs)
    refused = Refusal.objects.filter(message_id=message_id).first()
    if refused is not None:
        return _refused(refused)
    raise NotFoundError(
        f"No message {message_id} was sent, received or refused here. If a partner says that it sent it, nothing that "
        "it handed in under this id could be opened and proven: ask for the signed receipt that its node holds."
    )


# --- sent -----------------------------------------------------------------------------------


def _sent(row: Outgoing, now: datetime) -> Explanation:
    peer = Peer.objects.filter(code=row.recipient).first()
    way = way_to(row.recipient)
    open_ = row.state in (Outbox.QUEUED, Outbox.UNKNOWN)
    error = (peer.last_error if peer and open_ else "") or (_poll_error() if open_ else "")
    then, then_at = _next(row, peer, way, now)
    return Explanation(
        message_id=row.message_id,
        direction="out",
        partner=row.recipient,
        stage=row.stage,
        summary=_summary(row, error),
        events=tuple(sorted(_events(row), key=lambda event: event.at)),
        attempts=row.attempts,
        last_error=error,
        next=then,
        next_at=then_at,
        limit_at=row.limit_at,
        advice=tuple(_advice(row, way, error)),
    )


def _events(row: Outgoing) -> Iterator[Event]:
    for statement in Statement.objects.defer("signed").filter(message=row):
        yield Event(statement.stated_at, statement.stage, statement.issuer, statement.reason)
    if row.receipted_at is not None:
        arrived = Stage.DELIVERED if row.state == Outbox.ACCEPTED else Stage.NOT_DELIVERED
        yield Event(row.receipted_at, arrived, row.recipient, row.reason)


def _summary(row: Outgoing, error: str) -> str:
    partner = row.recipient
    tried = f"It was handed in {row.attempts} times" if row.attempts else "It was not handed in yet"
    match Outbox(row.state), Stage(row.stage):
        case Outbox.QUEUED, Stage.RELAYED:
            return f"It waits at the relay until {partner} collects it."
        case Outbox.QUEUED, Stage.RELAY_FAILED:
            return f"No relay could bring it to {partner} so far. {tried}, without a receipt."
        case Outbox.QUEUED, _:
            below = "; the last error is below" if error else ""
            return f"It waits here for {partner}. {tried}, without a receipt{below}."
        case Outbox.UNKNOWN, _:
            return f"Its time ran out without a receipt of {partner}: it may or may not have arrived. {tried}."
        case Outbox.REJECTED, _:
            return f"{partner} did not take it, and signed why: {row.reason}"
        case _, Stage.RETRIEVED:
            return f"It was delivered, and an officer of {partner} opened it."
        case _, Stage.NOT_RETRIEVED:
            return f"It was delivered, but no officer of {partner} opened it in time."
    return f"It was delivered: {partner} signed that it took it in."


def _next(row: Outgoing, peer: Peer | None, way: Way, now: datetime) -> tuple[str, datetime | None]:
    if row.state == Outbox.ACCEPTED:
        waits = row.stage == Stage.DELIVERED and expects_retrieval(row)
        return ("If no officer there opens it, this node states so.", row.limit_at) if waits else ("", None)
    if row.state == Outbox.REJECTED or (row.state == Outbox.UNKNOWN and now >= row.not_after + KEEP_ASKING):
        return "", None
    if way.protocol == 0:
        return "It waits until a directory lists the recipient.", None
    if way.route is Route.COURIER:
        return "It waits for a courier: nothing reaches this recipient by a line.", None
    if row.handed_at is not None and now < row.handed_at + HANDED_PATIENCE:
        return "It is handed in again if no receipt comes.", row.handed_at + HANDED_PATIENCE
    paused = peer.next_attempt_at if peer and peer.next_attempt_at and peer.next_attempt_at > now else None
    return "It is handed in again.", paused


def _advice(row: Outgoing, way: Way, error: str) -> Iterator[str]:
    state, partner = Outbox(row.state), row.recipient
    if state is Outbox.ACCEPTED:
        if row.stage == Stage.NOT_RETRIEVED:
            yield f"Call the contact point of {partner}: {_contact(partner)}."
        return
    if state is Outbox.REJECTED:
        yield "Read the signed reason, mend what it names, and send the content again as a new message."
        return
    if way.protocol == 0:
        yield f"The directory in force does not list {partner}. Import the newest: palermo directory import FILE"
    else:
        yield f"Call the contact point of {partner}: {_contact(partner)}. Ask whether its node runs and is reached."
        yield f"Or have it carried: palermo courier export FILE --to {partner}"
    if error:
        yield "Look at the last error: it is what the other end, or the line to it, said."
    if state is Outbox.UNKNOWN:
        yield "Do not assume either: ask the partner for this id before you send the content again."


def _contact(code: str) -> str:
    try:
        return directory.authority(code).contact
    except directory.UnknownAuthorityError:
        return "not listed"


def _poll_error() -> str:
    """Receipts come by this node's own relay, where it has one: what went wrong there."""
    failing = Poll.objects.exclude(last_error="").order_by("relay").first()
    return f"This node's post at the relay {failing.relay}: {failing.last_error}" if failing else ""


# --- received, and refused ------------------------------------------------------------------


def _received(row: Incoming) -> Explanation:
    own = directory.own_code()
    accepted = row.state == Inbox.ACCEPTED
    events = [Event(row.received_at, Stage.DELIVERED if accepted else Stage.NOT_DELIVERED, own, row.reason)]
    if row.opened_at:
        events.append(Event(row.opened_at, Stage.RETRIEVED, own))
    if row.forgotten_at and accepted:
        events.append(Event(row.forgotten_at, "forgotten", own))
    proofs = Equivocation.objects.filter(first=row).values_list("kept_at", flat=True)
    events += [Event(at, "equivocation", own) for at in proofs]
    answering = QueuedLetter.objects.filter(recipient=row.sender).exists()
    if accepted:
        summary = f"It was delivered: this node took it in and signed a receipt for {row.sender}."
    else:
        summary = f"This node did not take it, and signed why: {row.reason}"
    advice = (
        [] if accepted else [f"Tell {row.sender}, if it asks, what the signed reason says: a new message can mend it."]
    )
    if len(proofs):
        advice.append(f"{row.sender} signed a second message under this id or number. Ask its contact point why.")
    return Explanation(
        message_id=row.message_id,
        direction="in",
        partner=row.sender,
        stage=(Stage.RETRIEVED if row.opened_at else events[0].what),
        summary=summary,
        events=tuple(sorted(events, key=lambda event: event.at)),
        next=(
            f"{row.sender} gets the same receipt whenever it hands the message in again."
            + (" Letters to it wait here to be taken." if answering else "")
        ),
        advice=tuple(advice),
    )


def _refused(row: Refusal) -> Explanation:
    return Explanation(
        message_id=row.message_id,
        direction="refused",
        partner=row.recipient,
        stage=Stage.SUBMISSION_REJECTED,
        summary=f"It never left: this node did not take it into the outbox. {row.reason}",
        events=(Event(row.refused_at, Stage.SUBMISSION_REJECTED, directory.own_code(), row.reason),),
        advice=("Mend what the reason names, and send it again.",),
    )
