"""Every refusal as a page in plain words. Each error of a node app maps here, once, to its status and sentence."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from palermo.node.directory.queries import DirectoryError, UnknownAuthorityError
from palermo.node.exchange import refusals
from palermo.node.office.errors import NodeError, NotFoundError

_log = logging.getLogger(__name__)

TITLES = {
    400: gettext_lazy("This request cannot be understood"),
    403: gettext_lazy("You cannot do this"),
    404: gettext_lazy("Page not found"),
    405: gettext_lazy("This page cannot be used that way"),
    409: gettext_lazy("This cannot be done now"),
    413: gettext_lazy("The file is too large"),
    422: gettext_lazy("Something in what you sent cannot be used"),
    429: gettext_lazy("Too many attempts"),
    500: gettext_lazy("Sorry, there is a problem with this node"),
}


def error_page(request: HttpRequest, status: int, sentence: str, problems: list[str] | None = None) -> HttpResponse:
    """One page for every refusal: what happened, and what to do next."""
    context = {"status": status, "title": TITLES.get(status, TITLES[400]), "sentence": sentence, "problems": problems}
    return render(request, "palermo/errors/error.html", context, status=status)


class NodeErrorMiddleware:
    """Turns a node app's error into its page. What is no :class:`NodeError` is a fault of ours: status 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with refusals.kept():
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Called by Django with what a view raised."""
        if isinstance(error, NotFoundError | UnknownAuthorityError):
            # The same bytes as for an address that does not exist: a reader without need to know learns nothing.
            return not_found(request, error)
        if isinstance(error, NodeError):
            problems = getattr(error, "problems", None)
            return error_page(request, error.status, "" if problems else error.sentence, problems)
        if isinstance(error, DirectoryError):
            return error_page(request, 409, str(error))
        return None


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such page, no such object, or no need to know of it."""
    return error_page(
        request, 404, _("There is nothing at this address that you can see. Check it, or go to your work.")
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: Django's own refusals; the office's come with their own sentence."""
    return error_page(request, 403, _("Your role does not allow this. Ask your administrator if it should."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: what a browser would not send."""
    return error_page(request, 400, _("Go back, reload the page and try again."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a fault of this node. It needs no database, no session and no officer."""
    try:
        return error_page(
            request, 500, _("Nothing that you sent was kept. Try again; if it happens again, tell your administrator.")
        )
    except Exception:
        _log.exception("the error page itself failed")
        return HttpResponse(
            "Sorry, there is a problem with this node. Try again later.", status=500, content_type="text/plain"
        )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form was not sent from a page of this node, or the page was open across a sign-in."""
    sentence = _(
        "For your protection this form is valid only from its own page. Go back, reload the page and send it again."
    )
    return error_page(request, 403, sentence)
