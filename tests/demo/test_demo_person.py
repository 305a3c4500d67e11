"""What the demo's officers read from a page, and how they type one-time codes."""

import time
from base64 import b32encode
from pathlib import Path

import httpx
import pytest

from palermo.cli.demo.nodes import DemoError
from palermo.cli.demo.page import Page
from palermo.cli.demo.person import LogIn, Person, one_time_code

URL = "http://127.0.0.1:1/cases/AA-1/"


def page(html: str, status: int = 200) -> Page:
    return Page(httpx.Response(status, text=html, request=httpx.Request("GET", URL)))


FORM = """
<main data-state="draft"><form method="post">
 <input type="hidden" name="csrf" value="t"><input name="title" value="Old"><input type="file" name="content">
 <input type="radio" name="kind" value="a"><input type="radio" name="kind" value="b" checked>
 <input type="checkbox" name="tick" value="1"><input type="checkbox" name="tick" value="2" checked>
 <input type="checkbox" name="tick" value="3" checked>
 <select name="partner"><option value="">-</option><option value="BB" selected>Bureau &amp; B</option></select>
 <select name="none"><option value="x">X</option></select>
 <textarea name="reason">
 first
second</textarea>
 <button name="press" value="go">Go</button></form>
<form action="/sign-out/" method="post"></form><form action="/search/"></form></main>
"""


def test_a_form_keeps_what_the_page_put_into_it() -> None:
    form = page(FORM).form("/cases/AA-1/")
    assert form.fields == {
        "csrf": ["t"],
        "title": ["Old"],
        "kind": ["b"],
        "tick": ["2", "3"],
        "partner": ["BB"],
        "none": [],
        "reason": [" first\nsecond"],
    }
    assert form.buttons == [("press", "go")]
    assert page(FORM).has_form("/sign-out/")
    assert not page(FORM).has_form("/search/"), "that form does not post"
    with pytest.raises(DemoError, match="no form for /elsewhere/"):
        page(FORM).form("/elsewhere/")


def test_options_are_found_by_what_a_person_reads() -> None:
    assert page(FORM).option("partner", "Bureau & B") == "BB"
    with pytest.raises(DemoError, match="offers no 'X' in partner"):
        page(FORM).option("partner", "X")


ROWS = """
<main data-state="open"><p>Two<br>things</p><dl><dt>Case  title</dt><dd>One <b>two</b></dd><dt>Empty</dt><dd></dd></dl>
<table><tr data-ref="R-1" data-state="sent" data-type="bank_records"><td><a href="/requests/R-1/">first</a></td></tr>
<tr data-ref="R-2"><td>second</td></tr></table><span data-secret></span><i data-code="">text</i></main>
"""


def test_rows_and_facts_of_a_page() -> None:
    read = page(ROWS)
    assert (read.state, read.text) == (
        "open",
        "TwothingsCase titleOne twoEmpty first secondtext",
    )
    assert [row.attributes["data-ref"] for row in read.rows()] == ["R-1", "R-2"]
    assert [row.attributes["data-ref"] for row in read.rows("/requests/")] == ["R-1"]
    assert (read.ref("/requests/", "bank_records", "first"), read.ref("", "second"), read.ref("", "third")) == (
        "R-1",
        "R-2",
        "",
    )
    assert (read.state_of("R-1"), read.state_of("R-2"), read.state_of("R-3")) == ("sent", "", "")
    assert (read.fact("Case title"), read.fact("Empty"), read.value("data-code")) == ("One two", "", "text")
    with pytest.raises(DemoError, match="does not say 'Purpose'"):
        read.fact("Purpose")
    with pytest.raises(DemoError, match="shows no data-absent"):
        read.value("data-absent")


def test_a_page_that_is_no_page_has_nothing() -> None:
    read = page("<p>Not found</div></p><select><option>loose", 404)
    assert (read.status, read.state, read.text, read.rows(), read.forms) == (404, "", "", [], [])


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_one_time_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    """RFC 6238, appendix B, SHA-1: the last six of its eight digits."""
    secret = b32encode(b"12345678901234567890").decode().rstrip("=")
    assert one_time_code(secret, at) == code


# --- pressing a button until its effect is seen ----------------------------------------------


class Site(httpx.BaseTransport):
    """A page with one button. ``lost``: for each press, whether the answer is lost after the press took effect,
    before it, or not at all ("after", "before", "")."""

    def __init__(self, *lost: str, works: bool = True) -> None:
        self.lost, self.works = list(lost), works
        self.presses = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            lost = self.lost.pop(0) if self.lost else ""
            if lost != "before":
                self.presses += self.works
            if lost:
                raise httpx.RemoteProtocolError("killed")
        state = "pressed" if self.presses else "new"
        return httpx.Response(200, text=f'<main data-state="{state}"><form method="post"></form></main>')


def officer(site: Site) -> Person:
    person = Person("http://127.0.0.1:1", LogIn("AA-POL", "ina", (), "p"))
    person._client = httpx.Client(base_url=person.url, transport=site)
    return person


@pytest.mark.parametrize("lost", [(), ("before",), ("after",), ("before", "before", "after")])
def test_a_button_is_pressed_until_its_effect_is_seen_and_never_again(lost: tuple[str, ...]) -> None:
    site = Site(*lost)
    person = officer(site)
    assert person.ensure(lambda: person.get("/x/").state == "pressed", "/x/", {})
    assert person.ensure(lambda: person.get("/x/").state == "pressed", "/x/", {})
    assert site.presses == 1


def test_a_press_that_was_answered_without_effect_is_an_error() -> None:
    person = officer(Site(works=False))
    with pytest.raises(DemoError, match="without effect"):
        person.ensure(lambda: person.get("/x/").state == "pressed", "/x/", {})


def test_one_code_is_never_typed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node takes each code once: the second sign-in within half a minute uses the next one."""
    now = [1_000_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + 30))
    person = officer(Site())
    person.log_in.secret = b32encode(b"12345678901234567890").decode()
    codes = [person._code() for _ in range(4)]
    assert len(set(codes)) == 4
    assert codes[:2] == [one_time_code(person.log_in.secret, at) for at in (1_000_000_000, 1_000_000_030)]


def test_upload_fields_are_named_files(tmp_path: Path) -> None:
    seen: list[bytes] = []

    class Keeps(Site):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request.read())
            return super().handle_request(request)

    file = tmp_path / "records.csv"
    file.write_text("a;b\n", "utf-8")
    person = officer(Keeps())
    assert person.try_once("/x/", {"what": ["1", "2"]}, [("content", file)]) is not None
    assert b'name="content"; filename="records.csv"' in seen[-1]
    assert seen[-1].count(b'name="what"') == 2
