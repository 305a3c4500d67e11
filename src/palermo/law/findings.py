"""A finding: one thing that a treaty asks for, and whether it is there. Unknown is a third value, never a guess."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One demand of a provision, held against the facts.

    ``article``: the provision, as in "UNTOC 18(15)(b)". ``present``: True it is there, False it is not, None not known.
    ``what``: what is demanded; ``what_to_do``: the next step of the person who drafts ("" where it is there).
    ``required``: without it the request cannot leave; otherwise the treaty asks for it only where possible, and
    only a plain absence (False) holds the request back, never an honest "not known".
    """

    article: str
    present: bool | None
    what: str
    what_to_do: str = ""
    required: bool = True

    @property
    def blocks(self) -> bool:
        """Whether this finding keeps the request from leaving."""
        return self.present is not True if self.required else self.present is False


def missing(findings: list[Finding]) -> list[str]:
    """Every sentence that says what still has to be done before the request may leave."""
    return [f"{finding.article}: {finding.what_to_do}" for finding in findings if finding.blocks]
