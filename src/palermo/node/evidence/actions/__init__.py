"""Writes of evidence. Each is one transaction; the time is passed in."""

from palermo.node.evidence.actions.arrivals import receive_package
from palermo.node.evidence.actions.attesting import end_consent, record_consent
from palermo.node.evidence.actions.items import add_item, use_in_case
from palermo.node.evidence.actions.packages import seal_package

__all__ = ["add_item", "end_consent", "receive_package", "record_consent", "seal_package", "use_in_case"]
