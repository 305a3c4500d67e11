"""What can go wrong with evidence, each with a sentence that says what to do next."""

from palermo.node.office.errors import ConflictError, InvalidError
from palermo.sealing.verify import Report


class EvidenceChangedError(ConflictError):
    """The bytes kept for an item or a package are not those that were kept. ``path``: where they lie."""

    def __init__(self, what: str, path: str) -> None:
        super().__init__(f"{what} is not what was kept: its file was changed or is gone. Restore it before you go on.")
        self.path = path


class UseLimitError(ConflictError):
    """An item would be used for something that its provider has not consented to (UNTOC Art. 18(19), 18(5))."""

    def __init__(self, item: str, provider: str, use: str, why: str = "") -> None:
        super().__init__(
            f"{item} was given by {provider} and may not be used so ({use}) without its consent "
            f"(UNTOC 18(19), 18(5)). {why or 'Ask it for consent on the page of the item.'}"
        )
        self.item, self.provider, self.use = item, provider, use


class IntelligenceError(UseLimitError):
    """Intelligence would be sealed, cited or put before a court without its originator's recorded consent."""

    def __init__(self, item: str, provider: str, use: str, why: str = "") -> None:
        super().__init__(
            item,
            provider,
            use,
            f"It came by police or financial-intelligence channels: it is not evidence. {why} "
            "Ask for the same facts by a request for mutual legal assistance, or its originator for consent.",
        )


class RecalledError(ConflictError):
    """An item that its provider has recalled: nothing is done with it but to delete it, or to say why not."""

    def __init__(self, item: str, recall: str) -> None:
        super().__init__(
            f"{item} was recalled by its provider ({recall}): its use has stopped. "
            "Delete it, or state the legal ground not to, on the page of the recall."
        )
        self.item, self.recall = item, recall


class DestroyedError(ConflictError):
    """An item whose bytes were destroyed, by recall or because its retention ended."""

    def __init__(self, item: str) -> None:
        super().__init__(f"The bytes of {item} were destroyed. What it was, and why it went, stands on its page.")
        self.item = item


class BoundBytesError(ConflictError):
    """Bytes that another authority gave would be kept as an item of our own, free of their limits."""

    def __init__(self) -> None:
        super().__init__(
            "These very bytes came here from another authority: they stay bound by its terms, and are not our own. "
            "Use the item that they came as; if it is in another case, ask its provider for consent."
        )


class PackageRefusedError(InvalidError):
    """A package that arrived does not hold. ``report``: the numbered checks, where it could be examined."""

    def __init__(self, problems: list[str] | str, report: Report | None = None) -> None:
        super().__init__(problems)
        self.report = report
