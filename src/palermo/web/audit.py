"""The audit trail: who did what inside the authority. What left it stands in the ledger."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from palermo.node.office import queries
from palermo.web.access import Request
from palermo.web.paging import asked_page, uncounted


@require_safe
def trail(request: Request) -> HttpResponse:
    """A page of the trail, newest first."""
    verb, target = request.GET.get("verb", ""), request.GET.get("target", "")
    rows = queries.audit_trail(request.user, verb=verb, target=target, page=asked_page(request))
    context = {"rows": uncounted(request, rows, queries.PAGE), "verb": verb, "target": target, "state": ""}
    return render(request, "palermo/audit.html", context)
