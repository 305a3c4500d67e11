"""Pages of cases: who is investigated, by whom, on what basis, and what happened."""

from collections.abc import Callable
from typing import TypeVar

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from palermo.node.cases import actions, queries
from palermo.node.cases.rows import CaseRow
from palermo.node.cases.states import CaseState
from palermo.node.evidence import queries as evidence
from palermo.node.matching import queries as matching
from palermo.node.office import policy
from palermo.node.office.policy import Actor
from palermo.node.office.queries import officer_names, officers_with
from palermo.node.requests import queries as requests
from palermo.web.access import Request, needs
from palermo.web.forms.cases import CaseForm, CloseForm, FlagForm, MemberForm, NoteForm, SubjectForm
from palermo.web.forms.rendering import attempt
from palermo.web.paging import slice_of

T = TypeVar("T")


@require_safe
def index(request: Request) -> HttpResponse:
    """The officer's cases; open ones unless the address asks for others."""
    wanted = request.GET.get("state", CaseState.OPEN.value)
    state = CaseState(wanted) if wanted in list(CaseState) else None
    rows = queries.cases(request.user, state=state)
    context = {"cases": slice_of(request, rows), "wanted": state, "may_open": policy.allows(request.user, "case.open")}
    return render(request, "palermo/cases/index.html", context | {"state": ""})


@require_http_methods(["GET", "POST"])
@needs("case.open")
def new(request: Request) -> HttpResponse:
    """Open a case."""
    form = CaseForm(request.POST or None)
    if request.method == "POST":
        opened = attempt(form, lambda: actions.open_case(request.user, **form.cleaned_data, now=timezone.now()))
        if opened is not None:
            return redirect("case", opened.reference)
    context = {"form": form, "state": "new"}
    return render(request, "palermo/cases/new.html", context, status=422 if form.errors else 200)


@require_safe
def case(request: Request, reference: str) -> HttpResponse:
    """One case: its basis, its runs, its requests, its evidence, its team, its time line."""
    officer = request.user
    row = queries.case(officer, reference)
    events = list(reversed(queries.timeline(officer, reference)))
    context = {
        "case": row,
        "state": row.state.value,
        "may": case_permissions(officer, row),
        "runs": _if_allowed(officer, row, "run.read", lambda: matching.runs(officer, reference)),
        "held_hits": _if_allowed(officer, row, "run.read", lambda: matching.held_hits(officer, reference)),
        "requests": _if_allowed(officer, row, "request.read", lambda: requests.requests(officer, case=reference)),
        "request_types": requests.types(officer),
        "items": _if_allowed(officer, row, "evidence.read", lambda: evidence.items(officer, reference)),
        "packages": _if_allowed(officer, row, "evidence.read", lambda: evidence.packages(officer, reference)),
        "events": slice_of(request, events, 25),
        "names": officer_names([*row.members, *(event.officer for event in events if event.officer is not None)]),
        "note_form": NoteForm(),
    }
    return render(request, "palermo/cases/case.html", context)


def case_permissions(officer: Actor, row: CaseRow) -> dict[str, bool]:
    """Which buttons a page of this case shows. The actions ask the policy again."""
    is_open = row.state is CaseState.OPEN
    permissions = ("case.edit", "run.start", "request.draft", "evidence.add", "evidence.seal", "evidence.retain")
    return {name.replace(".", "_"): is_open and policy.allows(officer, name, row.members) for name in permissions}


def _if_allowed(officer: Actor, row: CaseRow, permission: str, query: Callable[[], list[T]]) -> list[T]:
    return query() if policy.allows(officer, permission, row.members) else []


