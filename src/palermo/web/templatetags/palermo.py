"""Tags and filters of the pages: assets, navigation, states, times, pages of a list."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from palermo.subjects.entities import Entity
from palermo.web import assets, wording
from palermo.web.paging import Slice

register = template.Library()


@register.simple_tag
def web_assets() -> SafeString:
    """Style and script of every page."""
    built = assets.built()
    styles = format_html_join("\n", '<link rel="stylesheet" href="{}">', ((static(style),) for style in built.styles))
    return format_html('{}\n<script type="module" src="{}"></script>', styles, static(built.script))


@register.inclusion_tag("palermo/parts/breadcrumbs.html")
def breadcrumbs(*words_and_links: str) -> dict[str, list[tuple[str, str]]]:
    """Where a page stands: words and address, words and address, …"""
    return {"steps": list(zip(words_and_links[::2], words_and_links[1::2], strict=True))}


@register.simple_tag
def state_tag(code: object, words: str = "") -> SafeString:
    """A state as a coloured tag; ``words`` replaces the usual wording."""
    usual, colour = wording.state_words(str(code))
    return format_html('<strong class="govuk-tag govuk-tag--{}">{}</strong>', colour, words or usual)


@register.filter
def in_words(code: object) -> str:
    """A state in words."""
    return wording.state_words(str(code))[0]


@register.filter
def kind_words(kind: str) -> str:
    """A selector kind in words."""
    return str(wording.SELECTOR_KINDS.get(kind, kind))


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A time in the officer's zone, with the zone named, readable by machines too."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    words = f"{date_format(local, 'j M Y, H:i')} {local.tzname()}"
    return format_html('<time datetime="{}" class="palermo-nowrap">{}</time>', local.isoformat(), words)


@register.filter
def day(value: date | None) -> SafeString | str:
    """A date in words."""
    if value is None:
        return "–"
    return format_html('<time datetime="{}" class="palermo-nowrap">{}</time>', value.isoformat(), date_format(value, "j M Y"))


@register.filter
def share(value: float) -> int:
    """A share from 0 to 1 as whole percent."""
    return round(100 * value)


@register.filter
def get(mapping: Mapping[Any, Any], key: object) -> object:
    """The value of a key, or nothing."""
    return mapping.get(key, "")


@register.filter
def name_of(pk: int | None, names: Mapping[int, str]) -> str:
    """An officer's name by primary key."""
    return names.get(pk, "") if pk is not None else ""


@register.inclusion_tag("palermo/parts/entity.html")
def entity_panel(entity: Entity, heading_id: str) -> dict[str, object]:
    """What is known of a person, company or thing, property by property."""
    rows = [(str(wording.PROPERTIES.get(name, name)), values) for name, values in sorted(entity.properties.items())]
    return {"entity": entity, "rows": rows, "heading_id": heading_id}


@register.inclusion_tag("palermo/parts/pagination.html", takes_context=True)
def pagination(context: Mapping[str, Any], part: Slice[Any]) -> dict[str, object]:
    """Links to the other pages of a list, keeping what else the address says."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()

    def address(page: int) -> str:
        query["page"] = str(page)
        return f"?{query.urlencode()}"

    return {
        "part": part,
        "previous": address(part.page - 1) if part.page > 1 else "",
        "next": address(part.page + 1) if part.has_next else "",
        "numbers": [(number, address(number)) for number in part.numbers()],
    }
