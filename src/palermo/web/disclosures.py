"""The auditor's page: what was disclosed to whom in a period, every count opening to its entries and their proof."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from palermo.node.directory import queries as directory
from palermo.node.ledger import queries
from palermo.web.access import Request, needs
from palermo.web.csv_export import download
from palermo.web.periods import Days, asked_days


@require_safe
@needs("ledger.read")
def index(request: Request) -> HttpResponse:
    """Counts by partner and kind, and where the period is proven."""
    days = _days(request)
    rows = queries.disclosed(request.user, since=days.begins, until=days.ends)
    part = queries.period(request.user, since=days.begins, until=days.ends)
    cosigned = queries.newest_cosigned()
    context = {
        "days": days,
        "rows": rows,
        "total": sum(row.number for row in rows),
        "names": directory.names(),
        "part": part,
        "cosigned": cosigned,
        "covered": cosigned is not None and part is not None and part[1] <= cosigned.size,
        "state": "cosigned" if cosigned else "",
    }
    return render(request, "palermo/ledger/disclosures.html", context)


@require_safe
@needs("ledger.read")
def as_csv(request: Request) -> StreamingHttpResponse:
    """Every entry of the period, a line each."""
    days, names = _days(request), directory.names()
    rows = queries.listed(request.user, since=days.begins, until=days.ends)
    lines = (
        (number, kind, partner, names.get(partner, ""), recorded_at.isoformat())
        for number, kind, partner, recorded_at in rows
    )
    head = (_("Entry"), _("Kind"), _("Partner"), _("Name"), _("Recorded at"))
    return download(f"disclosures-{days.since}-{days.until}.csv", head, lines)


def _days(request: Request) -> Days:
    days = asked_days(request)
    assert days is not None  # it is required
    return days
