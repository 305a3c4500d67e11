"""Pages of evidence: items with their custody, and sealed packages that verify offline."""

from pathlib import Path

from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import actions, queries
from palermo.node.evidence.rows import ItemRow
from palermo.node.evidence.states import PackageState
from palermo.node.exchange.files import queries as files
from palermo.node.office import policy
from palermo.node.requests import queries as requests
from palermo.web.access import Request
from palermo.web.evidence_uses import panel
from palermo.web.forms.evidence import CourtCopyForm, ItemForm, SealForm, StepForm
from palermo.web.forms.rendering import attempt


@require_http_methods(["GET", "POST"])
def new_item(request: Request, reference: str) -> HttpResponse:
    """Add an item to a case."""
    case = cases.case(request.user, reference)
    policy.require(request.user, "evidence.add", case.members)
    form = ItemForm(request.POST or None, request.FILES or None, initial=_usual_marks())
    if request.method == "POST":
        added = attempt(form, lambda: _add(request, reference, form))
        if added is not None:
            return redirect("evidence", added.reference)
    context = {"case": case, "form": form, "state": case.state.value}
    return render(request, "palermo/evidence/new_item.html", context, status=422 if form.errors else 200)


def _usual_marks() -> dict[str, str]:
    return {"tlp": "amber", "handling_code": "H1", "source_grade": "A", "information_grade": "1"}


def _add(request: Request, case: str, form: ItemForm) -> ItemRow:
    facts = dict(form.cleaned_data)
    file = facts.pop("content")
    media_type = file.content_type or "application/octet-stream"
    # A large upload lies in a temporary file already: its bytes never pass through memory as a whole.
    content = Path(file.temporary_file_path()) if isinstance(file, TemporaryUploadedFile) else file.read()
    return actions.add_item(
        request.user, case=case, content=content, name=file.name, media_type=media_type, **facts, now=timezone.now()
    )


@require_safe
def item(request: Request, reference: str) -> HttpResponse:
    """One item, its marks and its custody."""
    row = queries.item(request.user, reference)
    context = {
        "item": row,
        "may_add": policy.allows(request.user, "evidence.add", cases.members(row.case)),
        "state": row.origin.value,
        **panel(request.user, row),
    }
    return render(request, "palermo/evidence/item.html", context)


@require_http_methods(["GET", "POST"])
def step(request: Request, reference: str) -> HttpResponse:
    """Record a step of custody that was taken outside the node."""
    row = queries.item(request.user, reference)
    policy.require(request.user, "evidence.add", cases.members(row.case))
    form = StepForm(request.POST or None, initial={"by": request.user.get_full_name()})
    if request.method == "POST":
        recorded = attempt(
            form, lambda: actions.record_step(request.user, reference, **form.cleaned_data, now=timezone.now())
        )
        if recorded is not None:
            messages.success(request, _("The step is recorded and signed with your custody key."))
            return redirect("evidence", reference)
    context = {"item": row, "form": form, "state": row.origin.value}
    return render(request, "palermo/evidence/step.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET"])
def content(request: Request, reference: str) -> FileResponse:
    """An item's bytes, always as a download: a browser never shows what a partner sent. It is a step of custody."""
    row = queries.item(request.user, reference)
    path = actions.open_item(request.user, reference, now=timezone.now())
    return FileResponse(path.open("rb"), as_attachment=True, filename=row.name, content_type="application/octet-stream")


@require_http_methods(["GET", "POST"])
def seal(request: Request, reference: str) -> HttpResponse:
    """Seal items of a case for a partner's request, after a page that says what it means."""
    officer = request.user
    case = cases.case(officer, reference)
    policy.require(officer, "evidence.seal", case.members)
    items = queries.items(officer, reference)
    asked = [row for row in requests.requests(officer, case=reference) if row.direction.value == "in"]
    form = SealForm(
        request.POST or None,
        choices=[(row.reference, f"{row.reference} – {row.what}") for row in items],
        partners=[(row.code, f"{row.name} ({row.code})") for row in directory.partners()],
        initial={"recipient": asked[0].partner, "request_reference": asked[0].reference} if asked else None,
    )
    if request.method == "POST":
        sealed = attempt(
            form, lambda: actions.seal_package(officer, case=reference, **form.cleaned_data, now=timezone.now())
        )
        if sealed is not None:
            return redirect("package", sealed.reference)
    context = {"case": case, "form": form, "items": items, "state": case.state.value}
    return render(request, "palermo/evidence/seal.html", context, status=422 if form.errors else 200)


@require_safe
def package(request: Request, reference: str) -> HttpResponse:
    """One package and what is in it."""
    row = queries.package(request.user, reference)
    context = {
        "package": row,
        "partner_name": directory.names().get(row.partner, row.partner),
        "files": files.of_subject(reference),
        "copies": queries.court_copies(request.user, reference),
        "state": row.direction if row.state is PackageState.SEALED else row.state.value,
    }
    return render(request, "palermo/evidence/package.html", context)


@require_http_methods(["GET", "POST"])
def package_copy(request: Request, reference: str) -> HttpResponse:
    """Make a court copy: the package in clear, with a step of custody for each item that says so."""
    row = queries.package(request.user, reference)
    policy.require(request.user, "evidence.copy", cases.members(row.case))
    form = CourtCopyForm(request.POST or None)
    if request.method == "POST":
        copied = attempt(
            form,
            lambda: actions.copy_for_court(request.user, reference, **form.cleaned_data, now=timezone.now()),
        )
        if copied is not None:
            messages.success(request, _("The copy is recorded in the custody of each item. You can download it now."))
            return redirect("package", reference)
    context = {"package": row, "form": form, "state": row.direction}
    return render(request, "palermo/evidence/copy.html", context, status=422 if form.errors else 200)


@require_safe
def package_download(request: Request, reference: str) -> FileResponse:
    """The package's file, as it was sealed, for whoever recorded a court copy of it."""
    row = queries.package(request.user, reference)
    path = actions.copied_file(request.user, reference, now=timezone.now())
    return FileResponse(path.open("rb"), as_attachment=True, filename=row.file_name)


@require_safe
def package_verify(request: Request, reference: str) -> HttpResponse:
    """Check the package's file step by step, as a court would, under this node's trust root."""
    row = queries.package(request.user, reference)
    report = queries.verify(request.user, reference)
    context = {"package": row, "report": report, "state": report.verdict.value}
    return render(request, "palermo/evidence/verify.html", context)


@require_safe
def package_certificate(request: Request, reference: str) -> HttpResponse:
    """The same checks on one page to print, for a court's file."""
    name, pdf = queries.certificate(request.user, reference, now=timezone.now())
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)
