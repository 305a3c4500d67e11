"""Safeguards: questions that a person answers, with a reason, before a request leaves and before one is executed.

A gate never decides by itself. It shows the facts that bear on it and asks; a second officer looks at a concern, and at
not knowing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from palermo.law import strict
from palermo.law.statement import Statement
from palermo.law.terms import term
from palermo.law.three import in_words

CONCERNS = ("no", "yes", "unknown")
DECISIONS = ("proceed", "stop")
LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True)
class Gate:
    """A safeguard: the question that a person answers, where it comes from, and the facts that are shown with it."""

    code: str
    question: str
    source: str
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What a person answered: concern (no, yes, unknown), decision (proceed, stop); ``reviewed``: by a second one."""

    concern: str
    decision: str
    reason: str
    reviewed: bool = False

    @property
    def needs_review(self) -> bool:
        """Whether a second officer has to look: someone sees a concern, or does not know, and would go on."""
        return self.decision == "proceed" and self.concern != "no"


@dataclass(frozen=True, slots=True)
class GateState:
    """A safeguard of one request: the facts that bear on it, in words, and what is still to be done, if anything."""

    gate: Gate
    facts: tuple[tuple[str, str], ...]
    answer: GateAnswer | None
    what_to_do: str


@cache
def gates() -> dict[str, Gate]:
    """Every safeguard by code, in the order in which they are asked."""
    facts = strict.load(strict.shipped("gates.toml"))
    rows = [Gate(**strict.frozen(row)) for row in facts["gate"]]
    for row in rows:
        for name in row.shows:
            term(name)
    return {row.code: row for row in rows}


def gate_problems(concern: str, decision: str, reason: str) -> list[str]:
    """What is wrong with an answer, all at once."""
    problems = []
    if concern not in CONCERNS:
        problems.append("Say whether you see a concern: no, yes or unknown.")
    if decision not in DECISIONS:
        problems.append("Say whether to proceed or to stop.")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        problems.append(f"Give the reason for your answer, in at most {LONGEST_REASON} characters: it is kept with it.")
    return problems


def gate_states(codes: tuple[str, ...], said: Statement, answers: Mapping[str, GateAnswer]) -> list[GateState]:
    """Each safeguard with what bears on it and what is still to be done. Whose request it is plays no part."""
    return [
        GateState(gate, _shown(gate, said), answers.get(gate.code), to_do(gate, answers.get(gate.code)))
        for gate in (gates()[code] for code in codes)
    ]


def _shown(gate: Gate, said: Statement) -> tuple[tuple[str, str], ...]:
    return tuple((term(name).asks, _in_words(said.items().get(name))) for name in gate.shows)


def _in_words(value: Any) -> str:
    return in_words(value) if value is None or isinstance(value, bool) else str(value)


def to_do(gate: Gate, answer: GateAnswer | None) -> str:
    """What is still to be done at a safeguard; "" where it is answered and, if need be, reviewed."""
    if answer is None:
        return f"A person has to answer, with a reason: {gate.question}"
    if answer.decision == "stop":
        return f"Stopped by an officer's answer to: {gate.question}"
    if answer.needs_review and not answer.reviewed:
        return f"A second officer has to review the answer to: {gate.question}"
    return ""
