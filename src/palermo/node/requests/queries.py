"""Reads of requests. The officer comes first; without need to know there is nothing."""

from palermo.law.findings import Finding
from palermo.node.office.policy import Actor
from palermo.node.office.queries import ApprovalRow
from palermo.node.requests.rows import GateRow, GroundRow, RequestRow
from palermo.node.requests.types.registry import RequestType


def request(officer: Actor, reference: str) -> RequestRow:
    """One request with its answers."""
    raise NotImplementedError


def requests(officer: Actor, *, case: str = "", state: str = "") -> list[RequestRow]:
    """The requests that the officer may read, newest first."""
    raise NotImplementedError


def check(officer: Actor, reference: str) -> list[Finding]:
    """What the treaty demands of this request, all at once: present, absent or unknown, with article and next step."""
    raise NotImplementedError


def gates(officer: Actor, reference: str) -> list[GateRow]:
    """The safeguards a person must answer before this request leaves (ours) or is executed (a partner's)."""
    raise NotImplementedError


def permitted_grounds(officer: Actor, reference: str) -> list[GroundRow]:
    """The grounds on which a partner's request may be refused or postponed, with the duties of each."""
    raise NotImplementedError


def approval(officer: Actor, reference: str) -> ApprovalRow | None:
    """The second person's decision on the bytes in force, if one was asked."""
    raise NotImplementedError


def next_steps(officer: Actor, reference: str) -> frozenset[str]:
    """What this officer may do now: of edit, gate, submit, send, withdraw, answer, close."""
    raise NotImplementedError


def types(officer: Actor) -> list[RequestType]:
    """The types of request the officer may draft. ``.fields`` describes the form, ``.code`` stands in the URL."""
    raise NotImplementedError
