"""The letters between logs and their witnesses: cosignatures asked for and given, tiles given back, histories proven.

The rules and rows are the ledger's; this is the traffic. Every letter may come twice, late or after a newer one: an
answer says of itself what it is about, and the ledger takes what still helps.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from palermo.node import restored
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.lettering import write_letter
from palermo.node.exchange.handlers import RefusedError
from palermo.node.exchange.letters import Letter, LetterHandler, takes
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import kept
from palermo.node.ledger import queries as ledger_queries
from palermo.sealing import records, witnessing
from palermo.sealing.errors import SealingError

PATIENCE = timedelta(days=2)
"""How long a log has time to prove that it shows one history, before a person is told that it did not."""


def turn(now: datetime) -> int:
    """Close the interval of the log when it has ended, and have the checkpoint cosigned; how many letters went out."""
    if restored.log_is_behind() or directory.directory_version() == 0 or ledger.close_interval(now=now) is None:
        return 0
    return ask(now)


def ask(now: datetime) -> int:
    """Ask witnesses for cosignatures, and partners for proofs, as far as they are missing and not asked for lately."""
    written = sum(_ask(row.code, now) for row in ledger_queries.witness_rows())
    return written + _ask_for_proofs(now)


def ask_for_tiles(witness: str, start: int, *, now: datetime) -> None:
    """Ask a witness to give back what it keeps of this node's log, from that leaf on (``ledger.kept.returned``)."""
    body = records.to_bytes(witnessing.TilesRequest(start))
    write_letter(recipient=witness, kind=witnessing.WANT_TILES, body=body, key="", now=now)


def _ask(witness: str, now: datetime) -> bool:
    if not takes(witness) or restored.waits_for(witness):
        return False  # who was not yet told of a new log takes it for a second history
    request = ledger.next_request(witness, now=now)
    if request is None:
        return False
    write_letter(recipient=witness, kind=witnessing.COSIGN, body=records.to_bytes(request), key="", now=now)
    return True


def _ask_for_proofs(now: datetime) -> int:
    for overdue in kept.overdue_proofs(now - PATIENCE):
        ledger.name_unproven(overdue.key, now=now)
    wanted = [proof for proof in kept.wanted_proofs(now) if takes(proof.partner)]
    for proof in wanted:
        body = records.to_bytes(witnessing.ProofRequest(proof.old, proof.new))
        write_letter(
            recipient=proof.partner, kind=witnessing.WANT_PROOF, body=body, key=f"{proof.old}-{proof.new}", now=now
        )
    ledger.asked_for_proof([proof.key for proof in wanted], now=now)
    return len(wanted)


def give_cosignature(letter: Letter, *, now: datetime) -> None:
    """A partner asks for a cosignature: give it, or say what is held and why not."""
    own_keys.ensure(now)  # a node that was made before witnesses were has no key for it yet
    request = witnessing.read(witnessing.CosignRequest, letter.body)
    _answer(letter, witnessing.COSIGNED, ledger.cosign(letter.sender, request, now=now), now)


def take_cosignature(letter: Letter, *, now: datetime) -> None:
    """A witness answers; where it lacks more of the log, it is asked again at once."""
    ledger.take_answer(letter.sender, witnessing.read(witnessing.CosignAnswer, letter.body), now=now)
    _ask(letter.sender, now)


def give_tiles(letter: Letter, *, now: datetime) -> None:
    """A partner that lost its log asks for what is kept of it here."""
    request = witnessing.read(witnessing.TilesRequest, letter.body)
    _answer(letter, witnessing.TILES, kept.tiles_for(letter.sender, request.start), now)


def take_tiles(letter: Letter, *, now: datetime) -> None:
    """A witness gives back what it keeps of this node's log; the rest is asked for until all is here."""
    answer = witnessing.read(witnessing.TilesAnswer, letter.body)
    ledger.keep_returned(letter.sender, answer, now=now)
    if len(witnessing.split(answer.hashes)) == witnessing.MAX_LEAVES:
        ask_for_tiles(letter.sender, answer.start + witnessing.MAX_LEAVES, now=now)


def give_proof(letter: Letter, *, now: datetime) -> None:
    """A partner asks for the proof that two checkpoints of this node's log are of one history."""
    request = witnessing.read(witnessing.ProofRequest, letter.body)
    _answer(letter, witnessing.PROOF, kept.proof_for(request.old, request.new), now, key=f"{request.old}-{request.new}")


def take_proof(letter: Letter, *, now: datetime) -> None:
    """A partner proves that its log shows one history."""
    ledger.take_proof(letter.sender, witnessing.read(witnessing.ProofAnswer, letter.body), now=now)


def _answer(letter: Letter, kind: str, answer: object, now: datetime, key: str = "") -> None:
    body = records.to_bytes(answer)
    write_letter(recipient=letter.sender, kind=kind, body=body, key=key, in_reply_to=letter.letter_id, now=now)


def _refusing(handler: LetterHandler) -> LetterHandler:
    """What does not verify is refused for good, with the reason."""

    def handle(letter: Letter, *, now: datetime) -> None:
        try:
            handler(letter, now=now)
        except (SealingError, directory.DirectoryError) as error:
            raise RefusedError(f"It cannot be taken: {error}") from error

    return handle


LETTER_HANDLERS: Mapping[str, LetterHandler] = {
    kind: _refusing(handler)
    for kind, handler in {
        witnessing.COSIGN: give_cosignature,
        witnessing.COSIGNED: take_cosignature,
        witnessing.WANT_TILES: give_tiles,
        witnessing.TILES: take_tiles,
        witnessing.WANT_PROOF: give_proof,
        witnessing.PROOF: take_proof,
    }.items()
}
PERIODIC: Mapping[str, Callable[[datetime], object]] = {
    "ledger.ask": ask,
    "ledger.destroy_due": ledger.destroy_due,
}
