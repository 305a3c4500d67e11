"""Pages of notices: what is exculpatory is disclosed to an accused, and its provider told (UNTOC 18(19), 18(5))."""

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import actions, notice_queries, queries
from palermo.node.office import policy
from palermo.web.access import Request
from palermo.web.evidence_uses import posted, step_page
from palermo.web.forms.evidence_uses import ConsultForm, NoticeForm, ReasonsForm

KINDS = {
    "asked": _("Ask to be consulted"),
    "said": _("Write to the other authority"),
    "ended": _("End the consultation"),
}


@require_http_methods(["GET", "POST"])
def new_notice(request: Request, reference: str) -> HttpResponseBase:
    """Give notice that an item is to be disclosed as exculpatory."""
    row = queries.item(request.user, reference)
    policy.require(request.user, "evidence.notify", cases.members(row.case))
    form = NoticeForm(request.POST or None)
    return step_page(
        request,
        form,
        lambda now: actions.give_notice(request.user, item=reference, **form.cleaned_data, now=now),
        to=lambda notice: redirect("notice", notice.reference),
        title=_("Give notice of a disclosure"),
        button=_("Give notice"),
        caption=reference,
        back=f"evidence={reference}",
        state=row.origin.value,
        says=_(
            "What is exculpatory may always be disclosed to an accused person. Its provider is notified before, and "
            "consulted if it so requests; in an exceptional case it is told without delay (UNTOC 18(19), 18(5))."
        ),
        done=_("The notice is given."),
    )


@require_safe
def notice(request: Request, reference: str) -> HttpResponse:
    """One notice, on both sides, and the consultation about it."""
    row = notice_queries.notice(request.user, reference)
    steps = notice_queries.notice_steps(request.user, reference)
    context = {
        "notice": row,
        "ours": row.direction == "out",
        "partner_name": directory.names().get(row.partner, row.partner),
        "steps": steps,
        "may_consult": bool(steps & KINDS.keys()),
        "state": row.state.value,
    }
    return render(request, "palermo/evidence/notice.html", context)


@require_http_methods(["GET", "POST"])
def consult(request: Request, reference: str) -> HttpResponseBase:
    """Write a step of the consultation."""
    row = notice_queries.notice(request.user, reference)
    policy.require(request.user, "evidence.notify", cases.members(row.case))
    steps = notice_queries.notice_steps(request.user, reference)
    kinds = [(kind, words) for kind, words in KINDS.items() if kind in steps]
    form = ConsultForm(request.POST or None, kinds=kinds, initial={"kind": kinds[0][0] if kinds else ""})
    return step_page(
        request,
        form,
        lambda now: actions.consult(request.user, reference, **form.cleaned_data, now=now),
        to=lambda _notice: redirect("notice", reference),
        title=_("Consult about the disclosure"),
        button=_("Send"),
        caption=reference,
        back=f"notice={reference}",
        state=row.state.value,
        says=_("While the consultation that the provider asked for is on, the disclosure waits."),
    )


@require_http_methods(["GET", "POST"])
def disclose(request: Request, reference: str) -> HttpResponseBase:
    """Record that the disclosure takes place."""
    row = notice_queries.notice(request.user, reference)
    policy.require(request.user, "evidence.notify", cases.members(row.case))
    return step_page(
        request,
        posted(request),
        lambda now: actions.disclose(request.user, reference, now=now),
        to=lambda _notice: redirect("notice", reference),
        title=_("Record the disclosure"),
        button=_("Record it"),
        caption=reference,
        back=f"notice={reference}",
        state=row.state.value,
        warning=_("The item opens for this disclosure, and its provider is told."),
    )


@require_http_methods(["GET", "POST"])
def drop(request: Request, reference: str) -> HttpResponseBase:
    """Give up a disclosure that was notified."""
    row = notice_queries.notice(request.user, reference)
    policy.require(request.user, "evidence.notify", cases.members(row.case))
    form = ReasonsForm(request.POST or None)
    return step_page(
        request,
        form,
        lambda now: actions.drop_notice(request.user, reference, **form.cleaned_data, now=now),
        to=lambda _notice: redirect("notice", reference),
        title=_("Give up the disclosure"),
        button=_("Give it up"),
        caption=reference,
        back=f"notice={reference}",
        state=row.state.value,
    )


@require_POST
def disclosed(request: Request, reference: str) -> FileResponse:
    """The bytes that a notice lets disclose; the copy is a step of their custody."""
    name, path = actions.disclosed_file(request.user, reference, now=timezone.now())
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="application/octet-stream")
