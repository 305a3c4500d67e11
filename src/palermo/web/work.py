"""The work queue: what waits for the officer, what is due first on top."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from palermo.node.office import queries
from palermo.node.office.policy import Actor
from palermo.web.access import Request
from palermo.web.paging import slice_of


def waits_for(officer: Actor, link: str) -> bool:
    """Whether a task that leads to this page is on the officer's queue."""
    return any(task.link == link for task in queries.work_queue(officer))


@require_safe
def queue(request: Request) -> HttpResponse:
    """The first page after sign-in."""
    tasks = slice_of(request, queries.work_queue(request.user))
    return render(
        request,
        "palermo/work.html",
        {"tasks": tasks, "now": timezone.now(), "state": "waiting" if tasks.rows else "empty"},
    )
