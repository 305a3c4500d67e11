"""What may never happen, each by its name: held after every step, and some more when the world has come to rest.

Each is a function of what everybody knows (:class:`Seen`) that yields a sentence for every case it finds. In words:
``docs/explanation/what-may-never-happen.md``.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from palermo.node.directory import checking as directory
from palermo.node.exchange import queries as exchange
from palermo.node.ledger import queries as ledger
from simulation.books import roots
from simulation.looking import ForbiddenError, Seen, always, at_rest
from simulation.notes import NOTE, REFUSED

__all__ = ["ForbiddenError", "Seen"]


# --- after every step ---------------------------------------------------------------------------


@always
def delivered_to_a_stranger(seen: Seen) -> Iterator[str]:
    """Only the authority that an app named may hold a message or act on it."""
    for code, books in seen.books.items():
        held = {key for key, row in books.inbox.items() if row["payload_type"] == NOTE}
        for sender, message in {(effect.sender, effect.message_id) for effect in books.effects} | held:
            asked = seen.world.asked.get((sender, message))
            if asked is None or asked.recipient != code:
                yield f"{code} holds {message} from {sender}, which nobody sent it"


@always
def effect_twice(seen: Seen) -> Iterator[str]:
    """Whatever the line and the disk did, a message takes effect once at most."""
    for code, books in seen.books.items():
        counted = Counter((effect.sender, effect.message_id) for effect in books.effects)
        yield from (f"{code}: {key} took effect {times} times" for key, times in counted.items() if times > 1)


@always
def effect_of_other_content(seen: Seen) -> Iterator[str]:
    """What took effect is, byte for byte, what its sender signed."""
    for code, books in seen.books.items():
        for effect in books.effects:
            key = (effect.sender, effect.message_id)
            signed = {hashlib.sha256(seen.world.asked[key].payload).hexdigest()}
            if effect.payload not in signed | seen.world.notes.signed_besides.get(key, set()):
                yield f"{code}: {effect.message_id} had another payload"


@always
def effect_out_of_time(seen: Seen) -> Iterator[str]:
    """By its own clock, a recipient acts on nothing that has ended, nor on what was made more than 5 minutes ahead."""
    for code, books in seen.books.items():
        for (sender, name), row in books.inbox.items():
            at, made, end = (datetime.fromisoformat(row[when]) for when in ("received_at", "created_at", "not_after"))
            if row["state"] == "accepted" and not made - timedelta(minutes=5) <= at < end:
                yield f"{code} accepted {name} of {sender} at {at}, which was made at {made} and ended at {end}"


@always
def effect_without_entry(seen: Seen) -> Iterator[str]:
    """What took effect stands in the recipient's ledger, at the index that the effect was told."""
    for code, books in seen.books.items():
        for effect in books.effects:
            entry = books.entries[effect.ledger_index] if effect.ledger_index < len(books.entries) else None
            expected = (f"received.{NOTE}", effect.sender, effect.message_id)
            if entry is None or (entry.kind, entry.counterparty, entry.message) != expected:
                yield f"{code}: entry {effect.ledger_index} is not that of {effect.message_id}"


@always
def entry_without_effect(seen: Seen) -> Iterator[str]:
    """An entry says that a message was received: then it took effect; that one was sent: then it lies in the outbox."""
    for code, books in seen.books.items():
        effects = {(effect.sender, effect.message_id) for effect in books.effects}
        for entry in books.entries:
            if entry.kind == f"received.{NOTE}" and (entry.counterparty, entry.message) not in effects:
                yield f"{code}: entry {entry.index} tells of {entry.message}, which had no effect"
            if entry.kind == f"sent.{NOTE}" and entry.message not in books.outbox:
                yield f"{code}: entry {entry.index} tells of {entry.message}, which is not in the outbox"


@always
def two_entries_for_one_effect(seen: Seen) -> Iterator[str]:
    """A message is entered once by its sender and once by its recipient."""
    for code, books in seen.books.items():
        notes = (entry for entry in books.entries if entry.kind.endswith(f".{NOTE}") and "equivoc" not in entry.kind)
        counted = Counter((entry.kind, entry.counterparty, entry.message) for entry in notes)
        yield from (f"{code}: {key} is entered {times} times" for key, times in counted.items() if times > 1)


@always
def message_without_entry(seen: Seen) -> Iterator[str]:
    """What lies in a box stands in the ledger at the index that its row names."""
    for code, books in seen.books.items():
        for row in [*books.outbox.values(), *books.inbox.values()]:
            entry = books.entries[row["ledger_index"]] if row["ledger_index"] < len(books.entries) else None
            if entry is None or (entry.message, entry.envelope) != (row["message_id"], row["digest"]):
                yield f"{code}: entry {row['ledger_index']} is not that of {row['message_id']}"


@always
def effect_without_receipt(seen: Seen) -> Iterator[str]:
    """Effect and receipt of acceptance are there together, or neither is."""
    for code, books in seen.books.items():
        effects = {(effect.sender, effect.message_id) for effect in books.effects}
        accepted = {
            key for key, row in books.inbox.items() if row["state"] == "accepted" and row["payload_type"] == NOTE
        }
        yield from (f"{code}: {key} took effect and has no receipt of it" for key in effects - accepted)
        yield from (f"{code}: {key} was accepted and had no effect" for key in accepted - effects)


