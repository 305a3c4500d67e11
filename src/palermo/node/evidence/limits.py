"""The one gate that evidence passes before it is used: every path calls :func:`require`, and none decides for itself.

It reads what the item is, where it came from, what marks it bears, whether it was recalled or destroyed, and which
consents are in force now. It writes nothing but a consent that was given, in the shape in which it reads it.
"""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from palermo.node.directory import queries as directory
from palermo.node.evidence.errors import DestroyedError, IntelligenceError, RecalledError, UseLimitError
from palermo.node.evidence.marks import HandlingCode, InformationGrade, Marks, Origin, SourceGrade, Tlp
from palermo.node.evidence.models import Item, Notice, UseConsent
from palermo.node.evidence.states import Direction, NoticeState
from palermo.node.evidence.uses import Intent, Use, needing_consent

ARTICLES = "UNTOC Art. 18(19), 18(5)"
"""The legal basis of what the two sides say to each other about the use of evidence."""

_ON_LEGAL_GROUND = frozenset({Use.STATED, Use.COURT, Use.EXCULPATORY})
"""What remains of a recalled item that is kept on a legal ground: that ground's own proceedings."""


def require(item: Item, intent: Intent, *, now: datetime) -> None:
    """Refuse a use that is forbidden now. Raises :class:`DestroyedError`, :class:`RecalledError`,
    :class:`UseLimitError` or :class:`IntelligenceError`, each saying what to do next.
    """
    if item.destroyed_at is not None:
        raise DestroyedError(item.reference)
    if item.recall is not None and not (item.hold and intent.use in _ON_LEGAL_GROUND):
        raise RecalledError(item.reference, item.recall.reference)
    if item.origin == Origin.OWN:
        return
    _require_basis(item, now)
    if intent.use is Use.CITE and item.origin == Origin.RECEIVED and intent.recipient == provider_of(item):
        return  # who gave it may be told of it
    if intent.use is Use.EXCULPATORY:
        _require_notice(item, intent)
    elif intent.use in needing_consent(Origin(item.origin), marks_of(item)):
        _require_consent(item, intent, now)


def consent_in_force(item: Item, intent: Intent, now: datetime) -> UseConsent | None:
    """The consent that opens exactly this use of this item now, if there is one."""
    consents = in_force(now).filter(item=item, use=intent.use, recipient=intent.recipient)
    return next((consent for consent in consents.order_by("-pk") if target_of(consent) == intent.target), None)


def in_force(now: datetime) -> QuerySet[UseConsent]:
    """Consents that are neither withdrawn nor run out."""
    return UseConsent.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), withdrawn_at=None)


def new_consent(item: Item, intent: Intent, **columns: Any) -> UseConsent:
    """Store a consent to exactly this use. ``columns``: who gave it, in what words, and who vouches for it."""
    in_case = intent.use is Use.CASE
    return UseConsent.objects.create(
        item=item,
        use=intent.use,
        recipient=intent.recipient,
        case_id=intent.target if in_case else None,
        target="" if in_case else intent.target,
        **columns,
    )


def target_of(consent: UseConsent) -> str:
    """The case, request or purpose that a consent opens."""
    return consent.case_id or consent.target


def provider_of(item: Item) -> str:
    """Who gave an item: the code of an authority, or the words for one outside the network; "" for our own."""
    return item.package.partner if item.package is not None else item.originator


def reachable_provider(item: Item) -> str:
    """The provider's code where it can be asked through the exchange; "" for one by letter alone."""
    provider = provider_of(item) if item.package is not None else ""
    return provider if provider in {row.code for row in directory.partners()} else ""


def given_for(item: Item) -> str:
    """What an item was given for, in words: the request it answers, or the restriction that came with it."""
    return item.package.request_reference if item.package is not None else item.use_limit


def marks_of(item: Item) -> Marks:
    """The marks of an item."""
    return Marks(
        tlp=Tlp(item.tlp),
        handling_code=HandlingCode(item.handling_code),
        source_grade=SourceGrade(item.source_grade),
        information_grade=InformationGrade(item.information_grade),
        use_limit=item.use_limit,
    )


def article_of(item: Item) -> str:
    """The provision that binds an item: 18(19) for what a request brought, 18(5) for what came without one."""
    return "UNTOC Art. 18(19)" if item.origin == Origin.RECEIVED else "UNTOC Art. 18(5)"


def _refusal(item: Item, use: Use, why: str = "") -> UseLimitError:
    error = IntelligenceError if item.origin == Origin.INTELLIGENCE else UseLimitError
    return error(item.reference, provider_of(item) or "an authority not named", use.value, why)


def _require_basis(item: Item, now: datetime) -> None:
    """A copy in another case lives by the consent that brought it there, and closes with it."""
    consent = item.under_consent
    if consent is not None and not in_force(now).filter(pk=consent.pk).exists():
        raise _refusal(item, Use.CASE, "The consent under which it was brought into this case has ended: ask again.")


def _require_consent(item: Item, intent: Intent, now: datetime) -> None:
    if consent_in_force(item, intent, now) is None:
        raise _refusal(item, intent.use)


def _require_notice(item: Item, intent: Intent) -> None:
    """18(19), 18(5): the provider was notified before the disclosure, or it was an exceptional case."""
    notice = Notice.objects.filter(item=item, reference=intent.target, direction=Direction.OUT).first()
    if notice is None:
        raise _refusal(item, intent.use, "Give its provider notice of the disclosure first.")
    if notice.state != NoticeState.DISCLOSED:
        raise _refusal(
            item, intent.use, f"The notice {notice.reference} is {notice.state}: record the disclosure first."
        )
