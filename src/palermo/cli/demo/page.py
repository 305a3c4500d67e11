"""A page as a program sees it: its state, its rows, what its lists say, its forms."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

from palermo.cli.demo.nodes import DemoError

_VOID = frozenset({"input", "br", "img", "hr", "meta", "link", "wbr"})


@dataclass
class Form:
    """A form of a page: where it goes, and the fields with the values that the page gave them."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Element:
    """A start tag with its attributes and, once closed, the text and the links inside."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    links: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """What a program needs of a page: its state, its forms, its elements with data attributes, its links."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(convert_charrefs=True)
        self.url = str(response.url)
        self.status = response.status_code
        self.forms: list[Form] = []
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self._form: Form | None = None
        self._select: str | None = None
        self.feed(response.text)

    @property
    def state(self) -> str:
        """The ``data-state`` of the main element."""
        return next((e.attributes.get("data-state", "") for e in self.elements if e.tag == "main"), "")

    @property
    def text(self) -> str:
        """The text of the main element."""
        return next((" ".join(e.text.split()) for e in self.elements if e.tag == "main"), "")

    def with_attribute(self, name: str) -> list[Element]:
        """Elements that carry an attribute, in the order of the page."""
        return [element for element in self.elements if name in element.attributes]

    def value(self, name: str) -> str:
        """The first value of an attribute on the page. Raises :class:`DemoError` when no element has it."""
        for element in self.with_attribute(name):
            return element.attributes[name] or element.text.strip()
        raise DemoError(f"{self.url} shows no {name}: {self.text[:500]}")

    def rows(self, prefix: str = "") -> list[Element]:
        """Rows with a ``data-ref``; with a prefix, those that link to an address below it."""
        rows = self.with_attribute("data-ref")
        return [row for row in rows if not prefix or any(link.startswith(prefix) for link in row.links)]

    def ref(self, prefix: str, *texts: str) -> str:
        """The ``data-ref`` of the first row with such a link that says all of these, in text or attributes; else ""."""
        for row in self.rows(prefix):
            said = " ".join([row.text, *row.attributes.values()])
            if all(text in said for text in texts):
                return row.attributes["data-ref"]
        return ""

    def state_of(self, ref: str) -> str:
        """The ``data-state`` of a row, or "" where there is no such row."""
        return next(
            (row.attributes.get("data-state", "") for row in self.rows() if row.attributes["data-ref"] == ref), ""
        )

    def fact(self, name: str) -> str:
        """What a summary list says of a thing. Raises :class:`DemoError` when it says nothing."""
        terms = iter(self.elements)
        for element in terms:
            if element.tag == "dt" and " ".join(element.text.split()) == name:
                return " ".join(next(e for e in terms if e.tag == "dd").text.split())
        raise DemoError(f"{self.url} does not say {name!r}: {self.text[:500]}")

    def option(self, select: str, text: str) -> str:
        """The value of a list's entry with this text. Raises :class:`DemoError` when there is none."""
        for element in self.elements:
            if element.attributes.get("select") == select and text in element.text:
                return element.attributes.get("value", "")
        raise DemoError(f"{self.url} offers no {text!r} in {select}")

    def form(self, path: str) -> Form:
        """The form that posts to a path. Raises :class:`DemoError` when there is none."""
        for form in self.forms:
            if urlsplit(form.action).path == path and form.method == "post":
                return form
        raise DemoError(f"{self.url} has no form for {path}: {self.text[:500]}")

    def has_form(self, path: str) -> bool:
        """Whether the page offers a form that posts to a path."""
        return any(urlsplit(form.action).path == path and form.method == "post" for form in self.forms)

    # --- parsing ----------------------------------------------------------------------------
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep every element; fields go to the form around them."""
        attributes = {name: value or "" for name, value in attrs}
        element = Element(tag, attributes)
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)
        if tag == "a":
            for around in self._open:
                around.links.append(attributes.get("href", ""))
        if tag == "form":
            action = urljoin(self.url, attributes.get("action") or self.url)
            self._form = Form(action, attributes.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None:
            self._field(tag, attributes, self._form)

    def _field(self, tag: str, attributes: dict[str, str], form: Form) -> None:
        name, kind = attributes.get("name", ""), attributes.get("type", "text")
        if tag == "select":
            self._select = name
            form.fields.setdefault(name, [])
        elif tag == "option" and self._select is not None:
            attributes["select"] = self._select
        if tag == "option" and self._select is not None and "selected" in attributes:
            form.fields[self._select] = [*form.fields[self._select], attributes.get("value", "")]
        elif tag == "textarea" and name:
            form.fields.setdefault(name, [""])
        elif tag == "button" and name:
            form.buttons.append((name, attributes.get("value", "")))
        elif tag == "input" and name and kind not in ("submit", "file"):
            if kind in ("radio", "checkbox") and "checked" not in attributes:
                form.fields.setdefault(name, [])
            else:
                form.fields[name] = [
                    *form.fields.get(name, []),
                    attributes.get("value", "on" if kind == "checkbox" else ""),
                ]

    def handle_endtag(self, tag: str) -> None:
        """Close elements up to the one that ends here."""
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        while any(element.tag == tag for element in self._open):
            if self._open.pop().tag == tag:
                break

    def handle_data(self, data: str) -> None:
        """Text belongs to every element around it, and a text area's text is its value."""
        for element in self._open:
            element.text += data
        if self._open and self._open[-1].tag == "textarea" and self._form is not None:
            name = self._open[-1].attributes.get("name", "")
            self._form.fields[name] = [self._open[-1].text.removeprefix("\n")]