@always
def receipt_without_effect(seen: Seen) -> Iterator[str]:
    """A receipt of acceptance that left its signer, even if it was lost on the way, tells of an effect that stands."""
    for digest, receipt in seen.told.items():
        if receipt.recipient not in seen.books:
            continue
        kept = seen.books[receipt.recipient].inbox.get((receipt.sender, receipt.message_id))
        if receipt.status == "accepted" and (kept is None or kept["digest"] != digest):
            yield f"{receipt.recipient} gave a receipt of {receipt.message_id}, of which it knows nothing"


@always
def message_half_sent(seen: Seen) -> Iterator[str]:
    """An app's own row and its message commit together; and once its transaction returned, both are there."""
    for code, books in seen.books.items():
        asked = set(books.asked)
        notes = {name for name, row in books.outbox.items() if row["payload_type"] == NOTE}
        sent = {name for name in notes if not seen.world.asked[code, name].is_answer}
        yield from (f"{code}: {name} has one of row and message" for name in asked ^ sent)
        returned = {name for sender, name in seen.world.notes.returned if sender == code}
        yield from (f"{code}: {name} was acknowledged to its app and is gone" for name in returned - sent)


@always
def message_or_receipt_lost(seen: Seen) -> Iterator[str]:
    """What a box held, it holds; a receipt is never replaced; a ledger only grows."""
    for books in seen.books.values():
        yield from books.shrank


@always
def delivered_without_proof(seen: Seen) -> Iterator[str]:
    """A sender calls a message accepted or rejected only on a receipt that its recipient signed for that message."""
    for code, books in seen.books.items():
        for name, row in books.outbox.items():
            if row["receipt"] is None:
                if row["state"] in ("accepted", "rejected"):
                    yield f"{code}: {name} is {row['state']} without a receipt"
                continue
            receipt = seen.verified(row["recipient"], bytes(row["receipt"]))
            if receipt is None:
                yield f"{code}: {name} is settled by what {row['recipient']} never signed"
            elif (receipt.envelope_digest, receipt.status) != (row["digest"], row["state"]):
                yield f"{code}: {name} is settled by the receipt of another message, or says another thing"


@always
def sender_and_recipient_disagree(seen: Seen) -> Iterator[str]:
    """Accepted at the sender: it took effect at the recipient. Rejected: it did not, and never will."""
    for code, books in seen.books.items():
        for name, row in books.outbox.items():
            kept = seen.books[row["recipient"]].inbox.get((code, name))
            if row["state"] == "accepted" and (kept is None or kept["receipt"] != row["receipt"]):
                yield f"{code} holds {name} accepted, {row['recipient']} does not know it"
            acted = kept is not None and (kept["state"], kept["digest"]) == ("accepted", row["digest"])
            if row["state"] == "rejected" and acted:
                yield f"{code} holds {name} rejected, {row['recipient']} acted on it"


@always
def numbers_with_a_gap(seen: Seen) -> Iterator[str]:
    """Messages to a partner are numbered 1, 2, 3 …: a number that is missing would look like a lost message."""
    for code, books in seen.books.items():
        numbers: dict[str, list[int]] = {}
        for row in books.outbox.values():
            numbers.setdefault(row["recipient"], []).append(row["sequence"])
        for partner, used in numbers.items():
            if sorted(used) != list(range(1, len(used) + 1)):
                yield f"{code} to {partner}: {sorted(used)}"


@always
def two_histories(seen: Seen) -> Iterator[str]:
    """Every checkpoint of a node, signed or seen by anyone, is the root of what its ledger holds now."""
    for code, books in seen.books.items():
        if books.second_histories:
            yield f"{code} has proof of a second history"
        said = set(books.checkpoints.items())
        for other in seen.books.values():
            said |= {(size, root) for partner, size, root in other.witnessed if partner == code}
        true = roots(books.leaves, {size for size, _ in said})
        for size, root in sorted(said):
            if true.get(size) != root:
                yield f"{code} signed for {size} entries what its ledger of {len(books.leaves)} does not hold"


# --- at rest --------------------------------------------------------------------------------------


@at_rest
def message_not_settled(seen: Seen) -> Iterator[str]:
    """With every line healed and time enough, each message has its recipient's receipt."""
    for code, books in seen.books.items():
        for name, row in books.outbox.items():
            if row["receipt"] is None:
                yield f"{code}: {name} to {row['recipient']} is still {row['state']}"


@at_rest
def wrong_outcome(seen: Seen) -> Iterator[str]:
    """A message that nothing speaks against is accepted; one that its app refuses is not."""
    for code, books in seen.books.items():
        for name, row in books.outbox.items():
            asked = seen.world.asked.get((code, name))
            if asked is not None and asked.kind == REFUSED and row["state"] == "accepted":
                yield f"{code}: {name} was to be refused, and was accepted"


@at_rest
def damage_found(seen: Seen) -> Iterator[str]:
    """Each node's own check of ledger, boxes and directory finds everything whole."""
    for code, member in seen.world.members.items():
        with member.acting():
            for check in (ledger.check, exchange.check, directory.check):
                yield from (f"{code}: {fault}" for fault in check())
