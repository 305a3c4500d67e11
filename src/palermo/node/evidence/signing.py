"""Officers' custody keys: made at first need, used only for what that officer does, ended when the officer leaves.

The private key lies in the node's folder of keys, locked like the others. The authority's own key signs the
certificate that says whose it is (:class:`palermo.sealing.custody.Certificate`). The node has such a key as well,
marked as a machine's, for what arrives while nobody is there.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.evidence.models import CustodyKey, OfficerCertificate
from palermo.node.office import queries as office
from palermo.node.office.policy import Actor
from palermo.sealing.custody import Certificate, claimed_certificate, sign_certificate
from palermo.sealing.keys import SigningKey

MACHINE = "node"
"""Holder of the node's own custody key."""


@dataclass(frozen=True)
class Signatory:
    """Who signs a step of custody, and the key."""

    name: str
    unit: str
    key: SigningKey


def signatory(officer: Actor | None, now: datetime) -> Signatory:
    """The key of an officer (None: of the node itself), made now if there is none, or none under the present name."""
    holder, name, unit = _holder(officer)
    row = CustodyKey.objects.filter(holder=holder, ended_at=None).first()
    if row is not None and (row.name, row.unit) != (name, unit):
        _end(row, now)
        row = None
    if row is None:
        row = _make(officer, holder, name, unit, now)
    return Signatory(name, unit, own_keys.custody_key(row.key_id))


def certificates(key_ids: Collection[str]) -> list[bytes]:
    """Every certificate of these keys, ours and partners', oldest first: what a package needs to show who signed."""
    rows = OfficerCertificate.objects.filter(key_id__in=set(key_ids)).order_by("issued_at", "digest")
    return [bytes(row.signed) for row in rows]


def keep(certificates: Iterable[bytes]) -> None:
    """Keep a partner's certificates, verified with the package that brought them."""
    for signed in certificates:
        _store(claimed_certificate(signed), signed)


def end_certificates(now: datetime) -> int:
    """Issue the certificates of officers who left again, ended now, and destroy their keys; returns how many.

    Whoever comes back gets a new key.
    """
    rows = CustodyKey.objects.filter(ended_at=None, officer__is_active=False)
    for row in rows:
        with transaction.atomic():
            _end(row, now)
    return len(rows)


def _holder(officer: Actor | None) -> tuple[str, str, str]:
    """Who a key belongs to, the name in its certificate, and the unit."""
    if officer is None:
        return MACHINE, f"Node of {directory.own_code()}", ""
    facts = office.officer_facts(officer.pk)
    return str(officer.pk), (facts.full_name or facts.username)[:200], facts.unit


def _make(officer: Actor | None, holder: str, name: str, unit: str, now: datetime) -> CustodyKey:
    key = own_keys.create_custody_key()
    try:
        with transaction.atomic():
            row = CustodyKey.objects.create(
                officer_id=officer.pk if officer else None,
                holder=holder,
                key_id=key.key_id,
                name=name,
                unit=unit,
                made_at=now,
            )
            _certify(row, key.public.to_bytes(), now)
    except IntegrityError:  # another process made one at this moment: that one holds
        own_keys.destroy_custody_key(key.key_id)
        return CustodyKey.objects.get(holder=holder, ended_at=None)
    return row


def _end(row: CustodyKey, now: datetime) -> None:
    key = own_keys.custody_key(row.key_id)
    row.ended_at = now
    row.save(update_fields=["ended_at"])
    _certify(row, key.public.to_bytes(), now)
    transaction.on_commit(lambda: own_keys.destroy_custody_key(row.key_id))


def _certify(row: CustodyKey, public: bytes, now: datetime) -> None:
    certificate = Certificate(
        authority=directory.own_code(),
        officer=row.name,
        unit=row.unit,
        key=public,
        not_before=row.made_at,
        issued_at=now,
        not_after=row.ended_at,
        machine=row.holder == MACHINE,
    )
    _store(certificate, sign_certificate(certificate, own_keys.signing_key()))


def _store(certificate: Certificate, signed: bytes) -> None:
    OfficerCertificate.objects.get_or_create(
        digest=hashlib.sha256(signed).hexdigest(),
        defaults={
            "authority": certificate.authority,
            "key_id": certificate.verify_key.key_id,
            "signed": signed,
            "issued_at": certificate.issued_at,
        },
    )
