"""Pages of what an authority owes for evidence: recall and deletion, retention."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import actions, queries, use_queries
from palermo.node.evidence.grounds import all_grounds
from palermo.node.office import policy
from palermo.node.office.errors import ConflictError, NotFoundError
from palermo.web.access import Request
from palermo.web.evidence_uses import posted, step_page
from palermo.web.forms.evidence_uses import HoldForm, KeepForm, RecallForm, RetentionForm

# --- recalls --------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def new_recall(request: Request, reference: str) -> HttpResponseBase:
    """Recall an item from a partner to whom it went."""
    row = queries.item(request.user, reference)
    policy.require(request.user, "evidence.recall", cases.members(row.case))
    went = [
        (package.reference, f"{package.partner} – {package.reference}")
        for package in queries.packages(request.user, row.case)
        if package.direction == "out" and reference in [item.reference for item in package.items]
    ]
    if not went:
        raise ConflictError(str(_("This item did not leave in any package: there is nobody to recall it from.")))
    form = RecallForm(request.POST or None, packages=went, initial={"package": went[0][0]})
    return step_page(
        request,
        form,
        lambda now: actions.recall_item(request.user, item=reference, **form.cleaned_data, now=now),
        to=lambda recall: redirect("recall", recall.reference),
        title=_("Recall the item"),
        button=_("Recall it"),
        caption=reference,
        back=f"evidence={reference}",
        state=row.origin.value,
        warning=_(
            "Its holder stops its use at once, deletes every copy, or states the legal ground not to. Those to whom it "
            "was lawfully shared on are told."
        ),
        done=_("The recall is on its way, and stands in the ledger."),
    )


@require_safe
def recall(request: Request, reference: str) -> HttpResponse:
    """One recall, on both sides: what is recalled, what was answered, and the deletion statements."""
    row = use_queries.recall(request.user, reference)
    ground = all_grounds().get(row.ground)
    context = {
        "recall": row,
        "ours": row.direction == "out",
        "partner_name": directory.names().get(row.partner, row.partner),
        "ground": ground.says if ground else row.ground,
        "steps": use_queries.recall_steps(request.user, reference),
        "late": row.state.value == "recalled" and row.due_at <= timezone.now(),
        "state": row.state.value,
    }
    return render(request, "palermo/evidence/recall.html", context)


@require_http_methods(["GET", "POST"])
def keep(request: Request, reference: str) -> HttpResponseBase:
    """State the legal ground on which a recalled item is kept."""
    row = use_queries.recall(request.user, reference)
    policy.require(request.user, "evidence.destroy", cases.members(row.case))
    form = KeepForm(request.POST or None)
    return step_page(
        request,
        form,
        lambda now: actions.keep_recalled(request.user, reference, **form.cleaned_data, now=now),
        to=lambda _recall: redirect("recall", reference),
        title=_("Keep it on a legal ground"),
        button=_("State the ground"),
        caption=reference,
        back=f"recall={reference}",
        state=row.state.value,
        says=_("The provider is told the ground. From then on the item serves that ground's proceedings alone."),
        done=_("The ground is on its way to the provider."),
    )


@require_http_methods(["GET", "POST"])
def delete(request: Request, reference: str) -> HttpResponseBase:
    """Delete a recalled item with every copy of it."""
    row = use_queries.recall(request.user, reference)
    policy.require(request.user, "evidence.destroy", cases.members(row.case))
    return step_page(
        request,
        posted(request),
        lambda now: actions.delete_recalled(request.user, reference, now=now),
        to=lambda _recall: redirect("recall", reference),
        title=_("Delete the item with every copy"),
        button=_("Delete"),
        caption=reference,
        back=f"recall={reference}",
        state=row.state.value,
        warning=_(
            "Every copy in this node goes: in cases, in stored packages, in messages. The deletion is stated, signed "
            "and entered in the ledger. It cannot be undone."
        ),
        done=_("The deletion is under way; the statement follows when nothing is left."),
    )


@require_safe
def statement(request: Request, reference: str) -> HttpResponse:
    """One deletion statement, its entry in the ledger, and its proof."""
    row = use_queries.statement(request.user, reference)
    context = {"statement": row, "names": directory.names(), "state": "proven" if row.proven_at else "unproven"}
    return render(request, "palermo/evidence/statement.html", context)


@require_safe
def statement_file(request: Request, reference: str, part: str) -> HttpResponse:
    """The signed statement, or its proof, verbatim."""
    signed, proof = use_queries.statement_files(request.user, reference)
    data = {"signed": signed, "proof": proof}.get(part, b"")
    if not data:
        raise NotFoundError
    name = f"{reference}.{'dsse' if part == 'signed' else 'proof.json'}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type="application/octet-stream", headers=headers)


# --- retention ------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def retention(request: Request, reference: str) -> HttpResponseBase:
    """Set until when the items of a case are kept, and by which rule."""
    row = cases.case(request.user, reference)
    policy.require(request.user, "evidence.retain", row.members)
    form = RetentionForm(request.POST or None)
    return step_page(
        request,
        form,
        lambda now: actions.set_retention(request.user, case=reference, **form.cleaned_data, now=now),
        to=lambda _items: redirect("case", reference),
        title=_("Retention of the evidence"),
        button=_("Set the date"),
        caption=reference,
        back=f"case={reference}",
        state=row.state.value,
        says=_(
            "After that day every item of the case is destroyed by itself, but for those that a legal ground holds. "
            "The statement in the ledger stays."
        ),
        done=_("The date is set for every item of the case."),
    )


@require_http_methods(["GET", "POST"])
def hold(request: Request, reference: str) -> HttpResponseBase:
    """Hold an item back from the end of its retention, or lift that."""
    row = queries.item(request.user, reference)
    policy.require(request.user, "evidence.retain", cases.members(row.case))
    form = HoldForm(request.POST or None, initial={"ground": row.hold})
    return step_page(
        request,
        form,
        lambda now: actions.hold(request.user, item=reference, **form.cleaned_data, now=now),
        to=lambda _item: redirect("evidence", reference),
        title=_("Hold on a legal ground"),
        button=_("Keep the answer"),
        caption=reference,
        back=f"evidence={reference}",
        state=row.origin.value,
        says=_("An item that is held is not destroyed when its retention ends."),
    )
