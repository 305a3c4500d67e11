"""What goes over the wire between a member and a relay: addresses, media types and bounds."""

from palermo.node.exchange.wire import MAX_BATCH_BYTES
from palermo.sealing.batch import HEADING, MAX_ITEMS
from palermo.sealing.parcel import MAX_PARCEL_BYTES
from palermo.sealing.ticket import COLLECTION_TYPE, MAX_SIGNED_BYTES

__all__ = ["COLLECTION_TYPE", "MAX_SIGNED_BYTES"]

HAND_IN_PATH = "/exchange/v2/relay/"
"""The recipient's code follows it. The body is a batch: the ticket, then its parcels."""

COLLECT_PATH = "/exchange/v2/collections"
"""The body is a signed collection; the answer is a batch (:mod:`palermo.sealing.ticket`)."""

MAX_HAND_IN_BYTES = MAX_BATCH_BYTES + MAX_SIGNED_BYTES

MOST_BYTES = 16 * 2**20
"""How much an answer to a collection holds, but for a single parcel that is larger."""

MOST_FAILURES = 50
MAX_STATEMENT_BYTES = 32 << 10
MAX_COLLECTED_BYTES = (
    len(HEADING) + 4 * MAX_ITEMS + MAX_SIGNED_BYTES + MOST_FAILURES * MAX_STATEMENT_BYTES + MAX_PARCEL_BYTES
)
MAX_HANDED_BYTES = len(HEADING) + MAX_ITEMS * (4 + MAX_STATEMENT_BYTES)
"""The answers to what was handed in: a statement for each parcel."""
