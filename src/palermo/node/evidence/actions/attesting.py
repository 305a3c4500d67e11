"""Record a consent that came by letter: an officer stands for it, by name, where the exchange could not carry it."""

from datetime import datetime

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.evidence import limits, queries
from palermo.node.evidence.actions.items import require_open
from palermo.node.evidence.marks import Origin
from palermo.node.evidence.models import UseConsent
from palermo.node.evidence.rows import ConsentRow
from palermo.node.evidence.uses import Intent, Use, intent_problems
from palermo.node.office import policy
from palermo.node.office.actions import audit
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor

ATTEST = "evidence.attest"
_LONGEST = {"given_by": 200, "statement": 2000, "document": 200, "reason": 1000, "conditions": 2000}


@transaction.atomic
def record_consent(
    officer: Actor,
    *,
    item: str,
    use: str = Use.CASE,
    target: str,
    recipient: str = "",
    given_by: str,
    statement: str,
    document: str,
    reason: str,
    conditions: str = "",
    expires_at: datetime | None = None,
    now: datetime,
) -> ConsentRow:
    """Record the consent that a letter gives to one use of one item (UNTOC Art. 18(19), 18(5)), in the letter's words.

    ``document``: the letter, by date, author and file number. ``reason``: why it did not come through the exchange.
    ``target`` and ``recipient``: as in :class:`Intent`. Raises ``ConflictError`` where nobody's consent is needed, or
    where the exchange reaches who gave the item: then it is asked there.
    """
    found = queries.readable_item(officer, item)
    policy.require(officer, ATTEST, cases.members(found.case_id))
    if found.origin == Origin.OWN:
        raise ConflictError(f"{item} is our own: no other authority's consent is needed.")
    if provider := limits.reachable_provider(found):
        raise ConflictError(f"{provider} is reached through the exchange: ask it there. A letter does not replace it.")
    texts = {
        "given_by": given_by,
        "statement": statement,
        "document": document,
        "reason": reason,
        "conditions": conditions,
    }
    problems = _text_problems(texts) + intent_problems(use, recipient.strip(), target.strip())
    if expires_at is not None and expires_at <= now:
        problems.append("The consent has ended already. Ask for a new one.")
    if problems:
        raise InvalidError(problems)
    intent = Intent(Use(use), recipient.strip(), target.strip())
    if intent.use is Use.CASE:
        policy.require(officer, "evidence.add", cases.members(intent.target))
        require_open(intent.target)
    consent = limits.new_consent(
        found,
        intent,
        recorded_by_id=officer.pk,
        recorded_at=now,
        expires_at=expires_at,
        **{name: text.strip() for name, text in texts.items()},
    )
    audit(officer, "evidence.consent", item, now=now, detail={"use": use, "target": target, "document": document})
    return queries.consent_row(consent)


@transaction.atomic
def end_consent(officer: Actor, *, consent: int, because: str, now: datetime) -> ConsentRow:
    """Record that a consent given by letter was withdrawn, by another letter: what it opened closes."""
    found = UseConsent.objects.select_for_update().select_related("item").filter(pk=consent).first()
    item = queries.readable_item(officer, found.item.reference if found else "")
    policy.require(officer, ATTEST, cases.members(item.case_id))
    if found is None or found.question_id is not None or found.withdrawn_at is not None:
        raise ConflictError("This consent came through the exchange, or has ended: its provider withdraws it there.")
    if not because.strip() or len(because) > _LONGEST["conditions"]:
        raise InvalidError("Name the letter that withdraws the consent, in at most 2000 characters.")
    found.withdrawn_at, found.withdrawn_because = now, because.strip()
    found.save(update_fields=["withdrawn_at", "withdrawn_because"])
    audit(officer, "evidence.consent_ended", item.reference, now=now, detail={"consent": found.pk})
    return queries.consent_row(found)


def _text_problems(texts: dict[str, str]) -> list[str]:
    problems = [
        f"Fill in '{name.replace('_', ' ')}': it is kept with the consent."
        for name, text in texts.items()
        if not text.strip() and name != "conditions"
    ]
    return problems + [
        f"Shorten '{name.replace('_', ' ')}' to {_LONGEST[name]} characters."
        for name, text in texts.items()
        if len(text) > _LONGEST[name]
    ]
