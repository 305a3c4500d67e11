"""Pages of use limitation: what a partner gave is used elsewhere with its consent alone (UNTOC 18(19), 18(5))."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import actions, notice_queries, queries, use_queries
from palermo.node.evidence.marks import Origin
from palermo.node.evidence.rows import ItemRow
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor
from palermo.web.access import Request
from palermo.web.forms.evidence import ConsentForm, UseForm
from palermo.web.forms.evidence_uses import AskForm, DecideForm, EndConsentForm, ExportForm, ReasonsForm
from palermo.web.forms.rendering import PageForm, attempt

T = TypeVar("T")


def panel(officer: Actor, row: ItemRow) -> dict[str, object]:
    """What the page of an item shows of its limits, and what this officer may do about them."""
    members = cases.members(row.case)
    living = row.destroyed_at is None
    out = [package for package in queries.packages(officer, row.case) if package.direction == "out"]
    bound = row.origin is not Origin.OWN
    may = {
        name: living and policy.allows(officer, f"evidence.{name}", members)
        for name in ("add", "ask_use", "attest", "notify", "recall", "retain")
    }
    return {
        "bound": bound,
        "may": may,
        "uses": use_queries.uses(officer, row.reference, timezone.now()) if bound else [],
        "consents": queries.consents(officer, row.reference),
        "questions": use_queries.questions(officer, row.reference),
        "notices": notice_queries.notices(officer, row.reference),
        "recalls": use_queries.recalls(officer, row.reference),
        "statements": use_queries.statements_of(officer, row.reference),
        "went_out": [package for package in out if row.reference in [item.reference for item in package.items]],
    }


def step_page(
    request: Request,
    form: PageForm,
    act: Callable[[datetime], T],
    *,
    to: Callable[[T], HttpResponseBase],
    title: Promise | str,
    button: Promise | str,
    caption: str,
    back: str,
    state: str,
    says: Promise | str = "",
    done: Promise | str = "",
    warning: Promise | str = "",
) -> HttpResponseBase:
    """A page with one form and one write: what it means, what is wrong with what was sent, and where it leads."""
    if request.method == "POST":
        result = attempt(form, lambda: act(timezone.now()))
        if result is not None:
            if done:
                messages.success(request, str(done))
            return to(result)
    context = {
        "form": form,
        "title": title,
        "button": button,
        "caption": caption,
        "back": back,
        "state": state,
        "says": says,
        "warning": warning,
    }
    return render(request, "palermo/evidence/one_step.html", context, status=422 if form.errors else 200)


def posted(request: Request) -> PageForm:
    """A form without fields: the button alone."""
    return PageForm({}) if request.method == "POST" else PageForm()


@require_http_methods(["GET", "POST"])
def ask(request: Request, reference: str) -> HttpResponseBase:
    """Ask the provider of an item for consent to one use of it."""
    row = queries.item(request.user, reference)
    policy.require(request.user, "evidence.ask_use", cases.members(row.case))
    asked = {name: request.GET[name] for name in ("use", "target", "recipient") if name in request.GET}
    form = AskForm(request.POST or None, initial={"legal_basis": row.article, **asked})
    return step_page(
        request,
        form,
        lambda now: actions.ask_use(request.user, item=reference, **form.cleaned_data, now=now),
        to=lambda question: redirect("question", question.reference),
        title=_("Ask for consent"),
        button=_("Send the question"),
        caption=reference,
        back=f"evidence={reference}",
        state=row.origin.value,
        says=_("The question goes signed to its provider, and stands in the ledger. Consent opens that use alone."),
        done=_("The question is on its way."),
    )


@require_http_methods(["GET", "POST"])
def consent(request: Request, reference: str) -> HttpResponseBase:
    """Record a consent that came by letter."""
    row = queries.item(request.user, reference)
    policy.require(request.user, "evidence.attest", cases.members(row.case))
    form = ConsentForm(request.POST or None)
    return step_page(
        request,
        form,
        lambda now: actions.record_consent(request.user, item=reference, **form.cleaned_data, now=now),
        to=lambda _consent: redirect("evidence", reference),
        title=_("Record a consent given by letter"),
        button=_("Record the consent"),
        caption=reference,
        back=f"evidence={reference}",
        state=row.origin.value,
        says=_("Where the exchange does not reach who gave the item. You stand for the letter by your name."),
        done=_("The consent is recorded."),
    )


@require_http_methods(["GET", "POST"])
def end_consent(request: Request, reference: str, consent: int) -> HttpResponseBase:
    """Record that a consent given by letter was withdrawn."""
    row = queries.item(request.user, reference)
    policy.require(request.user, "evidence.attest", cases.members(row.case))
    if consent not in [given.pk for given in queries.consents(request.user, reference)]:
        raise NotFoundError
    form = EndConsentForm(request.POST or None)
    return step_page(
        request,
        form,
        lambda now: actions.end_consent(request.user, consent=consent, **form.cleaned_data, now=now),
        to=lambda _consent: redirect("evidence", reference),
        title=_("Record that a consent was withdrawn"),
        button=_("End the consent"),
        caption=reference,
        back=f"evidence={reference}",
        state=row.origin.value,
        warning=_("What the consent opened closes, here and in every case to which the item was copied under it."),
        done=_("The consent has ended."),
    )


@require_http_methods(["GET", "POST"])
def use(request: Request, reference: str) -> HttpResponseBase:
    """Use an item in another case."""
    row = queries.item(request.user, reference)
    policy.require(request.user, "evidence.add", cases.members(row.case))
    form = UseForm(request.POST or None)
    return step_page(
        request,
        form,
        lambda now: actions.use_in_case(request.user, item=reference, **form.cleaned_data, now=now),
        to=lambda copy: redirect("evidence", copy.reference),
        title=_("Use in another case"),
        button=_("Use it there"),
        caption=reference,
        back=f"evidence={reference}",
        state=row.origin.value,
        says=_("What a partner gave is bound to its purpose: its consent for that case has to be in force."),
    )


@require_http_methods(["GET", "POST"])
def export(request: Request, reference: str) -> HttpResponseBase:
    """Take an item out for a court, or for another purpose."""
    row = queries.item(request.user, reference)
    policy.require(request.user, "evidence.add", cases.members(row.case))
    form = ExportForm(request.POST or None)
    return step_page(
        request,
        form,
        lambda now: actions.export_item(request.user, reference, **form.cleaned_data, now=now),
        to=lambda path: FileResponse(
            path.open("rb"), as_attachment=True, filename=row.name, content_type="application/octet-stream"
        ),
        title=_("Take the item out"),
        button=_("Take it out"),
        caption=reference,
        back=f"evidence={reference}",
        state=row.origin.value,
        says=_("The copy is a step of custody. What a partner gave needs its consent for this very purpose."),
    )


@require_safe
def question(request: Request, reference: str) -> HttpResponse:
    """One question for consent, on both sides: what is asked, and what was answered."""
    row = use_queries.question(request.user, reference)
    context = {
        "question": row,
        "ours": row.direction == "out",
        "partner_name": directory.names().get(row.partner, row.partner),
        "steps": use_queries.question_steps(request.user, reference),
        "approval": use_queries.approval(request.user, reference) if row.digest else None,
        "state": row.state.value,
    }
    return render(request, "palermo/evidence/question.html", context)


@require_http_methods(["GET", "POST"])
def decide(request: Request, reference: str) -> HttpResponseBase:
    """Decide on a partner's question."""
    row = use_queries.question(request.user, reference)
    policy.require(request.user, "evidence.answer_use", cases.members(row.case))
    form = DecideForm(request.POST or None)
    return step_page(
        request,
        form,
        lambda now: actions.propose_answer(request.user, reference, **form.cleaned_data, now=now),
        to=lambda _question: redirect("question", reference),
        title=_("Decide on the question"),
        button=_("Keep the decision"),
        caption=reference,
        back=f"question={reference}",
        state=row.state.value,
        says=_("A grant waits for a second person, then it is sent. A refusal is sent at once."),
        done=_("The decision is kept."),
    )


