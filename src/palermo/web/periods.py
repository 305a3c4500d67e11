"""A period that an address asks for: from a day to a day, both included, in the officer's time zone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from palermo.node.office.errors import InvalidError

USUAL_DAYS = 31


@dataclass(frozen=True, slots=True)
class Days:
    """The first and the last day."""

    since: date
    until: date

    @property
    def begins(self) -> datetime:
        """The first moment."""
        return timezone.make_aware(datetime.combine(self.since, time.min))

    @property
    def ends(self) -> datetime:
        """The moment after the last."""
        return timezone.make_aware(datetime.combine(self.until + timedelta(days=1), time.min))


def asked_days(request: HttpRequest, *, required: bool = True) -> Days | None:
    """The days in ``since`` and ``until``; the last 31 where none are named, or None where none are ``required``."""
    since, until = _day(request, "since"), _day(request, "until")
    if since is None and until is None and not required:
        return None
    until = until or timezone.localdate()
    since = since or until - timedelta(days=USUAL_DAYS - 1)
    if since > until:
        raise InvalidError(_("The period ends before it begins. Choose a first day that is not after the last."))
    return Days(since, until)


def _day(request: HttpRequest, name: str) -> date | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidError(_("Give days as YYYY-MM-DD, such as 2026-03-31.")) from None
    if not 1970 <= day.year <= 9000:
        raise InvalidError(_("Give days as YYYY-MM-DD, such as 2026-03-31."))
    return day
