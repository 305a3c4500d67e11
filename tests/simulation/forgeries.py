"""What an attacker on the line, or a dishonest member, tries: answers and envelopes that someone else had to sign."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from palermo.sealing.receipt import Receipt, ReceiptStatus, sign_receipt
from simulation.member import Member
from simulation.network import Carried


class Forger:
    """A member that signs with its own key what another should have signed."""

    def __init__(self, members: Mapping[str, Member]) -> None:
        self._members = members

    def answer(self, post: Carried) -> bytes:
        """A receipt of acceptance for what was posted, signed by neither side but by a third member."""
        strangers = sorted(set(self._members) - {post.sender, post.recipient})
        forger = self._members[strangers[0]]
        return sign_receipt(self._receipt(post, forger.time.now), forger.signing_key)

    def _receipt(self, post: Carried, now: datetime) -> Receipt:
        digest = hashlib.sha256(post.body).hexdigest()
        sent = "SELECT message_id FROM exchange_outgoing WHERE digest = ?"
        known = self._members[post.sender].rows(sent, digest)
        return Receipt(
            envelope_digest=digest,
            message_id=known[0][0] if known else "",
            sender=post.sender,
            recipient=post.recipient,
            status=ReceiptStatus.ACCEPTED,
            received_at=now,
            ledger_index=0,
        )
