"""What can go wrong in the lake."""

from collections.abc import Sequence


class LakeError(Exception):
    """Base of what this room raises."""


class HoldingNameError(LakeError):
    """A holding's name can't be part of a path."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name[:80]!r} is no holding name: letters, digits, '.', '_', '-', at most 128, a letter first"
        )


class UnknownHoldingError(LakeError):
    """The lake has no holding of that name, or it was dropped."""

    def __init__(self, holding: str) -> None:
        self.holding = holding
        super().__init__(f"the lake holds nothing called {holding!r}: load it first")


class RepeatedEntityError(LakeError):
    """One load brought different entities under the same id; `ids` names the first few."""

    def __init__(self, holding: str, ids: Sequence[str]) -> None:
        self.holding = holding
        self.ids = tuple(ids)
        super().__init__(
            f"{holding}: ids that come more than once: {', '.join(ids)}; merge these entities, then load again"
        )


class DamagedHoldingError(LakeError):
    """A file of the holding isn't what was written; `files` names each."""

    def __init__(self, holding: str, files: Sequence[str]) -> None:
        self.holding = holding
        self.files = tuple(files)
        super().__init__(f"{holding}: damaged: {', '.join(files)}; drop the holding and load it again from its source")
