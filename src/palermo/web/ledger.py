"""Pages of the ledger: entries, proofs, the signed checkpoint."""

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from palermo.node.directory import queries as directory
from palermo.node.ledger import actions, queries
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.web.access import Request, needs
from palermo.web.paging import asked_page, uncounted
from palermo.web.periods import asked_days


@require_safe
def index(request: Request) -> HttpResponse:
    """The entries, newest first."""
    kind, counterparty = request.GET.get("kind", ""), request.GET.get("counterparty", "")
    days = asked_days(request, required=False)
    rows = queries.entries(
        request.user,
        kind=kind,
        counterparty=counterparty,
        since=days.begins if days else None,
        until=days.ends if days else None,
        exactly="exactly" in request.GET,
        page=asked_page(request),
    )
    context = {
        "days": days,
        "exactly": "exactly" in request.GET,
        "entries": uncounted(request, rows, queries.PAGE),
        "kind": kind,
        "counterparty": counterparty,
        "names": directory.names(),
        "size": queries.size(),
        "checkpoint": queries.newest_checkpoint(),
        "cosigned": queries.newest_cosigned(),
        "witnesses": queries.witness_rows(),
        "state": "",
    }
    return render(request, "palermo/ledger/index.html", context)


@require_safe
def entry(request: Request, index: int) -> HttpResponse:
    """One entry with its fields and the proof that it is in the log."""
    row = queries.entry(request.user, index)
    try:
        proof = queries.inclusion(index)
    except ConflictError:
        proof = None
    context = {
        "entry": row,
        "proof": proof,
        "path": [digest.hex() for digest in proof.hashes] if proof else [],
        "partner_name": directory.names().get(row.counterparty, row.counterparty),
        "state": "proven" if proof else "unsigned",
    }
    return render(request, "palermo/ledger/entry.html", context)


@require_http_methods(["GET", "POST"])
@needs("ledger.read")
def checkpoint(request: Request) -> HttpResponse:
    """The newest signed checkpoint as text (C2SP tlog-checkpoint); a POST signs the log as it stands."""
    if request.method == "POST":
        actions.checkpoint(now=timezone.now())
        messages.success(request, _("The log is signed as it stands."))
        return redirect("ledger")
    text = queries.newest_checkpoint()
    if not text:
        raise Http404
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@require_safe
@needs("ledger.read")
def export(request: Request) -> StreamingHttpResponse:
    """Kind, partner and time of every entry, or of a part, with what proves them; for ``palermo ledger verify``."""
    start, end = _number(request, "from"), _number(request, "to")
    lines = queries.shown(request.user, start or 0, end)
    answer = StreamingHttpResponse(lines, content_type="application/jsonl")
    answer["Content-Disposition"] = 'attachment; filename="ledger.jsonl"'
    return answer


def _number(request: Request, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InvalidError(_("Give entries as numbers, as the ledger shows them."))
    return int(text)


@require_POST
@needs("ledger.read")
def check(request: Request) -> HttpResponse:
    """Derive every leaf, tile and checkpoint again and name what does not fit."""
    faults = queries.check()
    context = {"faults": faults, "size": queries.size(), "state": "broken" if faults else "intact"}
    return render(request, "palermo/ledger/check.html", context)
