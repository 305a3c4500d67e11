"""Writes of the exchange: a message sent, an envelope received, a receipt that settles a message, a letter."""

from palermo.node.exchange.actions.forgetting import forget
from palermo.node.exchange.actions.lettering import drop_letters, drop_old_letters, seal_queued, write_letter
from palermo.node.exchange.actions.parcels import receive_parcels
from palermo.node.exchange.actions.reading import UnreadableError
from palermo.node.exchange.actions.receiving import receive
from palermo.node.exchange.actions.sending import send
from palermo.node.exchange.actions.settling import acknowledge, expire, settle

__all__ = [
    "UnreadableError",
    "acknowledge",
    "drop_letters",
    "drop_old_letters",
    "expire",
    "forget",
    "receive",
    "receive_parcels",
    "seal_queued",
    "send",
    "settle",
    "write_letter",
]
