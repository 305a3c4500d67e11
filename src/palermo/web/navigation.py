"""The links above every page, for those whose role holds the permission; and who and where one is."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from palermo.node.directory import queries as directory
from palermo.node.office import policy
from palermo.web.access import has_both_factors

# Words, name of the page, permission that shows it.
LINKS = (
    (_("Work"), "work", "task.read"),
    (_("Cases"), "cases", "case.list"),
    (_("Matching"), "matching", "epoch.read"),
    (_("Requests"), "requests", "case.list"),
    (_("Holdings"), "holdings", "holding.read"),
    (_("Partners"), "partners", "partners.read"),
    (_("Messages"), "messages", "message.read"),
    (_("Ledger"), "ledger", "ledger.read"),
    (_("Officers"), "officers", "officers.manage"),
    (_("Audit trail"), "audit", "audit.read"),
)


def surroundings(request: HttpRequest) -> dict[str, object]:
    """Context of every page: the authority, the navigation, and whether an officer is signed in."""
    signed_in = hasattr(request, "user") and hasattr(request, "session") and has_both_factors(request)
    return {
        "authority_code": settings.PALERMO_AUTHORITY,
        "authority_name": _authority_name(),
        "signed_in": signed_in,
        "navigation": _links(request) if signed_in else [],
    }


def _authority_name() -> str:
    try:
        return directory.own().name
    except directory.UnknownAuthorityError:
        # A node that has not joined a network yet knows itself by its code alone.
        return settings.PALERMO_AUTHORITY


def _links(request: HttpRequest) -> list[dict[str, object]]:
    links = []
    for words, name, permission in LINKS:
        if policy.allows(request.user, permission):  # type: ignore[arg-type]
            address = reverse(name)
            here = request.path == address if address == "/" else request.path.startswith(address)
            links.append({"words": words, "address": address, "here": here})
    return links
