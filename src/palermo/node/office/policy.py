"""The one access policy of a node: which role may do what, and for what one must also be on the case's team.

A permission is a row of :data:`PERMISSIONS`. Where ``need_to_know`` is set, the caller passes the officers of the case
(``members``); whoever has the role but is not among them is told that there is nothing, not that it is forbidden.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.utils.translation import gettext_lazy as _

from palermo.node.office.errors import AccessDeniedError, NotFoundError


class Role(StrEnum):
    """What an officer does here. One officer may hold several roles, but never approves what they asked for."""

    INVESTIGATOR = "investigator"
    SUPERVISOR = "supervisor"
    CENTRAL_AUTHORITY = "central_authority"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        """The role's name for people."""
        return str(_LABELS[self])


_LABELS = {
    Role.INVESTIGATOR: _("Investigator"),
    Role.SUPERVISOR: _("Supervisor"),
    Role.CENTRAL_AUTHORITY: _("Central-authority officer"),
    Role.AUDITOR: _("Auditor"),
    Role.ADMINISTRATOR: _("Administrator"),
}


class Actor(Protocol):
    """An officer, as the policy and the apps see one."""

    pk: int
    roles: list[str]
    is_active: bool

    def get_full_name(self) -> str:
        """The name that stands in records."""
        ...


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may do a thing. ``exempt``: roles that need not be on the case's team."""

    roles: frozenset[Role]
    need_to_know: bool = False
    exempt: frozenset[Role] = frozenset()


_I, _S, _C, _A, _M = Role.INVESTIGATOR, Role.SUPERVISOR, Role.CENTRAL_AUTHORITY, Role.AUDITOR, Role.ADMINISTRATOR


def _may(*roles: Role) -> Permission:
    return Permission(frozenset(roles))


def _on_the_case(*roles: Role, exempt: tuple[Role, ...] = ()) -> Permission:
    return Permission(frozenset(roles) | frozenset(exempt), need_to_know=True, exempt=frozenset(exempt))


# The supervisor answers for all cases of the authority; the auditor sees the ledger and the audit trail, never a case.
# So of messages and ledger entries the auditor sees kind, partner, time and receipt, the administrator the post alone;
# case, purpose and basis (message.read_case) and the other fields of an entry (ledger.read_fields) are withheld.
PERMISSIONS: dict[str, Permission] = {
    "case.open": _may(_I, _S, _C),
    "case.list": _may(_I, _S, _C),
    "case.read": _on_the_case(_I, _C, exempt=(_S,)),
    "case.edit": _on_the_case(_I, _C, exempt=(_S,)),
    "case.review": _may(_S),
    "run.start": _on_the_case(_I, _S),
    "run.read": _on_the_case(_I, _C, exempt=(_S,)),
    "hit.judge": _on_the_case(_I, _S),
    "holding.read": _may(_I, _S, _C, _M),
    "holding.edit": _may(_S, _M),
    "holding.load": _may(_S, _M),
    "holding.protect": _may(_S),
    "epoch.open": _may(_S, _M),
    "epoch.read": _may(_I, _S, _M, _A),
    "request.draft": _on_the_case(_I, _C, _S),
    "request.read": _on_the_case(_I, _C, exempt=(_S,)),
    "request.approve": _on_the_case(exempt=(_S,)),
    "request.send": _on_the_case(_I, _C, exempt=(_S,)),
    "request.answer": _on_the_case(_I, _C, exempt=(_S,)),
    "request.issue_formal": _on_the_case(_C),
    "request.gate": _on_the_case(_C, exempt=(_S,)),
    "evidence.add": _on_the_case(_I, _C, exempt=(_S,)),
    "evidence.read": _on_the_case(_I, _C, exempt=(_S,)),
    "evidence.seal": _on_the_case(_C, _S),
    "evidence.copy": _on_the_case(_I, _C, exempt=(_S,)),
    "evidence.attest": _on_the_case(_C, exempt=(_S,)),
    "evidence.ask_use": _on_the_case(_I, _C, exempt=(_S,)),
    "evidence.answer_use": _on_the_case(_C, exempt=(_S,)),
    "evidence.approve_use": _on_the_case(_C, exempt=(_S,)),
    "evidence.notify": _on_the_case(_C, exempt=(_S,)),
    "evidence.recall": _on_the_case(_C, exempt=(_S,)),
    "evidence.destroy": _on_the_case(_C, exempt=(_S,)),
    "evidence.retain": _on_the_case(_C, exempt=(_S,)),
    "ledger.read": _may(_A, _S),
    "audit.read": _may(_A),
    "message.read": _may(_A, _S, _M),
    "message.read_case": _may(_S),
    "courier.carry": _may(_S, _M),
    "relay.read": _may(_A, _S, _M),
    "ledger.read_fields": _may(_S),
    "receipt.read": _may(_A, _S, _M),
    "partners.read": _may(_I, _S, _C, _A, _M),
    "directory.import": _may(_M),
    "officers.manage": _may(_M),
    "officers.list": _may(_I, _S, _C, _M),
    "task.read": _may(_I, _S, _C, _A, _M),
}


def holds(officer: Actor, permission: str) -> bool:
    """Whether the officer is active and one of their roles has the permission, need to know apart."""
    return officer.is_active and not PERMISSIONS[permission].roles.isdisjoint(officer.roles)


def allows(officer: Actor, permission: str, members: Collection[int] | None = None) -> bool:
    """Whether ``officer`` may do this. ``members``: primary keys of the case's team, where need to know applies."""
    row = PERMISSIONS[permission]
    if not holds(officer, permission):
        return False
    return not row.need_to_know or not row.exempt.isdisjoint(officer.roles) or officer.pk in (members or ())


def require(officer: Actor, permission: str, members: Collection[int] | None = None) -> None:
    """Refuse unless :func:`allows`: no role, ``AccessDeniedError``; no need to know, ``NotFoundError``."""
    if not holds(officer, permission):
        raise AccessDeniedError("Your role does not allow this. Ask your administrator if it should.")
    if not allows(officer, permission, members):
        raise NotFoundError


def roles_for(permission: str) -> Sequence[Role]:
    """The roles that hold a permission, in the order of :class:`Role`."""
    return [role for role in Role if role in PERMISSIONS[permission].roles]