@require_http_methods(["GET", "POST"])
def send(request: Request, reference: str) -> HttpResponseBase:
    """Send the consent that a second person approved."""
    row = use_queries.question(request.user, reference)
    policy.require(request.user, "evidence.answer_use", cases.members(row.case))
    return step_page(
        request,
        posted(request),
        lambda now: actions.send_answer(request.user, reference, now=now),
        to=lambda _question: redirect("question", reference),
        title=_("Send the consent"),
        button=_("Send"),
        caption=reference,
        back=f"question={reference}",
        state=row.state.value,
        warning=_("It goes signed and encrypted, and stands in the ledgers of both authorities."),
        done=_("The consent is on its way, and stands in the ledger."),
    )


@require_http_methods(["GET", "POST"])
def withdraw(request: Request, reference: str) -> HttpResponseBase:
    """Withdraw a consent that was given."""
    row = use_queries.question(request.user, reference)
    policy.require(request.user, "evidence.answer_use", cases.members(row.case))
    form = ReasonsForm(request.POST or None)
    return step_page(
        request,
        form,
        lambda now: actions.withdraw_consent(request.user, reference, **form.cleaned_data, now=now),
        to=lambda _question: redirect("question", reference),
        title=_("Withdraw the consent"),
        button=_("Withdraw"),
        caption=reference,
        back=f"question={reference}",
        state=row.state.value,
        warning=_("The partner's node closes what the consent opened. What was done before cannot be undone."),
        done=_("The withdrawal is on its way."),
    )
