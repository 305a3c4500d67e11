"""Writes of evidence. Each is one transaction; the time is passed in."""

from palermo.node.evidence.actions.arrivals import examine_package, receive_package, take_package
from palermo.node.evidence.actions.asking import ask_use
from palermo.node.evidence.actions.attesting import end_consent, record_consent
from palermo.node.evidence.actions.consenting import propose_answer, send_answer, withdraw_consent
from palermo.node.evidence.actions.consulting import consult
from palermo.node.evidence.actions.custody import (
    copied_file,
    copy_for_court,
    open_item,
    record_step,
    transfer_package,
)
from palermo.node.evidence.actions.exporting import disclosed_file, export_item
from palermo.node.evidence.actions.items import add_item, use_in_case
from palermo.node.evidence.actions.notifying import disclose, drop_notice, give_notice
from palermo.node.evidence.actions.packages import seal_package
from palermo.node.evidence.actions.recalling import recall_item
from palermo.node.evidence.actions.retaining import hold, set_retention
from palermo.node.evidence.actions.returning import delete_recalled, keep_recalled

__all__ = [
    "add_item",
    "ask_use",
    "consult",
    "copied_file",
    "copy_for_court",
    "delete_recalled",
    "disclose",
    "disclosed_file",
    "drop_notice",
    "end_consent",
    "examine_package",
    "export_item",
    "give_notice",
    "hold",
    "keep_recalled",
    "open_item",
    "propose_answer",
    "recall_item",
    "receive_package",
    "record_consent",
    "record_step",
    "seal_package",
    "send_answer",
    "set_retention",
    "take_package",
    "transfer_package",
    "use_in_case",
    "withdraw_consent",
]
