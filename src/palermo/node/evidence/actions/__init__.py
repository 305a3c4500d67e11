"""Writes of evidence. Each is one transaction; the time is passed in."""

from palermo.node.evidence.actions.arrivals import examine_package, receive_package, take_package
from palermo.node.evidence.actions.asking import ask_use
from palermo.node.evidence.actions.attesting import end_consent, record_consent
from palermo.node.evidence.actions.consenting import propose_answer, send_answer, withdraw_consent
from palermo.node.evidence.actions.custody import (
    copied_file,
    copy_for_court,
    open_item,
    record_step,
    transfer_package,
)
from palermo.node.evidence.actions.items import add_item, use_in_case
from palermo.node.evidence.actions.packages import seal_package

__all__ = [
    "add_item",
    "ask_use",
    "copied_file",
    "copy_for_court",
    "end_consent",
    "examine_package",
    "open_item",
    "propose_answer",
    "receive_package",
    "record_consent",
    "record_step",
    "seal_package",
    "send_answer",
    "take_package",
    "transfer_package",
    "use_in_case",
    "withdraw_consent",
]
