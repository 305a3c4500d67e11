"""Yes, no, and not known (Kleene's strong logic): what is not known decides only where it cannot matter."""

from collections.abc import Iterable

Known = bool | None


def all_of(values: Iterable[Known]) -> Known:
    """No as soon as one is no; otherwise not known as soon as one is not known."""
    found = list(values)
    return False if False in found else None if None in found else True


def any_of(values: Iterable[Known]) -> Known:
    """Yes as soon as one is yes; otherwise not known as soon as one is not known."""
    found = list(values)
    return True if True in found else None if None in found else False


def is_not(value: Known) -> Known:
    """The contrary; what is not known stays so."""
    return None if value is None else not value


def in_words(value: Known) -> str:
    """For a reader."""
    return {True: "yes", False: "no", None: "not known"}[value]
