"""Pages of holdings: what this authority knows, who may match against it, and loading files into it."""

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from palermo.node.directory import queries as directory
from palermo.node.holdings import actions, queries
from palermo.node.holdings.rows import HoldingRow, LoadReportRow
from palermo.node.holdings.states import LoadState
from palermo.node.office import policy
from palermo.node.office.queries import officer_names
from palermo.web.access import Request, needs
from palermo.web.forms.holdings import HoldingEditForm, HoldingForm, LoadForm, ProtectForm
from palermo.web.forms.rendering import attempt
from palermo.web.paging import slice_of


@require_safe
def index(request: Request) -> HttpResponse:
    """All holdings."""
    rows = slice_of(request, queries.holdings(request.user))
    context = {"holdings": rows, "may_edit": policy.allows(request.user, "holding.edit"), "state": ""}
    return render(request, "palermo/holdings/index.html", context)


@require_http_methods(["GET", "POST"])
@needs("holding.edit")
def new(request: Request) -> HttpResponse:
    """Make a holding."""
    form = HoldingForm(
        request.POST or None, initial={"handling_code": "H1", "tlp": "TLP:AMBER", "hit_reveals": "existence"}
    )
    if request.method == "POST":
        made = attempt(form, lambda: actions.create(request.user, **form.cleaned_data, now=timezone.now()))
        if made is not None:
            messages.success(request, _("The holding is made. Load its files next."))
            return redirect("holding", made.code)
    context = {"form": form, "state": "new"}
    return render(request, "palermo/holdings/new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def holding(request: Request, code: str) -> HttpResponse:
    """One holding; a POST of files queues a load."""
    row = queries.holding(request.user, code)
    form = LoadForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        queued = attempt(
            form,
            lambda: actions.queue_load(
                request.user,
                code,
                format=form.cleaned_data["format"],
                files=[(file.name, file.chunks()) for file in form.cleaned_data["file"]],
                now=timezone.now(),
            ),
        )
        if queued is not None:
            return redirect("holding", code)
    loads = queries.loads(request.user, code)
    context = {
        "holding": row,
        "loads": slice_of(request, loads, 20),
        "names": officer_names([load.loaded_by for load in loads]),
        "partners": _partner_names(row),
        "form": form,
        "may_edit": policy.allows(request.user, "holding.edit"),
        "may_load": policy.allows(request.user, "holding.load"),
        "may_protect": policy.allows(request.user, "holding.protect"),
        "loading": any(_is_under_way(load) for load in loads),
    }
    context["state"] = "loading" if context["loading"] else row.state.value
    return render(request, "palermo/holdings/holding.html", context, status=422 if form.errors else 200)


def _is_under_way(load: LoadReportRow) -> bool:
    return load.state in (LoadState.QUEUED, LoadState.LOADING)


def _partner_names(row: HoldingRow) -> list[tuple[str, str]]:
    names = directory.names()
    return [(code, names.get(code, code)) for code in row.partners]


@require_http_methods(["GET", "POST"])
@needs("holding.edit")
def edit(request: Request, code: str) -> HttpResponse:
    """Change a holding."""
    row = queries.holding(request.user, code)
    fields = (
        "name",
        "source",
        "purpose",
        "retention_date",
        "hit_reveals",
        "contact_point",
        "handling_code",
        "tlp",
        "caveats",
        "duty_unit",
    )
    initial = {name: getattr(row, name) for name in fields} | {"partners": list(row.partners)}
    form = HoldingEditForm(request.POST or None, initial=initial)
    if request.method == "POST":
        changed = attempt(form, lambda: actions.edit(request.user, code, **form.cleaned_data, now=timezone.now()))
        if changed is not None:
            messages.success(request, _("The holding is changed. Partners are served accordingly from the next epoch."))
            return redirect("holding", code)
    context = {"form": form, "holding": row, "state": row.state.value}
    return render(request, "palermo/holdings/edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def protect(request: Request, code: str) -> HttpResponse:
    """What is never published, and why."""
    rows = queries.protected(request.user, code)
    form = ProtectForm(request.POST or None)
    if request.method == "POST":
        count = attempt(form, lambda: actions.protect(request.user, code, **form.cleaned_data, now=timezone.now()))
        if count is not None:
            messages.success(
                request, ngettext("%d item is protected now.", "%d items are protected now.", count) % count
            )
            return redirect("holding-protect", code)
    context = {
        "form": form,
        "holding": queries.holding(request.user, code),
        "items": slice_of(request, rows),
        "names": officer_names([row.protected_by for row in rows]),
        "state": "",
    }
    return render(request, "palermo/holdings/protect.html", context, status=422 if form.errors else 200)


@require_POST
def unprotect(request: Request, code: str) -> HttpResponse:
    """End the protection of one item."""
    actions.unprotect(request.user, code, entity_id=request.POST.get("entity_id", ""), now=timezone.now())
    messages.success(request, _("The item is no longer protected. It is published with the next epoch."))
    return redirect("holding-protect", code)


@require_safe
def rejects(request: Request, code: str, reference: str) -> FileResponse:
    """The rows that a load rejected: file, line, reason and row, one JSON object a line."""
    path = queries.rejects_path(request.user, reference)
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"rejects-{code}-{reference}.jsonl")
