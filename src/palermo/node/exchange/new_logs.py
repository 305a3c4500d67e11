"""The letters about a new log: a node that lost its log tells partners how it begins; each takes it, or says why not.

Partners that are asked for what passed since are told with the same letter (:mod:`.recovery`), so that each knows the
new log before anything that cites it arrives. Whoever joins the network later is told here.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.lettering import write_letter
from palermo.node.exchange.handlers import RefusedError
from palermo.node.exchange.letters import Letter, LetterHandler, partners_who_take, read_body
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import logs
from palermo.node.office import actions as office
from palermo.node.office.policy import Role
from palermo.sealing import records, witnessing
from palermo.sealing.errors import SealingError
from palermo.sealing.new_log import NewLog


def accept_new_logs(partner: str, new_logs: Sequence[NewLog], *, now: datetime) -> bool:
    """Take a partner's new logs, in order; whether all are in use here now. A refusal is told to the partner.

    Raises ``RefusedError`` for what does not verify.
    """
    for new in new_logs:
        try:
            reason = ledger.accept_new_log(partner, new, now=now)
        except (SealingError, directory.DirectoryError) as error:
            raise RefusedError(f"The new log cannot be taken: {error}") from error
        if reason:
            body = records.to_bytes(witnessing.NewLogAnswer(reason))
            write_letter(recipient=partner, kind=witnessing.NEW_LOG_REFUSED, body=body, key="", now=now)
            return False
    return True


@transaction.atomic
def tell(now: datetime) -> int:
    """Tell partners that were not told yet how this node's log begins; how many letters went out."""
    log = logs.own()
    told = logs.told(log)
    if told is None:
        return 0
    untold = [code for code in partners_who_take() if code not in told]
    body = records.to_bytes(witnessing.NewLogs(logs.beginnings(log))) if untold else b""
    for code in untold:
        write_letter(recipient=code, kind=witnessing.NEW_LOGS, body=body, key="", now=now)
    if untold:
        ledger.tell(untold, number=log.number)
    return len(untold)


def take_new_logs(letter: Letter, *, now: datetime) -> None:
    """A partner tells how its log begins."""
    accept_new_logs(letter.sender, read_body(witnessing.NewLogs, letter).new_logs, now=now)


def take_refusal(letter: Letter, *, now: datetime) -> None:
    """A partner does not take this node's new log: an auditor learns why."""
    reason = read_body(witnessing.NewLogAnswer, letter).reason[:500].replace("\0", "")
    office.add_task(
        key=f"ledger.new-log-refused:{letter.sender}",
        title=f"{letter.sender} does not take this node's new log: {reason}",
        link=f"/partners/{letter.sender}/",
        role=Role.AUDITOR,
        now=now,
    )


LETTER_HANDLERS: Mapping[str, LetterHandler] = {
    witnessing.NEW_LOGS: take_new_logs,
    witnessing.NEW_LOG_REFUSED: take_refusal,
}
PERIODIC: Mapping[str, Callable[[datetime], object]] = {"ledger.tell_new_log": tell}
