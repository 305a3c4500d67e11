"""Who reaches a page at all: an officer with both factors. What they may do there, the office's policy decides."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from palermo.node.office import policy
from palermo.node.office.policy import Actor

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Partners' nodes hold no session: each envelope that they hand in proves by its signatures who sent it.
ROUTES_FOR_NODES = frozenset(
    {
        "exchange/v1/envelopes",
        "exchange/v2/parcels",
        "exchange/v2/relay/<str:recipient>",
        "exchange/v2/collections",
        "exchange/v2/files/<str:file_id>",
        "exchange/v2/files/<str:file_id>/<int:number>",
    }
)


class Request(HttpRequest):
    """A request whose officer has signed in with both factors."""

    user: Actor  # type: ignore[assignment]


def public(view: V) -> V:
    """Mark a view that answers without sign-in. Every other view refuses."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def needs(permission: str) -> Callable[[V], V]:
    """Refuse a page to officers whose role lacks ``permission`` (need to know is for the queries to decide)."""

    def decorate(view: V) -> V:
        @wraps(view)
        def checked(request: Request, *args: object, **kwargs: object) -> HttpResponseBase:
            policy.require(request.user, permission)
            return view(request, *args, **kwargs)

        return cast(V, checked)

    return decorate


def has_both_factors(request: HttpRequest) -> bool:
    """Whether this session was opened with a password *and* a second factor by an active officer."""
    user = request.user
    if not user.is_authenticated or not user.is_active:
        return False
    methods = {record.get("method") for record in get_authentication_records(request, user)}
    return {"password", "mfa"} <= methods


def officer_zone(officer: Actor) -> ZoneInfo:
    """The officer's time zone; UTC where the stored name is unknown to this machine."""
    try:
        return ZoneInfo(getattr(officer, "time_zone", "") or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


class SignedInMiddleware:
    """Lets a request through to its view only with both factors, but for views marked :func:`public`.

    Pages are never kept by browsers or proxies, and times on them are shown in the officer's time zone.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.resolver_match is not None:
            add_never_cache_headers(response)
        timezone.deactivate()
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        """Called by Django once it knows the view."""
        match = request.resolver_match
        if getattr(view, "is_public", False) or (match is not None and match.route in ROUTES_FOR_NODES):
            return None
        if has_both_factors(request):
            timezone.activate(officer_zone(request.user))  # type: ignore[arg-type]
            return None
        if request.user.is_authenticated:
            logout(request)
        return _to_sign_in(request)


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    if request.headers.get("HX-Request"):
        # A part of a page that polls must not be replaced by the sign-in form: the whole page goes there.
        return HttpResponse(status=204, headers={"HX-Redirect": settings.LOGIN_URL})
    return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
