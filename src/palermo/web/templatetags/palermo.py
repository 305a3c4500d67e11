"""Tags and filters of the pages: assets, navigation, states, times, pages of a list."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from palermo.node.exchange.files.queries import FileRow
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
def breadcrumbs(*words_and_pages: str) -> dict[str, list[tuple[str, str]]]:
    """Where a page stands: words and page, words and page, …; a page is a name, or ``name=argument``."""
    steps = []
    for words, page in zip(words_and_pages[::2], words_and_pages[1::2], strict=True):
        name, _, argument = page.partition("=")
        steps.append((words, reverse(name, args=[argument] if argument else [])))
    return {"steps": steps}


@register.simple_block_tag
def table(content: str, caption: str, *columns: str, shown: bool = False) -> SafeString:
    """A table in a frame of its own, which scrolls by itself on a narrow screen; ``columns`` are its headings."""
    head = format_html_join(
        "", '<th scope="col" class="govuk-table__header">{}</th>', ((column,) for column in columns)
    )
    return format_html(
        '<div class="palermo-scroll" tabindex="0" role="region" aria-label="{0}"><table class="govuk-table">'
        '<caption class="govuk-table__caption govuk-table__caption--m{1}">{0}</caption>'
        '<thead class="govuk-table__head"><tr class="govuk-table__row">{2}</tr></thead>'
        '<tbody class="govuk-table__body">{3}</tbody></table></div>',
        caption,
        "" if shown else " govuk-visually-hidden",
        head,
        content,
    )


@register.simple_block_tag
def facts(content: str, label: str = "") -> SafeString:
    """A summary list; its rows are :func:`fact` tags."""
    return format_html(
        '<dl class="govuk-summary-list"{}>{}</dl>', format_html(' aria-label="{}"', label) if label else "", content
    )


@register.simple_tag
def fact(words: str, value: object, code: bool = False, prose: bool = False) -> SafeString:
    """One row of a summary list. ``code``: a reference or digest; ``prose``: keeps its line breaks."""
    look = " palermo-code" if code else " palermo-prose" if prose else ""
    return format_html(
        '<div class="govuk-summary-list__row"><dt class="govuk-summary-list__key">{}</dt>'
        '<dd class="govuk-summary-list__value{}" dir="auto">{}</dd></div>',
        words,
        look,
        "–" if value in ("", None) else value,
    )


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
def words(code: object, table: str) -> str:
    """A code in the words of a table of ``wording``."""
    return wording.words(table, str(code))


@register.filter
def run_step(state: object) -> int:
    """How many steps of a run are done."""
    return wording.RUN_STEPS.index(str(state)) if str(state) in wording.RUN_STEPS else 0


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
    return format_html(
        '<time datetime="{}" class="palermo-nowrap">{}</time>', value.isoformat(), date_format(value, "j M Y")
    )


@register.filter
def under_way(files: Sequence[FileRow]) -> bool:
    """Whether any of these large files still moves."""
    return any(file.under_way for file in files)


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


@register.filter
def names_of(pks: Sequence[int], names: Mapping[int, str]) -> str:
    """Officers' names by primary key."""
    return ", ".join(name_of(pk, names) for pk in pks)


@register.filter
def details(detail: Mapping[str, object]) -> list[tuple[str, object]]:
    """Names and values. (In a template ``detail.items`` would find a value named "items" first.)"""
    return list(detail.items())


@register.filter
def pairs(codes_and_names: Sequence[tuple[str, str]]) -> str:
    """Names with their codes."""
    return ", ".join(f"{name} ({code})" for code, name in codes_and_names)


@register.filter
def total(counts: Mapping[str, int]) -> int:
    """The sum of counts."""
    return sum(counts.values())


@register.filter
def counts_words(counts: Mapping[str, int]) -> str:
    """Counts by selector kind in words."""
    return ", ".join(f"{wording.words('kind', kind)}: {intcomma(count)}" for kind, count in counts.items())


@register.inclusion_tag("palermo/parts/entity.html")
def entity_panel(entity: Entity, label: str) -> dict[str, object]:
    """What is known of a person, company or thing, property by property."""
    rows = [(str(wording.PROPERTIES.get(name, name)), values) for name, values in sorted(entity.properties.items())]
    return {"entity": entity, "rows": rows, "label": label}


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
