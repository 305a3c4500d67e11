"""Writes of requests. Each is one transaction; the time is passed in."""

from collections.abc import Mapping
from datetime import datetime

from palermo.node.office.policy import Actor
from palermo.node.requests.rows import GateRow, RequestRow
from palermo.node.requests.states import Outcome


def draft(officer: Actor, *, type: str, case: str, partner: str, facts: Mapping[str, str], now: datetime) -> RequestRow:
    """Start a request. ``facts``: the type's form fields by name, all text; incomplete is allowed in a draft."""
    raise NotImplementedError


def edit_draft(officer: Actor, reference: str, *, facts: Mapping[str, str], now: datetime) -> RequestRow:
    """Change an unsent request; it is a draft again, and an approval of the earlier bytes no longer counts."""
    raise NotImplementedError


def answer_gate(
    officer: Actor, reference: str, *, gate: str, concern: str, decision: str, reason: str, now: datetime
) -> GateRow:
    """Answer one safeguard. ``concern``: no, yes or unknown; ``decision``: proceed or stop; a reason always."""
    raise NotImplementedError


def submit_for_approval(officer: Actor, reference: str, *, now: datetime) -> RequestRow:
    """Fix the exact bytes and ask a second person (decided at ``/approvals/<id>/`` by ``office.decide_approval``)."""
    raise NotImplementedError


def send(officer: Actor, reference: str, *, now: datetime) -> RequestRow:
    """Send an approved request; everything that is missing is named at once (``InvalidError.problems``)."""
    raise NotImplementedError


def withdraw(officer: Actor, reference: str, *, reason: str, now: datetime) -> RequestRow:
    """Give up a request that was not sent."""
    raise NotImplementedError


def close(officer: Actor, reference: str, *, now: datetime) -> RequestRow:
    """Close our request once it was executed or refused."""
    raise NotImplementedError


def answer(
    officer: Actor,
    reference: str,
    *,
    outcome: Outcome | str,
    ground: str = "",
    reasons: str = "",
    consultation: str = "",
    consent: str = "",
    conditions: str = "",
    package: str = "",
    now: datetime,
) -> RequestRow:
    """Answer a partner's request: accepted, executed (``package``: a sealed package's reference), postponed or refused.

    ``consent`` ("yes"/"no") only where the type is intelligence: may the hit be used in a formal request?
    """
    raise NotImplementedError
