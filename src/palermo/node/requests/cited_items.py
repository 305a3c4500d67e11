"""Items of evidence that a request or an answer cites: which, what holds them back, and what a partner may claim.

Evidence's own gate decides (:mod:`palermo.node.evidence.citing`); this module asks it, and says a finding of it.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from palermo.law.findings import Finding
from palermo.law.instruments import untoc
from palermo.node.directory import queries as directory
from palermo.node.evidence import citing
from palermo.node.evidence.marks import Origin
from palermo.node.evidence.rows import CitationRow
from palermo.node.exchange.handlers import RefusedError
from palermo.node.requests.messages import CitedItem, RequestMessage
from palermo.node.requests.models import Request
from palermo.sealing.errors import FormatError

MOST = 50
"""More items than this are no citation: seal them, or name the ones that count."""

_REFERENCE, _SHA256 = re.compile(r"[A-Z0-9-]{1,80}"), re.compile(r"[0-9a-f]{64}")
_LONGEST = 300


def of(request: Request, now: datetime) -> list[CitationRow]:
    """The items that a request of ours cites, each with the consent that lets it, or with what is wrong."""
    return chosen(request, list(request.cited.values_list("reference", flat=True)), now)


def chosen(request: Request, items: Sequence[str], now: datetime) -> list[CitationRow]:
    """The same for items that were only chosen, for a request of ours or for our answer to a partner's."""
    return citing.citations(
        request.case_id, items, recipient=request.partner, request_reference=request.reference, now=now
    )


def offered(request: Request, now: datetime) -> list[CitationRow]:
    """Every item of the case that can be chosen."""
    return citing.citable(request.case_id, recipient=request.partner, request_reference=request.reference, now=now)


def findings(request: Request, now: datetime) -> list[Finding]:
    """What the use limits of the items demand of a request of ours, and of those that it names without citing them."""
    rows = of(request, now)
    found = [
        Finding(_article(row), not row.problem, f"consent to cite {row.reference}{_on(row)}", row.problem)
        for row in rows
        if row.provider or row.problem
    ]
    named = citing.bound_items_named(request.case_id, request.facts.values(), but=[row.reference for row in rows])
    return found + [
        Finding(
            untoc("18(19)").name,
            False,
            f"that the use of {reference} is open to this request",
            f"The request names {reference}, which another authority gave. Cite it, or leave its name out.",
        )
        for reference in named
    ]


def in_message(rows: Iterable[CitationRow]) -> tuple[CitedItem, ...]:
    """The items as the partner reads them."""
    ours = directory.own_code()
    return tuple(CitedItem(row.reference, row.what, row.sha256, row.provider or ours, row.consent) for row in rows)


def stated(request: Request) -> tuple[CitedItem, ...]:
    """The items that a request cites, by its signed bytes; none where these are not fixed, or damaged (`checking`)."""
    with suppress(FormatError):
        return RequestMessage.from_bytes(bytes(request.payload)).items
    return ()


def ledger_field(items: Iterable[CitedItem]) -> dict[str, str]:
    """What the ledger keeps of a citation: the digests of the items; nothing where none is cited."""
    digests = ",".join(item.sha256 for item in items)
    return {"cites": digests} if digests else {}


def refuse_unfounded(partner: str, items: Sequence[CitedItem]) -> None:
    """Raise ``RefusedError`` unless each item a partner cites is named in full, and by consent where a third gave it.

    Whether a third authority consented cannot be verified here: it is kept as the partner, signed, states it.
    """
    if len(items) > MOST or len({item.reference for item in items}) != len(items):
        raise RefusedError(f"Cite each item of evidence once, and at most {MOST}.")
    for item in items:
        texts = (item.what, item.provider, item.consent)
        if (
            not _REFERENCE.fullmatch(item.reference)
            or not _SHA256.fullmatch(item.sha256)
            or max(map(len, texts)) > _LONGEST
            or not (item.what.strip() and item.provider.strip())
        ):
            raise RefusedError("An item of evidence is cited by reference, description, SHA-256 and who gave it.")
        if item.provider == directory.own_code():
            if not citing.was_given_to(partner, item.sha256):
                raise RefusedError(f"You cite {item.reference} as given by us. We gave you no such item.")
        elif item.provider != partner and not item.consent.strip():
            raise RefusedError(f"Name the consent of {item.provider[:64]} to your citing {item.reference} to us.")


def _article(row: CitationRow) -> str:
    return untoc("18(5)" if row.origin is Origin.INTELLIGENCE else "18(19)").name


def _on(row: CitationRow) -> str:
    return f", on condition: {row.conditions}" if row.conditions else ""
