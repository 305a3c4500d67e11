"""What goes over the wire between two nodes: media types, address, and bounds."""

from datetime import timedelta

from palermo.sealing.batch import HEADING, MAX_ITEMS
from palermo.sealing.envelope import MAX_ENVELOPE_BYTES

__all__ = ["MAX_ENVELOPE_BYTES"]

ENVELOPE_TYPE = "application/vnd.palermo.envelope"
RECEIPT_TYPE = "application/vnd.palermo.receipt"
PATH = "/exchange/v1/envelopes"
MAX_RECEIPT_BYTES = 64 * 2**10

# From version 2 on: several parcels in, as many answers out (palermo.sealing.batch).
BATCH_TYPE = "application/vnd.palermo.batch"
PARCELS_PATH = "/exchange/v2/parcels"
MAX_BATCH_BYTES = MAX_ENVELOPE_BYTES + len(HEADING) + 4 * MAX_ITEMS
MOST_PARCELS = 128
TAKEN = b""
"""A letter was taken."""
NOT_YET = b"!"
"""Nothing was kept of this parcel; the sentence after this byte says why. Try again."""
NEVER = b"?"
"""This letter will not be taken; the sentence after this byte says why. Do not try again."""

NOT_STORED = (
    "This node cannot store anything now: its disk is full, or its database does not answer. Nothing was kept. "
    "Try again later."
)
"""What a partner is told whose post was undone; the log of this node says more."""

# Large files beside the messages (palermo.node.exchange.files): posted to FILES_PATH/ID, an empty body asks how far it
# is; to FILES_PATH/ID/NUMBER, a piece.
FILES_PATH = "/exchange/v2/files/"
PIECE_TYPE = "application/vnd.palermo.file-piece"

CLOCK_SKEW = timedelta(minutes=5)
DEFAULT_LIFE = timedelta(days=7)
LONGEST_LIFE = timedelta(days=31)

# How long a header's texts may be, in characters: what the boxes' columns hold.
LONGEST_TEXTS = {"case_reference": 200, "purpose": 1000, "in_reply_to": 64}


def unstorable(**texts: str) -> str:
    """Why one of a header's texts cannot be kept, as a sentence for its writer; "" if all can."""
    for name, text in texts.items():
        if len(text) > LONGEST_TEXTS[name]:
            return f"The header's {name} has {len(text)} characters; it may have {LONGEST_TEXTS[name]}."
        if any(character < " " and character not in "\t\n\r" for character in text):
            return f"The header's {name} holds a control character. Leave it out."
    return ""
