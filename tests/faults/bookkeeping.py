"""What must hold between the databases of nodes that have finished the road, read row by row.

Each function raises ``AssertionError`` that names what does not fit. ``books``: by node.
"""

from collections import Counter
from collections.abc import Mapping

from finished import ASKER, HOLDER
from stored_rows import Books

# Rows that a second try may add in good faith: links asked for anew, sessions; and those that come with time:
# checkpoints, the padding and the tiles between them, the witnesses' cosignatures and letters.
_MAY_DIFFER = {
    "django_session",
    "office_invitation",
    "exchange_queuedletter",
    "ledger_checkpoint",
    "ledger_cosignature",
    "ledger_tile",
    "ledger_witnessed",
    "ledger_witnessedtile",
    "sqlite_sequence",
    "account_emailaddress",
    "mfa_authenticator",
}
_ONCE_ONLY_VERBS = "SELECT verb, count(*) FROM office_auditrow WHERE verb != 'officer.invited' GROUP BY verb"


def every_message_arrived_once(books: Mapping[str, Books]) -> None:
    """Every outbox row is accepted, in sequence without a gap, and has its one inbox row, as its receipt says."""
    for sender, ours in books.items():
        assert not ours.rows("SELECT * FROM exchange_equivocation"), f"{sender} holds a proof of equivocation"
        for recipient, theirs in books.items():
            sent = ours.rows("SELECT * FROM exchange_outgoing WHERE recipient = ? ORDER BY sequence", recipient)
            kept = theirs.rows("SELECT * FROM exchange_incoming WHERE sender = ? ORDER BY sequence", sender)
            between = f"from {sender} to {recipient}"
            assert [row["sequence"] for row in sent] == list(range(1, len(sent) + 1)), f"a gap {between}"
            assert [(row["message_id"], row["sequence"], row["digest"]) for row in sent] == [
                (row["message_id"], row["sequence"], row["digest"]) for row in kept
            ], f"outbox and inbox differ {between}"
            for out, into in zip(sent, kept, strict=True):
                what = f"message {out['message_id']} {between}"
                assert (out["state"], into["state"]) == ("accepted", "accepted"), f"{what} was not accepted"
                forgotten = into["envelope"] is None and into["payload_type"].startswith("palermo/matching.")
                assert forgotten or out["envelope"] == into["envelope"], f"{what}: other bytes arrived"
                assert out["receipt"] == into["receipt"], f"{what}: other receipts on the two sides"
                assert out["partner_index"] == into["ledger_index"], f"{what}: the receipt names another entry"


def every_disclosure_is_one_entry(books: Mapping[str, Books]) -> None:
    """The ledger has an entry for each message out and in, at the index that the message names, and its own acts."""
    for node, book in books.items():
        own = {"matching.published": 1} | ({"evidence.sealed": 1} if node == HOLDER else {})
        left = entries_besides_messages(node, book)
        assert left == own, f"{node} has entries that no act explains, or too many of one act: {left}"


def entries_besides_messages(node: str, book: Books) -> Counter[str]:
    """How many entries of each kind stand for no message, where each message has its one entry; padding left out."""
    kinds = dict(book.rows('SELECT "index", kind FROM ledger_entry'))
    assert sorted(kinds) == list(range(len(kinds))), f"the ledger of {node} has a gap"
    assert book.count("SELECT size FROM ledger_log") == len(kinds), f"the ledger of {node} forgot its size"
    explained: dict[int, str] = {}
    for box, prefix in (("exchange_outgoing", "sent."), ("exchange_incoming", "received.")):
        for index, payload_type in book.rows(f"SELECT ledger_index, payload_type FROM {box}"):
            assert index not in explained, f"two messages of {node} name one entry"
            explained[index] = prefix + payload_type
    assert {index: kinds[index] for index in explained} == explained, f"entries of {node} are not its messages"
    return Counter(kind for index, kind in kinds.items() if index not in explained and kind != "padding")


def no_job_is_left(books: Mapping[str, Books]) -> None:
    """Every job is done: none failed, none waits, none is held by a worker that is dead."""
    for node, book in books.items():
        left = [tuple(row) for row in book.rows("SELECT key, state, last_error FROM office_job WHERE state != 'done'")]
        assert not left, f"jobs of {node} are not done: {left}"


def one_of_each(books: Mapping[str, Books]) -> None:
    """One case, run, request of each kind, answer and package at each side, and the same ones at both."""
    asker, holder = books[ASKER], books[HOLDER]
    for book in (asker, holder):
        assert book.count("SELECT count(*) FROM cases_case") == 1, f"cases of {book.code}"
        assert book.count("SELECT count(*) FROM evidence_item") == 1, f"items of {book.code}"
        assert book.count("SELECT count(*) FROM evidence_package") == 1, f"packages of {book.code}"
    assert asker.column("SELECT run_id FROM matching_run") == holder.column("SELECT run_id FROM matching_heldrun")
    requests = "SELECT reference, type, state FROM requests_request ORDER BY reference"
    assert [tuple(row) for row in asker.rows(requests)] == [tuple(row) for row in holder.rows(requests)]
    assert sorted(asker.column("SELECT type FROM requests_request")) == ["bank_records", "hit_confirmation"]
    answers = "SELECT message_id, number, outcome, payload FROM requests_answer ORDER BY message_id"
    assert [tuple(row) for row in asker.rows(answers)] == [tuple(row) for row in holder.rows(answers)]
    outcomes = asker.column("SELECT outcome FROM requests_answer")
    assert sorted(outcomes) == ["accepted", "executed", "executed"], "accepted once, and each request executed once"
    digest = "SELECT sha256 FROM evidence_package"
    assert asker.column(digest) == holder.column(digest), "another package arrived"


def no_hit_is_doubled(books: Mapping[str, Books], pairs: int) -> None:
    """Each pair is one hit at the asker and one at the holder, judged at most once."""
    asker, holder = books[ASKER], books[HOLDER]
    assert asker.count("SELECT count(*) FROM matching_hit") == pairs
    assert asker.count("SELECT count(DISTINCT our_id || ' ' || partner_reference) FROM matching_hit") == pairs
    references = "SELECT DISTINCT partner_reference FROM matching_hit ORDER BY 1"
    assert asker.column(references) == holder.column("SELECT reference FROM matching_heldhit ORDER BY 1")
    twice = "SELECT hit_id FROM matching_judgement GROUP BY hit_id HAVING count(*) > 1"
    assert not asker.column(twice), "a hit was judged twice"


def same_as_undisturbed(books: Mapping[str, Books], undisturbed: Mapping[str, Books]) -> None:
    """As many rows in every table, and as many acts of each kind in the audit trail, as where nobody was killed."""
    for node, book in books.items():
        calm = undisturbed[node]
        assert dict(book.rows(_ONCE_ONLY_VERBS)) == dict(calm.rows(_ONCE_ONLY_VERBS)), f"acts at {node}"
        assert _sizes(book) == _sizes(calm), f"rows at {node}"


def _sizes(book: Books) -> dict[str, int]:
    tables = set(book.tables()) - _MAY_DIFFER - {"office_auditrow"}
    counts = {table: book.count(f'SELECT count(*) FROM "{table}"') for table in sorted(tables)}
    counts["ledger_entry"] -= book.count("SELECT count(*) FROM ledger_entry WHERE kind = 'padding'")
    return counts
