"""Pages of the exchange: what was sent and received, each with its receipt; never the content."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from palermo.node.directory import queries as directory
from palermo.node.exchange import queries
from palermo.web.access import Request
from palermo.web.paging import asked_page, uncounted


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
        "state": box,
    }
    return render(request, "palermo/messages/index.html", context)


@require_safe
def message(request: Request, message_id: str) -> HttpResponse:
    """One message and its receipt."""
    row = queries.message_for(request.user, message_id)
    context = {"message": row, "partner_name": directory.names().get(row.partner, row.partner), "state": row.state}
    return render(request, "palermo/messages/message.html", context)


@require_safe
def receipt(request: Request, message_id: str) -> HttpResponse:
    """The signed receipt, byte by byte."""
    signed = queries.receipt(request.user, message_id)
    answer = HttpResponse(signed, content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="receipt-{message_id}.json"'
    return answer
