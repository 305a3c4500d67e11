"""Pages of requests: what one authority asks of another, what the treaty demands of it, and the answer."""

from itertools import groupby

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import queries as evidence
from palermo.node.exchange.files import queries as files
from palermo.node.exchange.files.queries import FileRow
from palermo.node.matching import queries as matching
from palermo.node.office import policy
from palermo.node.office.errors import ConflictError, NotFoundError
from palermo.node.office.policy import Actor
from palermo.node.requests import actions, queries
from palermo.node.requests.rows import GateRow, RequestRow
from palermo.node.requests.states import Direction
from palermo.node.requests.types import registry
from palermo.node.requests.types.form import FormField, Widget
from palermo.web.access import Request
from palermo.web.forms.rendering import PageForm, attempt
from palermo.web.forms.requests import AnswerForm, CiteForm, FactsForm, GateForm, ReasonForm, initial_facts
from palermo.web.paging import slice_of


@require_safe
def index(request: Request) -> HttpResponse:
    """The officer's requests, both directions."""
    direction = request.GET.get("direction", "")
    rows = [row for row in queries.requests(request.user) if direction in ("", row.direction.value)]
    context = {"requests": slice_of(request, rows), "direction": direction, "names": directory.names(), "state": ""}
    return render(request, "palermo/requests/index.html", context)


def _hits(officer: Actor, case: str, questions: tuple[FormField, ...]) -> list[tuple[str, str]]:
    """The case's confirmed hits, where the form asks for some."""
    if not any(question.widget is Widget.HITS for question in questions):
        return []
    return [(hit.hit_id, f"{hit.our_caption} – {hit.partner}") for hit in matching.confirmed_hits(officer, case)]


@require_http_methods(["GET", "POST"])
def new(request: Request, reference: str, code: str) -> HttpResponse:
    """Draft a request of a case."""
    case = cases.case(request.user, reference)
    type_ = queries.type_named(request.user, code)
    partners = [(row.code, f"{row.name} ({row.code})") for row in directory.partners() if type_.channel in row.roles]
    hits = _hits(request.user, reference, type_.fields)
    form = FactsForm(request.POST or None, questions=type_.fields, hits=hits, partners=partners)
    if request.method == "POST":
        drafted = attempt(
            form,
            lambda: actions.draft(
                request.user,
                type=code,
                case=reference,
                partner=form.cleaned_data["partner"],
                facts=form.facts(),
                now=timezone.now(),
            ),
        )
        if drafted is not None:
            return redirect("request", drafted.reference)
    context = {"case": case, "type": type_, "form": form, "partners": partners, "state": "new"}
    return render(request, "palermo/requests/new.html", context, status=422 if form.errors else 200)


@require_safe
def request_page(request: Request, reference: str) -> HttpResponse:
    """One request: facts, what the treaty demands, safeguards, approval, answers, and what can be done now."""
    officer = request.user
    row = queries.request(officer, reference)
    actions.opened(officer, reference, now=timezone.now())
    ours = row.direction is Direction.OUT
    context = {
        "request_row": row,
        "partner_name": directory.names().get(row.partner, row.partner),
        "answers_to": _facts_in_words(row),
        "findings": queries.check(officer, reference),
        "gates": queries.gates(officer, reference),
        "approval": queries.approval(officer, reference) if ours else None,
        "steps": queries.next_steps(officer, reference),
        "cited": queries.cited(officer, reference, timezone.now()),
        "may_ask": policy.allows(officer, "evidence.ask_use", cases.members(row.case)),
        "stated": queries.items_stated(officer, reference),
        "ours": ours,
        "files": _files(row),
        "state": row.state.value,
    }
    return render(request, "palermo/requests/request.html", context)


def _files(row: RequestRow) -> list[FileRow]:
    """Evidence of this request that travels beside its answers: what a partner sends us, or what we send."""
    subjects = [row.reference] if row.direction is Direction.OUT else [answer.package for answer in row.answers]
    return [file for subject in subjects if subject for file in files.of_subject(subject)]


def _facts_in_words(row: RequestRow) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """(heading, [(question, article, answer)]) in the order of the form; choices in words."""
    type_ = registry.get(row.type)
    if type_ is None:
        return [("", [(name, "", text) for name, text in sorted(row.facts.items())])]
    answered = [
        (question, text)
        for question in type_.fields
        if (text := row.facts.get(question.name, "")) and question.widget is not Widget.HITS
    ]
    return [
        (heading, [(asked.label, asked.article, dict(asked.choices).get(text, text)) for asked, text in together])
        for heading, together in groupby(answered, lambda answer: answer[0].section)
    ]


