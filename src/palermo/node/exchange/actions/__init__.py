"""Writes of the exchange: a message sent, an envelope received, a receipt that settles a message."""

from palermo.node.exchange.actions.forgetting import forget
from palermo.node.exchange.actions.receiving import UnreadableError, receive
from palermo.node.exchange.actions.sending import send
from palermo.node.exchange.actions.settling import acknowledge, expire, settle

__all__ = ["UnreadableError", "acknowledge", "expire", "forget", "receive", "send", "settle"]
