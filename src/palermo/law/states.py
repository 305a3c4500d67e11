"""States by ISO 3166-1 code: found by code or by name, an administrator's fictitious ones among them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from palermo.law import strict
from palermo.law.nearest import folded, near


@dataclass(frozen=True, slots=True)
class State:
    """A State. ``code``: ISO 3166-1, two letters; ``also``: other names and the three-letter code."""

    code: str
    name: str
    also: tuple[str, ...] = ()


class UnknownStateError(LookupError):
    """No State has this code or name. ``text``: what was given; ``near``: names that look like it."""

    def __init__(self, text: str, alike: list[str]) -> None:
        self.text, self.near = text, alike
        hint = f"Did you mean {' or '.join(alike)}?" if alike else "Give a code of ISO 3166-1, such as IT, or a name."
        super().__init__(f"No State is known as '{text}'. {hint}")


@cache
def states() -> Mapping[str, State]:
    """Every State of which facts are kept, by code."""
    tables = strict.load(strict.shipped("countries.toml"))
    return {code: State(code, names[0], tuple(names[1:])) for code, names in tables.items()}


def find(text: str, known: Mapping[str, State] | None = None) -> State:
    """The State that a code or a name means; :class:`UnknownStateError` with near matches where none does."""
    among = states() if known is None else known
    if (state := among.get(text.strip().upper())) is not None:
        return state
    wanted = folded(text)
    for state in among.values():
        if wanted and wanted in {folded(name) for name in (state.name, *state.also)}:
            return state
    labels = {name: f"{state.code} ({state.name})" for state in among.values() for name in (state.name, *state.also)}
    alike = dict.fromkeys(labels[name] for name in near(text, labels))
    raise UnknownStateError(text, list(alike))
