"""Writes of the exchange: a message sent, an envelope received, a receipt that settles a message, a letter."""

from palermo.node.exchange.actions.forgetting import erase, forget
from palermo.node.exchange.actions.lettering import drop_letters, drop_old_letters, seal_queued, write_letter
from palermo.node.exchange.actions.opening import opened
from palermo.node.exchange.actions.parcels import receive_parcels
from palermo.node.exchange.actions.queuing import Draft
from palermo.node.exchange.actions.reading import UnreadableError
from palermo.node.exchange.actions.receiving import receive
from palermo.node.exchange.actions.sending import send, send_all
from palermo.node.exchange.actions.settling import acknowledge, settle
from palermo.node.exchange.actions.stating import keep_statement
from palermo.node.exchange.actions.watching import expire, warn

__all__ = [
    "Draft",
    "UnreadableError",
    "acknowledge",
    "drop_letters",
    "drop_old_letters",
    "erase",
    "expire",
    "forget",
    "keep_statement",
    "opened",
    "receive",
    "receive_parcels",
    "seal_queued",
    "send",
    "send_all",
    "settle",
    "warn",
    "write_letter",
]
