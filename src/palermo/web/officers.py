"""Pages of the administrator: who works here."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from palermo.node.office import actions, queries
from palermo.node.office.queries import OfficerRow
from palermo.web.access import Request, needs
from palermo.web.forms.officers import OfficerForm, RolesForm
from palermo.web.forms.rendering import attempt
from palermo.web.paging import slice_of


def state_of(row: OfficerRow) -> str:
    """Invited, active or not active."""
    return ("active" if row.joined else "invited") if row.is_active else "inactive"


@require_safe
@needs("officers.manage")
def index(request: Request) -> HttpResponse:
    """All officers."""
    rows = [(row, state_of(row)) for row in queries.officers(request.user)]
    return render(request, "palermo/officers/index.html", {"officers": slice_of(request, rows), "state": ""})


@require_http_methods(["GET", "POST"])
@needs("officers.manage")
def new(request: Request) -> HttpResponse:
    """Make an officer; the one-time link is shown once."""
    form = OfficerForm(request.POST or None)
    if request.method == "POST":
        made = attempt(form, lambda: actions.create_officer(request.user, **form.cleaned_data, now=timezone.now()))
        if made is not None:
            return _show_link(request, *made)
    context = {"form": form, "state": "new"}
    return render(request, "palermo/officers/new.html", context, status=422 if form.errors else 200)


def _show_link(request: Request, row: OfficerRow, token: str) -> HttpResponse:
    link = request.build_absolute_uri(reverse("join", args=[token]))
    context = {"officer": row, "link": link, "days": actions.INVITATION_DAYS, "state": "invited"}
    return render(request, "palermo/officers/link.html", context)


@require_http_methods(["GET", "POST"])
@needs("officers.manage")
def officer(request: Request, username: str) -> HttpResponse:
    """Change what an officer may do."""
    row = queries.officer_by_name(request.user, username)
    initial = {"roles": list(row.roles), "active": "yes" if row.is_active else "no"}
    form = RolesForm(request.POST or None, initial=initial)
    if request.method == "POST":
        changed = attempt(
            form,
            lambda: actions.set_roles(request.user, username=username, **form.cleaned_data, now=timezone.now()),
        )
        if changed is not None:
            messages.success(request, _("The change is in force at once."))
            return redirect("officer", username)
    context = {"officer": row, "form": form, "state": state_of(row)}
    return render(request, "palermo/officers/officer.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@needs("officers.manage")
def invite(request: Request, username: str) -> HttpResponse:
    """A new one-time link, after a page that says what it means."""
    row = queries.officer_by_name(request.user, username)
    if request.method == "POST":
        return _show_link(request, row, actions.invite_again(request.user, username=username, now=timezone.now()))
    return render(request, "palermo/officers/invite.html", {"officer": row, "state": state_of(row)})
