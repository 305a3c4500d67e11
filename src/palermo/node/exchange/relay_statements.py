"""A relay's signed word on a parcel of ours: that it holds it, or that its recipient did not collect it in time."""

from datetime import datetime

from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.stating import keep_statement
from palermo.sealing.errors import BindingError
from palermo.sealing.stage import Stage, StageReceipt, verify_stage

_SAYS = frozenset({Stage.RELAYED, Stage.RELAY_FAILED})


def keep(relay: str, data: bytes, *, now: datetime) -> StageReceipt:
    """Verify a relay's statement and keep it with the message of ours that it is about, if it is about one.

    A letter has no stages: a statement on one is verified, and forgotten. Raises ``SealingError`` for bytes that are
    not this relay's word on a parcel of ours.
    """
    statement = verify_stage(data, directory.verify_keys(relay, now))
    if statement.issuer != relay or statement.stage not in _SAYS:
        raise BindingError("statement of the relay", f"is not what the relay {relay} can say")
    if statement.sender != directory.own_code():
        raise BindingError("statement of the relay", "is on a parcel of another sender")
    keep_statement(statement, data, now=now)
    return statement
