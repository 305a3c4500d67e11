"""How a request type says what its form asks, so that one page renders them all."""

from dataclasses import dataclass
from enum import StrEnum


class Widget(StrEnum):
    """The control that a field is shown as. ``HITS``: checkboxes of the case's confirmed hits, values are hit ids."""

    TEXT = "text"
    TEXTAREA = "textarea"
    RADIO = "radio"
    DATE = "date"
    HITS = "hits"


@dataclass(frozen=True, slots=True)
class FormField:
    """One question of a request's form.

    ``name`` is the key in the request's facts (every value is text; several hits are joined with commas);
    ``article`` the provision that asks for it ("" for none); ``choices`` are (value, label) for radio buttons.
    ``required`` marks what :func:`completeness` will demand: a draft may still be saved without it.
    """

    name: str
    label: str
    help: str
    article: str
    widget: Widget = Widget.TEXTAREA
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    max_length: int = 4000


YES_NO_UNKNOWN = (("yes", "Yes"), ("no", "No"), ("unknown", "Not known"))
