"""Whether the node answers, for whoever keeps it running. Says nothing about what it holds."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from palermo.web.access import public


@public
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """``ok`` once the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")
