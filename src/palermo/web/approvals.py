"""The second person's page: what is to be approved, and the decision."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from palermo.node.evidence import use_queries
from palermo.node.office import actions, queries
from palermo.node.requests import queries as requests
from palermo.web.access import Request
from palermo.web.forms.rendering import attempt
from palermo.web.forms.requests import ApprovalForm


@require_http_methods(["GET", "POST"])
def approval(request: Request, pk: int) -> HttpResponse:
    """One approval."""
    row = queries.approval_for(request.user, pk)
    form = ApprovalForm(request.POST or None)
    if request.method == "POST":
        decided = attempt(
            form, lambda: actions.decide_approval(request.user, pk, **form.cleaned_data, now=timezone.now())
        )
        if decided is not None:
            messages.success(request, _("Your decision is kept."))
            return redirect("approval", pk)
    context = {
        "approval": row,
        "words": requests.words_to_approve(request.user, row.subject, row.digest)
        or use_queries.words_to_approve(request.user, row.subject, row.digest),
        "form": form,
        "may_decide": row.asked_by_pk != request.user.pk,
        "state": row.state,
    }
    return render(request, "palermo/approval.html", context, status=422 if form.errors else 200)
