"""Pages of the exchange: what was sent and received, each with its receipt; never the content."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from palermo.node.directory import queries as directory
from palermo.node.exchange import actions, queries
from palermo.node.exchange.files import queries as files
from palermo.node.office import policy
from palermo.web.access import Request
from palermo.web.paging import asked_page, uncounted
from palermo.web.work import waits_for


@require_safe
def index(request: Request) -> HttpResponse:
    """Both boxes."""
    box = "in" if request.GET.get("box") == "in" else "out"
    listed = queries.inbox if box == "in" else queries.outbox
    rows = uncounted(request, listed(request.user, page=asked_page(request)), queries.PAGE)
    context = {
        "rows": rows,
        "equivocations": queries.equivocations(request.user),
        "box": box,
        "names": directory.names(),
        "may_carry": policy.allows(request.user, "courier.carry"),
        "state": box,
    }
    return render(request, "palermo/messages/index.html", context)


@require_safe
def message(request: Request, message_id: str) -> HttpResponse:
    """One message: how far it came and why no further, its receipt and statements. Also one that never left."""
    answer = queries.why_for(request.user, message_id, now=timezone.now())
    row = None if answer.direction == "refused" else queries.message_for(request.user, message_id)
    context = {
        "message": row,
        "answer": answer,
        "partner_name": directory.names().get(answer.partner, answer.partner),
        "statements": queries.statements(request.user, message_id),
        "files": files.of_message(message_id),
        "waits": waits_for(request.user, request.path),
        "state": row.state if row else answer.stage,
    }
    return render(request, "palermo/messages/message.html", context)


@require_safe
def statement(request: Request, message_id: str, stage: str) -> HttpResponse:
    """One signed statement on a step of the message's way, byte by byte."""
    signed = queries.statement(request.user, message_id, stage)
    answer = HttpResponse(signed, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="{stage}-{message_id}.json"'
    return answer


@require_POST
def acknowledge(request: Request, message_id: str) -> HttpResponse:
    """Somebody has looked into what became of the message: its task is done."""
    actions.acknowledge(request.user, message_id=message_id, now=timezone.now())
    messages.success(request, _("It is noted that you looked into this message."))
    return redirect("message", message_id)


@require_safe
def receipt(request: Request, message_id: str) -> HttpResponse:
    """The signed receipt, byte by byte."""
    signed = queries.receipt(request.user, message_id)
    answer = HttpResponse(signed, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="receipt-{message_id}.json"'
    return answer
