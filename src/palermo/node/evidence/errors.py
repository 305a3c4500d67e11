"""What can go wrong with evidence, each with a sentence that says what to do next."""

from palermo.node.office.errors import ConflictError, InvalidError
from palermo.sealing.verify import Report


class EvidenceChangedError(ConflictError):
    """The bytes kept for an item or a package are not those that were kept. ``path``: where they lie."""

    def __init__(self, what: str, path: str) -> None:
        super().__init__(f"{what} is not what was kept: its file was changed or is gone. Restore it before you go on.")
        self.path = path


class UseLimitError(ConflictError):
    """An item would be used for something that its provider has not consented to (UNTOC Art. 18(19))."""

    def __init__(self, item: str) -> None:
        super().__init__(
            f"{item} was given for one request only (UNTOC 18(19)). Ask its provider for consent and record it first."
        )
        self.item = item


class IntelligenceError(ConflictError):
    """Intelligence would be sealed as evidence."""

    def __init__(self, item: str) -> None:
        super().__init__(
            f"{item} came by police or financial-intelligence channels: it is not evidence and is never sealed. "
            "Ask for the same facts by a request for mutual legal assistance."
        )
        self.item = item


class PackageRefusedError(InvalidError):
    """A package that arrived does not hold. ``report``: the numbered checks, where it could be examined."""

    def __init__(self, problems: list[str] | str, report: Report | None = None) -> None:
        super().__init__(problems)
        self.report = report