def _render_form(request: Request, template: str, row: RequestRow, form: PageForm, **more: object) -> HttpResponse:
    context = {"request_row": row, "form": form, "state": row.state.value, **more}
    return render(request, f"palermo/requests/{template}.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def edit(request: Request, reference: str) -> HttpResponse:
    """Change a draft."""
    row = queries.request(request.user, reference)
    type_ = queries.type_named(request.user, row.type)
    hits = _hits(request.user, row.case, type_.fields)
    initial = initial_facts(type_.fields, row.facts)
    form = FactsForm(request.POST or None, questions=type_.fields, hits=hits, initial=initial)
    if request.method == "POST":
        changed = attempt(
            form, lambda: actions.edit_draft(request.user, reference, facts=form.facts(), now=timezone.now())
        )
        if changed is not None:
            return redirect("request", reference)
    return _render_form(request, "edit", row, form, type=type_)


@require_http_methods(["GET", "POST"])
def cite(request: Request, reference: str) -> HttpResponse:
    """Choose the items of evidence that a request cites."""
    row = queries.request(request.user, reference)
    queries.type_named(request.user, row.type)
    now = timezone.now()
    chosen = [item.reference for item in queries.cited(request.user, reference, now)]
    sent = request.POST if request.method == "POST" else None  # no tick at all is an answer too
    form = CiteForm(sent, items=queries.citable(request.user, reference, now), initial={"items": chosen})
    if request.method == "POST":
        cited = attempt(form, lambda: actions.cite_items(request.user, reference, **form.cleaned_data, now=now))
        if cited is not None:
            return redirect("request", reference)
    return _render_form(request, "cite", row, form)


@require_http_methods(["GET", "POST"])
def gate(request: Request, reference: str, code: str) -> HttpResponse:
    """Answer one safeguard."""
    row = queries.request(request.user, reference)
    asked = _gate(request.user, reference, code)
    initial = {"concern": asked.concern, "decision": asked.decision, "reason": asked.reason}
    form = GateForm(request.POST or None, initial=initial)
    if request.method == "POST":
        answered = attempt(
            form,
            lambda: actions.answer_gate(request.user, reference, gate=code, **form.cleaned_data, now=timezone.now()),
        )
        if answered is not None:
            return redirect("request", reference)
    return _render_form(request, "gate", row, form, gate=asked)


def _gate(officer: Actor, reference: str, code: str) -> GateRow:
    found = next((row for row in queries.gates(officer, reference) if row.code == code), None)
    if found is None:
        raise NotFoundError
    return found


@require_http_methods(["GET", "POST"])
def submit(request: Request, reference: str) -> HttpResponse:
    """Fix the bytes and ask a second person, after a page that says what it means."""
    row = queries.request(request.user, reference)
    form = PageForm({}) if request.method == "POST" else PageForm()
    if (
        request.method == "POST"
        and attempt(form, lambda: actions.submit_for_approval(request.user, reference, now=timezone.now())) is not None
    ):
        messages.success(request, _("A second person is asked to approve the request."))
        return redirect("request", reference)
    return _render_form(request, "submit", row, form)


@require_http_methods(["GET", "POST"])
def send(request: Request, reference: str) -> HttpResponse:
    """Send an approved request, after a page that says what it means."""
    row = queries.request(request.user, reference)
    form = PageForm({}) if request.method == "POST" else PageForm()
    if (
        request.method == "POST"
        and attempt(form, lambda: actions.send(request.user, reference, now=timezone.now())) is not None
    ):
        messages.success(request, _("The request is on its way, and stands in the ledger."))
        return redirect("request", reference)
    return _render_form(request, "send", row, form, partner_name=directory.names().get(row.partner, row.partner))


@require_http_methods(["GET", "POST"])
def withdraw(request: Request, reference: str) -> HttpResponse:
    """Give up a request that was not sent."""
    row = queries.request(request.user, reference)
    form = ReasonForm(request.POST or None)
    if (
        request.method == "POST"
        and attempt(form, lambda: actions.withdraw(request.user, reference, **form.cleaned_data, now=timezone.now()))
        is not None
    ):
        return redirect("request", reference)
    return _render_form(request, "withdraw", row, form)


@require_http_methods(["GET", "POST"])
def close(request: Request, reference: str) -> HttpResponse:
    """Close a request that was answered for good."""
    row = queries.request(request.user, reference)
    form = PageForm({}) if request.method == "POST" else PageForm()
    if (
        request.method == "POST"
        and attempt(form, lambda: actions.close(request.user, reference, now=timezone.now())) is not None
    ):
        return redirect("request", reference)
    return _render_form(request, "close", row, form)


@require_http_methods(["GET", "POST"])
def answer(request: Request, reference: str) -> HttpResponse:
    """Answer a partner's request."""
    row = queries.request(request.user, reference)
    if row.direction is not Direction.IN:
        raise ConflictError(_("This is our own request: the other authority answers it."))
    grounds = queries.permitted_grounds(request.user, reference)
    sealed = [
        (package.reference, f"{package.reference} – {package.file_name}")
        for package in evidence.packages(request.user, row.case)
        if package.direction == "out" and package.partner == row.partner
    ]
    items = queries.citable(request.user, reference, timezone.now())
    form = AnswerForm(request.POST or None, row=row, grounds=grounds, packages=sealed, items=items)
    if (
        request.method == "POST"
        and attempt(form, lambda: actions.answer(request.user, reference, **form.cleaned_data, now=timezone.now()))
        is not None
    ):
        messages.success(request, _("The answer is on its way, and stands in the ledger."))
        return redirect("request", reference)
    gates = queries.gates(request.user, reference)
    return _render_form(request, "answer", row, form, grounds=grounds, gates=gates)
