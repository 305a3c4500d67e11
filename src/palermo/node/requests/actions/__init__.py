"""Writes of requests. Each is one transaction; the time is passed in."""

from palermo.node.requests.actions.answering import answer
from palermo.node.requests.actions.drafting import cite_items, draft, edit_draft, submit_for_approval, withdraw
from palermo.node.requests.actions.gating import answer_gate
from palermo.node.requests.actions.opening import opened
from palermo.node.requests.actions.receiving import receive_request
from palermo.node.requests.actions.receiving_answers import receive_answer
from palermo.node.requests.actions.sending import close, send

__all__ = [
    "answer",
    "answer_gate",
    "cite_items",
    "close",
    "draft",
    "edit_draft",
    "opened",
    "receive_answer",
    "receive_request",
    "send",
    "submit_for_approval",
    "withdraw",
]
