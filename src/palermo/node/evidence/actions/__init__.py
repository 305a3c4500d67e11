"""Writes of evidence. Each is one transaction; the time is passed in."""

from palermo.node.evidence.actions.arrivals import receive_package
from palermo.node.evidence.actions.items import add_item, record_consent, use_in_case
from palermo.node.evidence.actions.packages import seal_package

__all__ = ["add_item", "receive_package", "record_consent", "seal_package", "use_in_case"]
