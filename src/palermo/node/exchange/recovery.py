"""A restored node and its partners: what passed between them since the back-up comes back, and nothing happens twice.

The restored node asks its witnesses for its log, and each partner for what it lacks. Until the log is recovered it
appends nothing; until a partner has answered it sends that one nothing new, since it does not know the next number.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from palermo.node import restored
from palermo.node.directory import actions as directory_actions
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.keeping import stored_receipts
from palermo.node.exchange.actions.lettering import write_letter
from palermo.node.exchange.actions.reading import Arrival, Reader, UnprovenError, UnreadableError
from palermo.node.exchange.actions.receiving import take_in
from palermo.node.exchange.actions.sending import reinstate
from palermo.node.exchange.actions.settling import settle
from palermo.node.exchange.handlers import NotYetError, RefusedError
from palermo.node.exchange.letters import Letter, LetterHandler, partners_who_take, read_body
from palermo.node.exchange.models import Incoming, Outgoing, Peer
from palermo.node.exchange.new_logs import accept_new_logs
from palermo.node.exchange.states import Outbox
from palermo.node.exchange.witnessing import ask_for_tiles
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import logs
from palermo.node.ledger.cosigned import own_witnesses
from palermo.node.office import actions as office
from palermo.node.office.policy import Role
from palermo.sealing import records, recovery
from palermo.sealing.envelope import envelope_digest, verify_message
from palermo.sealing.errors import SealingError
from palermo.sealing.letter import MAX_BODY_BYTES
from palermo.sealing.new_log import NewLog, Opening
from palermo.sealing.receipt import ReceiptStatus, verify_receipt


def turn(now: datetime) -> int:
    """Go on with the recovery of a restored node; 1 for a step done, 0 when there is nothing to do, or to wait."""
    mark = restored.read()
    if mark is None or directory.directory_version() == 0:
        return 0
    if mark.waiting is None:
        restored.note_asked(ask_all(now, _key_since(mark.backed_up_at, now)))
        return 1
    if mark.log_recovered:
        return 0
    lost = ledger.recover(now=now)
    if lost is None:
        return 0
    restored.note_log_recovered()
    office.audit(None, "node.recovered", f"{lost} entries", now=now)
    return 1


def open_new_log(statement: bytes, *, now: datetime) -> Opening:
    """Begin the log anew with an opening that the recovery key signed, and go on with the recovery.

    Partners are told, and asked what passed since, before anything else is sent to them. After a stop in between the
    same opening once more brings it to its end. Raises as ``ledger.actions.open_new_log``.
    """
    opening = ledger.open_new_log(statement, now=now)
    if restored.log_is_behind():
        restored.note_new_log()
    return opening


def _key_since(backed_up_at: datetime, now: datetime) -> bytes:
    """The statement of a recipient key that is no older than the back-up, made now where there is none.

    Partners may seal to one that was made after the back-up, which is lost: nothing that they answer could be opened.
    """
    newest, signed = max(own_keys.statements(), key=lambda statement: statement[0].not_before)
    return signed if newest.not_before >= backed_up_at else own_keys.create_recipient_key(now)


@transaction.atomic
def ask_all(now: datetime, key: bytes) -> tuple[str, ...]:
    """Ask every witness for this node's log, and every partner for what passed since; the partners that were asked.

    ``key``: the statement of the recipient key to which they seal their answers.
    """
    ledger.forget_returned()
    partners = partners_who_take()
    log = logs.own()
    beginnings = logs.beginnings(log)
    for code in partners:
        write_letter(recipient=code, kind=recovery.RECIPIENT_KEY, body=key, key="", now=now)
    for witness in own_witnesses():
        ask_for_tiles(witness, 0, now=now)
    for code in partners:
        body = records.to_bytes(_standing_request(code, beginnings))
        write_letter(recipient=code, kind=recovery.WANT_STANDING, body=body, key="", now=now)
    if beginnings:
        ledger.tell(partners, number=log.number)
    return tuple(partners)


def _standing_request(code: str, beginnings: tuple[NewLog, ...]) -> recovery.StandingRequest:
    held = set(Incoming.objects.filter(sender=code).values_list("sequence", flat=True))
    received = max(held, default=0)
    missing = sorted(set(range(1, received)) - held, reverse=True)[: recovery.MOST_MISSING]
    sent = Outgoing.objects.filter(recipient=code).aggregate(last=Max("sequence"))["last"] or 0
    return recovery.StandingRequest(received, tuple(sorted(missing)), sent, beginnings)


def take_key(letter: Letter, *, now: datetime) -> None:
    """A restored partner states a new recipient key, since the one that was sealed to may be lost."""
    directory_actions.take_recipient_key(letter.sender, letter.body, now=now)


def give_standing(letter: Letter, *, now: datetime) -> None:
    """A restored partner asks: hand back what it lacks, then say which number it may use next."""
    asked, partner = read_body(recovery.StandingRequest, letter), letter.sender
    if not accept_new_logs(partner, asked.new_logs, now=now):
        return
    ours = Outgoing.objects.filter(recipient=partner, state=Outbox.ACCEPTED)
    for row in (*ours.filter(sequence__gt=asked.received), *ours.filter(sequence__in=asked.missing)):
        again = recovery.Again(bytes(row.envelope), bytes(row.receipt or b""))
        _hand_back(partner, recovery.AGAIN, again, row.message_id, now)
    theirs = Incoming.objects.filter(sender=partner)
    for got in theirs.filter(sequence__gt=asked.sent, envelope__isnull=False).order_by("sequence"):
        sent = recovery.Sent(bytes(got.envelope or b""), bytes(got.signed or b""), bytes(got.receipt))
        _hand_back(partner, recovery.SENT, sent, got.message_id, now)
    last = theirs.aggregate(last=Max("sequence"))["last"] or 0
    write_letter(
        recipient=partner,
        kind=recovery.STANDING,
        body=records.to_bytes(recovery.Standing(last)),
        key="",
        in_reply_to=letter.letter_id,
        now=now,
    )


def _hand_back(partner: str, kind: str, content: object, message_id: str, now: datetime) -> None:
    body = records.to_bytes(content)
    if len(body) <= MAX_BODY_BYTES:
        write_letter(recipient=partner, kind=kind, body=body, key=message_id, now=now)
        return
    office.add_task(
        key=f"exchange.too-large-to-return:{message_id}",
        title=f"{partner} was restored and lacks the message {message_id}. It is too large to hand back: send it anew.",
        link=f"/messages/{message_id}/",
        role=Role.SUPERVISOR,
        now=now,
    )


def take_again(letter: Letter, *, now: datetime) -> None:
    """A message that this node once accepted and then lost: it has its effect now, once.

    Where the key that opens it is lost too, the letter is taken all the same, and a person is told to ask for another.
    """
    _wait_for_the_log()
    again = read_body(recovery.Again, letter)
    given = verify_receipt(again.receipt, own_keys.own_public_keys())
    digest = envelope_digest(again.envelope)
    if given.envelope_digest != digest or given.status is not ReceiptStatus.ACCEPTED:
        raise RefusedError("The receipt is none by which this node accepted that message.")
    if stored_receipts([digest]):
        return
    try:
        found = Reader(given.received_at).read(again.envelope)
    except (UnprovenError, UnreadableError):
        _tell_unreadable(letter.sender, given.message_id, now)
        return
    if not isinstance(found, Arrival) or found.header.sender != letter.sender:
        raise RefusedError("This is no message of yours.")
    take_in(found, now, accepted_at=given.received_at)


def _tell_unreadable(sender: str, message_id: str, now: datetime) -> None:
    office.add_task(
        key=f"exchange.unreadable-again:{message_id}",
        title=f"{sender} handed back the message {message_id}, which was lost here, but so is the key that opens it: "
        "ask them to send it anew.",
        link=f"/partners/{sender}/",
        role=Role.SUPERVISOR,
        now=now,
    )


def take_sent(letter: Letter, *, now: datetime) -> None:
    """A message that this node once sent and then lost: it stands in the outbox again, with its receipt."""
    _wait_for_the_log()
    sent = read_body(recovery.Sent, letter)
    message = verify_message(sent.signed, own_keys.own_public_keys().values())
    header, digest = message.header, envelope_digest(sent.envelope)
    if (header.sender, header.recipient) != (directory.own_code(), letter.sender):
        raise RefusedError("This is no message of ours to you.")
    receipt = verify_receipt(sent.receipt, {key.key_id: key for key in directory.verify_keys(letter.sender)})
    receipt.check_answers(header, digest)
    if Outgoing.objects.filter(message_id=header.message_id).exists():
        return
    if Outgoing.objects.filter(recipient=header.recipient, sequence=header.sequence).exists():
        return
    settle(reinstate(header, sent.envelope, message.payload, now=now), sent.receipt, now=now)


def take_standing(letter: Letter, *, now: datetime) -> None:
    """A partner says which numbers it has seen. Only a restored node asked; a number that leaps far is not believed."""
    standing = read_body(recovery.Standing, letter)
    if not restored.waits_for(letter.sender):
        return
    peer = Peer.objects.select_for_update().get_or_create(code=letter.sender)[0]
    if peer.next_sequence <= standing.last:
        peer.next_sequence = standing.last + 1
        peer.save(update_fields=["next_sequence"])
    transaction.on_commit(lambda: restored.note_answered(letter.sender))


def _wait_for_the_log() -> None:
    if restored.log_is_behind():
        raise NotYetError("this node was restored, and its log is not recovered yet")


def _refusing(handler: LetterHandler) -> LetterHandler:
    """What does not verify is refused for good, with the reason."""

    def handle(letter: Letter, *, now: datetime) -> None:
        try:
            handler(letter, now=now)
        except SealingError as error:
            raise RefusedError(f"It cannot be taken: {error}") from error

    return handle


LETTER_HANDLERS: Mapping[str, LetterHandler] = {
    kind: _refusing(handler)
    for kind, handler in {
        recovery.RECIPIENT_KEY: take_key,
        recovery.WANT_STANDING: give_standing,
        recovery.STANDING: take_standing,
        recovery.AGAIN: take_again,
        recovery.SENT: take_sent,
    }.items()
}
