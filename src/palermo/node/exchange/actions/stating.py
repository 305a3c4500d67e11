"""Stages: each step of a message's way is stated once, signed, and kept with the message."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import handlers
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.routes import Route, Way, way_to
from palermo.node.exchange.stage_models import Statement
from palermo.node.exchange.stages import ARRIVED, MOVES, RELAY_WITHIN, RETRIEVE_WITHIN, Clock, clock
from palermo.node.exchange.states import Outbox
from palermo.node.office import actions as office
from palermo.node.office.policy import Role
from palermo.sealing.errors import BindingError
from palermo.sealing.stage import Stage, StageReceipt, sign_stage

PROTOCOL_WITH_LETTERS = 2


def state_own(row: Outgoing, stage: Stage, now: datetime, reason: str = "") -> None:
    """:func:`state_all` of one message."""
    state_all([row], stage, now, reason)


def state_all(rows: Sequence[Outgoing], stage: Stage, now: datetime, reason: str = "") -> None:
    """Sign this node's own statement on each of its own messages, and keep it; none where that stage was stated."""
    stated = set(Statement.objects.filter(message__in=rows, stage=stage).values_list("message_id", flat=True))
    own, key = directory.own_code(), own_keys.signing_key()
    kept = []
    for row in rows:
        if row.pk in stated:
            continue
        statement = StageReceipt(
            stage=stage,
            message_id=row.message_id,
            envelope_digest=row.digest,
            sender=own,
            recipient=row.recipient,
            issuer=own,
            at=now,
            reason=reason,
        )
        kept.append(_statement(row, statement, sign_stage(statement, key), now))
    Statement.objects.bulk_create(kept)


@transaction.atomic
def keep_statement(statement: StageReceipt, signed: bytes, *, now: datetime) -> bool:
    """Keep another's statement, which the caller verified, with the message of ours that it is about.

    False where it is about none, such as a letter, or where that stage was stated before. Raises ``BindingError`` for
    one that names another recipient or id than the message has.
    """
    row = Outgoing.objects.defer("envelope").select_for_update().filter(digest=statement.envelope_digest).first()
    if row is None:
        return False
    if statement.recipient != row.recipient or statement.message_id not in ("", row.message_id):
        raise BindingError("stage", "names another recipient or id than the message that it is about")
    if Statement.objects.filter(message=row, stage=statement.stage).exists():
        return False
    _statement(row, statement, signed, now).save(force_insert=True)
    if move(row, statement.stage, now):
        row.save(update_fields=["stage", "warn_at", "limit_at"])
    if statement.stage is Stage.RELAY_FAILED and row.state == Outbox.QUEUED:
        tell(
            row,
            "relay-failed",
            f"{statement.issuer} could not relay a message to {row.recipient}: {statement.reason}",
            now,
        )
    return True


def move(row: Outgoing, stage: Stage, now: datetime) -> bool:
    """Note on the row how far it has come, and start the clock of the next step; the caller saves it.

    False, and nothing is changed, for a stage that may not follow the present one: a statement may come late.
    """
    if stage not in MOVES[Stage(row.stage)]:
        return False
    if row.state == Outbox.QUEUED and stage in ARRIVED:
        return False  # opened there before its receipt came here: the receipt settles it first
    was, warned = Stage(row.stage), row.warn_at is None
    row.stage = stage
    started = _clock(row, stage, now)
    row.warn_at, row.limit_at = started if started else (None, None)
    over = ["late", "unread"] if warned else []
    over += [was.value] if was in (Stage.RELAY_FAILED, Stage.NOT_RETRIEVED) else []
    for cause in over:
        office.finish_task(f"exchange.{cause}:{row.message_id}", now=now)
    return True


def _clock(row: Outgoing, stage: Stage, now: datetime) -> Clock | None:
    """The clock that starts with a stage; None where nothing more is waited for."""
    if stage is Stage.DELIVERED and expects_retrieval(row):
        return clock(now, now + RETRIEVE_WITHIN)
    if stage in (Stage.RELAYED, Stage.RELAY_FAILED) and now < row.not_after:
        return clock(now, row.not_after)
    return None


def first_clock(way: Way, now: datetime, not_after: datetime) -> Clock:
    """The clock of a message that enters the outbox: its relay's, where it goes by one, else its own end."""
    by_relay = way.route is Route.RELAY
    return clock(now, min(now + RELAY_WITHIN, not_after) if by_relay else not_after)


def expects_retrieval(row: Outgoing) -> bool:
    """Whether the recipient will tell when an officer opened it: by letter, so from version 2 on."""
    return handlers.for_person(row.payload_type) and way_to(row.recipient).protocol >= PROTOCOL_WITH_LETTERS


def retrieved_before(row: Outgoing) -> bool:
    """Whether the word that an officer opened it came before the receipt did."""
    return Statement.objects.filter(message=row, stage=Stage.RETRIEVED).exists()


def tell(row: Outgoing, cause: str, title: str, now: datetime, due_at: datetime | None = None) -> None:
    """Put a message before a person."""
    office.add_task(
        key=f"exchange.{cause}:{row.message_id}",
        title=title,
        link=f"/messages/{row.message_id}/",
        role=Role.SUPERVISOR,
        due_at=due_at,
        now=now,
    )


def _statement(row: Outgoing, statement: StageReceipt, signed: bytes, now: datetime) -> Statement:
    return Statement(
        message=row,
        stage=statement.stage,
        issuer=statement.issuer,
        stated_at=statement.at,
        kept_at=now,
        reason=statement.reason,
        signed=signed,
    )
