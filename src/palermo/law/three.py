"""Three-valued logic (Kleene): True, False, and None for what is not known. An unknown fact never becomes an answer."""

from collections.abc import Iterable

Known = bool | None


def every(values: Iterable[Known]) -> Known:
    """Whether all hold: False as soon as one does not, unknown if none fails and one is unknown."""
    seen = list(values)
    if False in seen:
        return False
    return None if None in seen else True


def some(values: Iterable[Known]) -> Known:
    """Whether one holds: True as soon as one does, unknown if none does and one is unknown."""
    seen = list(values)
    if True in seen:
        return True
    return None if None in seen else False


def no(value: Known) -> Known:
    """The contrary; the contrary of unknown is unknown."""
    return None if value is None else not value


def at_least(value: float | None, threshold: float) -> Known:
    """Whether a figure reaches a threshold; unknown where the figure is."""
    return None if value is None else value >= threshold
