"""Pages of the directory: who takes part, with which keys, and how the post to each fares."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from palermo.node.directory import actions, currency, queries
from palermo.node.exchange import queries as exchange
from palermo.node.ledger import actions as ledger_actions
from palermo.node.ledger import queries as ledger
from palermo.node.office import actions as office
from palermo.node.office import policy
from palermo.node.office.errors import InvalidError
from palermo.sealing.errors import SealingError
from palermo.web.access import Request, needs
from palermo.web.forms.partners import DirectoryForm
from palermo.web.forms.rendering import attempt
from palermo.web.paging import asked_page, slice_of, uncounted
from palermo.web.work import waits_for


@require_safe
@needs("partners.read")
def index(request: Request) -> HttpResponse:
    """The other members of the network."""
    context = {
        "partners": slice_of(request, queries.partners()),
        "peers": {peer.code: peer for peer in exchange.peers(request.user)},
        "version": queries.directory_version(),
        "standing": currency.standing(timezone.now()),
        "may_import": policy.allows(request.user, "directory.import"),
        "state": "",
    }
    return render(request, "palermo/partners/index.html", context)


@require_safe
@needs("partners.read")
def partner(request: Request, code: str) -> HttpResponse:
    """One authority, its keys, and the checkpoints of its log that we witnessed."""
    row = queries.authority(code)
    seen = ledger.witnessed(request.user, code, page=asked_page(request))
    context = {
        "partner": row,
        "keys": queries.keys(code),
        "witnessed": uncounted(request, seen, ledger.PAGE),
        "peer": next((peer for peer in exchange.peers(request.user) if peer.code == code), None),
        "now": timezone.now(),
        "waits": waits_for(request.user, request.path),
        "state": "member" if row.is_member else "former",
    }
    return render(request, "palermo/partners/partner.html", context)


@require_POST
def acknowledge(request: Request, code: str) -> HttpResponse:
    """Somebody has looked into the partner's second history: its tasks are done."""
    ledger_actions.acknowledge_second_history(request.user, code, now=timezone.now())
    messages.success(request, _("It is noted that you looked into the second history of %(code)s.") % {"code": code})
    return redirect("partner", code)


@require_http_methods(["GET", "POST"])
@needs("directory.import")
def import_directory(request: Request) -> HttpResponse:
    """Take over a directory that the founders signed."""
    form = DirectoryForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        change = attempt(form, lambda: _take_over(request, form.cleaned_data["file"]))
        if change is not None:
            messages.success(
                request, _("Version %(version)d of the directory is in force.") % {"version": change.version}
            )
            return redirect("partners")
    context = {"form": form, "version": queries.directory_version(), "state": "import"}
    return render(request, "palermo/partners/import.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _take_over(request: Request, data: bytes) -> actions.DirectoryChange:
    now = timezone.now()
    try:
        change = actions.import_directory(data, now=now)
    except SealingError as error:
        raise InvalidError(_("This directory is refused: %(why)s") % {"why": error}) from error
    office.audit(request.user, "directory.imported", str(change.version), now=now)
    return change
