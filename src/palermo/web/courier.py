"""Pages of the other ways: files that a courier carries, and relays."""

import secrets

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from palermo.node.directory import queries as directory
from palermo.node.exchange import courier, courier_arrivals, relay_overview
from palermo.node.exchange.courier_arrivals import Imported
from palermo.node.home import uploads_folder
from palermo.web.access import Request, needs
from palermo.web.forms.courier import CourierForm
from palermo.web.forms.rendering import attempt

MOST_NAMED = 20


@require_http_methods(["GET", "POST"])
@needs("courier.carry")
def index(request: Request) -> HttpResponse:
    """What waits for each partner, to be taken along; and where a file that came is handed in."""
    form = CourierForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        done = attempt(form, lambda: _import(request, form))
        if done is not None:
            _tell(request, done)
            return redirect("courier")
    now = timezone.now()
    rows = [(partner, *courier.waiting(partner.code, now)) for partner in directory.partners()]
    context = {"form": form, "rows": rows, "state": "courier"}
    return render(request, "palermo/messages/courier.html", context, status=422 if form.errors else 200)


def _import(request: Request, form: CourierForm) -> Imported:
    return courier_arrivals.import_stream(form.cleaned_data["file"].file, now=timezone.now(), officer=request.user)


def _tell(request: Request, done: Imported) -> None:
    text = _(
        "From %(sender)s: %(new)d new, %(known)d known before, %(letters)d letters, %(rejected)d rejected, "
        "%(damaged)d damaged, %(later)d to be imported again."
    ) % {
        "sender": done.manifest.sender,
        "new": done.new,
        "known": done.known,
        "letters": done.letters,
        "rejected": len(done.rejected),
        "damaged": len(done.damaged),
        "later": len(done.later),
    }
    (messages.success if done.whole else messages.warning)(request, text)
    for fault in [*done.rejected, *done.damaged, *done.later][:MOST_NAMED]:
        messages.warning(request, _("Part %(number)d: %(reason)s") % {"number": fault.number, "reason": fault.reason})
    if done.fault:
        messages.warning(request, _("The file as a whole: %(fault)s.") % {"fault": done.fault})


@require_POST
def export(request: Request) -> FileResponse:
    """The file for one partner, to be saved on a stick. Its warnings stand on the next page."""
    now = timezone.now().replace(microsecond=0)
    recipient = request.POST.get("to", "")
    path = uploads_folder() / f"{secrets.token_hex(16)}{courier.SUFFIX}"
    try:
        done = courier.export(path, recipient=recipient, officer=request.user, now=now)
        stream = path.open("rb")
    finally:
        path.unlink(missing_ok=True)  # it is sent from the open file
    for warning in done.warnings(now):
        messages.warning(request, warning)
    return FileResponse(
        stream,
        as_attachment=True,
        filename=courier.file_name(recipient, now),
        content_type="application/octet-stream",
    )


@require_safe
def relays(request: Request) -> HttpResponse:
    """Mailboxes that this node keeps for others, and relays that it asks: counts and times, never content."""
    context = {
        "mailboxes": relay_overview.mailboxes(request.user),
        "polls": relay_overview.polls(request.user),
        "relays_here": relay_overview.relays_here(),
        "names": directory.names(),
        "state": "relays",
    }
    return render(request, "palermo/messages/relays.html", context)
