"""What every page owes the browser: a strict policy, no inline script or style, no copy kept, forms of its own only."""

from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from palermo.node.cases.models import Case

OPENED_BY = {
    "supervisor": (
        "work",
        "cases",
        "holdings",
        "holding-new",
        "matching",
        "requests",
        "partners",
        "ledger",
        "messages",
    ),
    "administrator": ("officers", "officer-new", "directory-import"),
    "auditor": ("audit",),
}
OF_OBJECTS = ("case", "run", "hit", "request", "evidence", "package")


class Inline(HTMLParser):
    """Collects what the page policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "script" and "src" not in attributes:
            self.found.append("script without src")
        if tag == "style" or "style" in attributes:
            self.found.append(f"style at {tag}")
        self.found += [f"{name} at {tag}" for name in attributes if name.startswith("on")]
        for name in ("href", "src", "action"):
            value = attributes.get(name) or ""
            if value.startswith(("http:", "https:", "//", "javascript:", "data:")):
                self.found.append(f"{name}={value}")
        if "id" in attributes:
            self.ids.append(attributes["id"])


@pytest.fixture
def pages(node, browser):
    """Responses of many pages."""
    shown = [browser(who).get(reverse(name)) for who, names in OPENED_BY.items() for name in names]
    supervisor = browser("supervisor")
    shown += [supervisor.get(reverse(name, args=[node[name]])) for name in OF_OBJECTS]
    shown += [Client().get("/sign-in/"), supervisor.get("/nothing-here/"), browser("auditor").get("/cases/")]
    return shown


def test_the_page_policy_is_strict(pages):
    for page in pages:
        rules = dict(rule.strip().split(" ", 1) for rule in page["Content-Security-Policy"].split(";"))
        for name in ("default-src", "script-src", "style-src", "img-src", "form-action"):
            assert rules[name] == "'self'", (page.request["PATH_INFO"], name)
        for name in ("object-src", "base-uri", "frame-ancestors"):
            assert rules[name] == "'none'"
        assert page["X-Content-Type-Options"] == "nosniff"
        assert page["X-Frame-Options"] == "DENY"
        assert page["Referrer-Policy"] == "same-origin"


def test_no_page_has_inline_script_or_style_or_foreign_addresses(pages):
    for page in pages:
        parser = Inline()
        parser.feed(page.content.decode())
        assert parser.found == [], page.request["PATH_INFO"]
        assert len(parser.ids) == len(set(parser.ids)), (page.request["PATH_INFO"], "an id stands twice")


def test_no_page_is_kept_by_browser_or_proxy(pages):
    for page in pages:
        if page.status_code != 404:
            assert "no-store" in page["Cache-Control"], page.request["PATH_INFO"]


def test_every_page_names_its_state_and_has_one_heading(pages):
    for page in pages:
        text = page.content.decode()
        assert 'id="main-content" data-state="' in text, page.request["PATH_INFO"]
        assert text.count("<h1") == 1, page.request["PATH_INFO"]


def test_a_form_of_another_site_is_refused_in_plain_words(node, browser):
    ours = browser("investigator")
    theirs = Client(enforce_csrf_checks=True)
    theirs.cookies = ours.cookies
    before = Case.objects.count()
    page = theirs.post("/cases/new/", {"title": "x", "purpose": "x", "legal_basis": "x"})
    assert page.status_code == 403
    assert "valid only from its own page" in page.content.decode()
    assert Case.objects.count() == before


def test_a_fault_of_ours_is_a_page_that_tells_nothing(node, browser, monkeypatch):
    from palermo.web import work

    def broken(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(work.queries, "work_queue", broken)
    client = browser("investigator")
    client.raise_request_exception = False
    page = client.get("/")
    assert page.status_code == 500
    assert "Nothing that you sent was kept" in page.content.decode()
    assert "secret detail" not in page.content.decode()


def test_a_page_is_in_one_language(client, db):
    page = client.post("/sign-in/", {"login": ""}, headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="en"' in page and "This field is required" in page


def test_health_tells_nothing_but_that_the_node_answers(client, db):
    page = client.get("/healthz")
    assert (page.status_code, page.content) == (200, b"ok\n")


def test_a_download_from_a_partner_is_never_shown_in_the_browser(node, browser):
    page = browser("central_authority").get(reverse("evidence-content", args=[node["evidence"]]))
    assert page["Content-Type"] == "application/octet-stream"
    assert page["Content-Disposition"].startswith("attachment")
    assert b"".join(page).startswith(b"Date;Amount")
    page.close()
