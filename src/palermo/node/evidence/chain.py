"""The chain of custody of an item: each step signed by its officer and bound to the step before it."""

from collections.abc import Sequence
from datetime import datetime

from palermo.node.directory import queries as directory
from palermo.node.evidence.models import CustodyEvent, CustodyKey, Item
from palermo.node.evidence.signing import signatory
from palermo.node.office.errors import ConflictError
from palermo.node.office.policy import Actor
from palermo.sealing import manifest as sealing
from palermo.sealing.custody import MOVES, Step, Verb, claimed_step, sign_step, step_digest
from palermo.sealing.dsse import parse


def record(
    item: Item,
    verb: Verb,
    officer: Actor | None,
    *,
    now: datetime,
    by: str = "",
    at: datetime | None = None,
    where: str = "",
    how: str = "",
    package: str = "",
) -> CustodyEvent:
    """Add one step, signed with the key of the officer who records it (None: the node, while nobody is there).

    ``by``: who did it, if another person; ``at``: when, if earlier. Two that record at once for one item: the second
    fails by the database's constraint. Raises ``ConflictError`` for a step that cannot follow the last one.
    """
    last = item.custody.order_by("-pk").first()
    allow(last, verb)
    signer = signatory(officer, now)
    done_at = at or now
    if last is not None:  # another node's clock may be a little ahead of ours: a chain runs forward all the same
        done_at = max(done_at, last.at)
    step = Step(
        verb=verb,
        by=(by or signer.name)[:200],
        at=done_at,
        sha256=item.sha256,
        sha512=item.sha512,
        authority=directory.own_code(),
        officer=signer.name,
        recorded_at=max(now, done_at, (last.recorded_at if last else None) or now),
        reference=item.reference,
        where=(where or directory.own_code())[:200],
        how=how[:500],
        package=package,
        previous=_last_digest(item),
    )
    return _keep(item, step, sign_step(step, signer.key))


def allow(last: CustodyEvent | None, verb: Verb) -> None:
    """Refuse a step that cannot follow the last one. What is no verb was recorded before there were any: kept, used."""
    before = None if last is None else Verb(last.verb) if last.verb in list(Verb) else Verb.COLLECTED
    if verb not in MOVES[before]:
        raise ConflictError(f"An item that was {before or 'not collected'} cannot be {verb}. Look at its custody.")


def take_over(item: Item, events: Sequence[sealing.CustodyEvent]) -> None:
    """Write the steps of a package, verified, as they are: signed by the provider's officers."""
    for event in events:
        if event.signed:
            _keep(item, claimed_step(event.signed), event.signed)
        else:
            CustodyEvent.objects.create(
                item=item,
                verb=event.verb[:40],
                by=event.by[:200],
                at=event.at,
                where=event.where[:200],
                detail=event.how[:500],
                sha256=item.sha256,
            )


def copy(source: Item, target: Item) -> None:
    """Give a copy of an item, in another case, the whole chain of what it is a copy of."""
    for row in source.custody.order_by("pk"):
        row.pk, row.item = None, target
        row.save(force_insert=True)


def stated(item: Item, number: int) -> list[sealing.CustodyEvent]:
    """The chain as a package's manifest states it, for the item of that number."""
    return [
        sealing.CustodyEvent(
            item=number,
            verb=row.verb,
            by=row.by,
            at=row.at,
            where=row.where,
            how=row.detail,
            sha256=row.sha256,
            signed=bytes(row.signed),
        )
        for row in item.custody.order_by("pk")
    ]


def copied_by(officer: Actor, items: Sequence[int], package: str) -> bool:
    """Whether this officer copied a package: a step with one of the officer's own keys says so."""
    keys = CustodyKey.objects.filter(officer_id=officer.pk).values("key_id")
    steps = CustodyEvent.objects.filter(item__in=items, verb=Verb.COPIED.value, package=package)
    return steps.filter(key_id__in=keys).exists()


def signers(items: Sequence[Item]) -> set[str]:
    """Ids of the keys that signed the custody of these items."""
    rows = CustodyEvent.objects.filter(item__in=[item.pk for item in items]).exclude(key_id="")
    return set(rows.values_list("key_id", flat=True))


def _keep(item: Item, step: Step, signed: bytes) -> CustodyEvent:
    return CustodyEvent.objects.create(
        item=item,
        verb=step.verb.value,
        by=step.by,
        at=step.at,
        where=step.where,
        detail=step.how,
        sha256=step.sha256,
        signed=signed,
        digest=step_digest(signed),
        previous=step.previous,
        key_id=parse(signed, "custody step").key_id,
        officer=step.officer,
        authority=step.authority,
        recorded_at=step.recorded_at,
        package=step.package,
    )


def _last_digest(item: Item) -> str:
    return item.custody.exclude(digest="").order_by("-pk").values_list("digest", flat=True).first() or ""