@require_http_methods(["GET", "POST"])
def subjects(request: Request, reference: str) -> HttpResponse:
    """Whom and what the case is about."""
    row = queries.case(request.user, reference)
    may_edit = case_permissions(request.user, row)["case_edit"]
    form = SubjectForm(request.POST or None)
    if request.method == "POST":
        added = attempt(
            form,
            lambda: actions.add_subject(
                request.user, reference, entity=form.subject, origin=form.cleaned_data["origin"], now=timezone.now()
            ),
        )
        if added is not None:
            messages.success(request, _("%(subject)s is a subject of the case.") % {"subject": added.caption})
            return redirect("case-subjects", reference)
    rows = queries.subjects(request.user, reference)
    context = {
        "case": row,
        "form": form,
        "subjects": slice_of(request, rows, 20),
        "names": officer_names([subject.added_by for subject in rows if subject.added_by is not None]),
        "may_edit": may_edit,
        "state": row.state.value,
    }
    return render(request, "palermo/cases/subjects.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def members(request: Request, reference: str) -> HttpResponse:
    """The team: who needs to know."""
    row = queries.case(request.user, reference)
    able = officer_names(officers_with(queries.READ))
    others = {pk: name for pk, name in able.items() if pk not in row.members}
    form = MemberForm(request.POST or None, officers=others)
    if request.method == "POST":
        added = attempt(
            form,
            lambda: actions.add_member(request.user, reference, **form.cleaned_data, now=timezone.now()),
        )
        if added is not None:
            return redirect("case-members", reference)
    context = {
        "case": row,
        "form": form,
        "names": officer_names(row.members),
        "others": others,
        "may_edit": case_permissions(request.user, row)["case_edit"],
        "state": row.state.value,
    }
    return render(request, "palermo/cases/members.html", context, status=422 if form.errors else 200)


@require_POST
def remove_member(request: Request, reference: str) -> HttpResponse:
    """End an officer's need to know."""
    row = queries.case(request.user, reference)
    text = request.POST.get("member", "")
    actions.remove_member(request.user, reference, member=int(text) if text.isdecimal() else 0, now=timezone.now())
    # Who removed themselves can no longer see the case.
    still_there = policy.allows(request.user, queries.READ, queries.members(row.reference))
    return redirect(reverse("case-members", args=[reference]) if still_there else reverse("cases"))


@require_POST
def note(request: Request, reference: str) -> HttpResponse:
    """Write a line into the time line."""
    queries.case(request.user, reference)
    form = NoteForm(request.POST)
    written = attempt(
        form, lambda: actions.note(request.user, reference, **form.cleaned_data, now=timezone.now()) or True
    )
    if not written:
        messages.error(request, _("The note was not kept: write something into it, up to 5,000 characters."))
    return redirect("case", reference)


@require_http_methods(["GET", "POST"])
def close(request: Request, reference: str) -> HttpResponse:
    """Close a case, after a page that says what it means."""
    row = queries.case(request.user, reference)
    form = CloseForm(request.POST or None)
    if request.method == "POST":
        closed = attempt(
            form, lambda: actions.close_case(request.user, reference, **form.cleaned_data, now=timezone.now())
        )
        if closed is not None:
            return redirect("case", reference)
    context = {"case": row, "form": form, "state": row.state.value}
    return render(request, "palermo/cases/close.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def flag(request: Request, reference: str) -> HttpResponse:
    """Raise, change or lower the neutrality flag."""
    row = queries.case(request.user, reference)
    form = FlagForm(request.POST or None, initial={"neutrality": row.neutrality.value or "none"})
    if request.method == "POST":
        flagged = attempt(form, lambda: actions.flag(request.user, reference, **form.cleaned_data, now=timezone.now()))
        if flagged is not None:
            return redirect("case", reference)
    context = {"case": row, "form": form, "state": row.state.value}
    return render(request, "palermo/cases/flag.html", context, status=422 if form.errors else 200)


@require_safe
def held_hits(request: Request, reference: str) -> HttpResponse:
    """What partners met of ours in this case."""
    row = queries.case(request.user, reference)
    rows = slice_of(request, matching.held_hits(request.user, reference))
    return render(request, "palermo/cases/held_hits.html", {"case": row, "hits": rows, "state": row.state.value})
