"""What a person does on the pages, step by step, in a browser: the words of the tests that walk the road.

Every function takes Playwright's page and the address of the node. It fills in the forms as a person would, by their
labels, and returns the reference of what it made, read from the address it ends at. Who asked to (:func:`watch`) looks
at each page just before it is left.
"""

import hashlib
import hmac
import re
import struct
import time
from base64 import b32decode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from playwright.sync_api import Page, expect

DONE_SECONDS = 120
_watchers: WeakKeyDictionary[Page, Callable[[Page], None]] = WeakKeyDictionary()


def one_time_code(secret: str, at: float) -> str:
    """RFC 6238, six digits, 30 seconds, SHA-1."""
    digest = hmac.new(b32decode(secret), struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 0x0F)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def watch(page: Page, look: Callable[[Page], None]) -> None:
    """Have every page that is shown here looked at, just before it is left."""
    _watchers[page] = look


def leave(page: Page) -> None:
    """Let whoever watches look at the page: it is about to be left."""
    if page in _watchers:
        _watchers[page](page)


def go(page: Page, address: str) -> None:
    """Leave the page for an address."""
    leave(page)
    page.goto(address)


def state(page: Page) -> str:
    """State of the page's main object."""
    return page.locator("main").get_attribute("data-state") or ""


def wait_for_state(page: Page, *wanted: str, seconds: float = DONE_SECONDS) -> None:
    """Wait while the page renews itself; reload it now and then as an impatient person does."""
    deadline = time.monotonic() + seconds
    while state(page) not in wanted:
        assert time.monotonic() < deadline, f"{page.url} is {state(page)!r}, not {wanted}"
        page.wait_for_timeout(500)
        page.reload()


def wait_for_row(page: Page, address: str, row: str, seconds: float = DONE_SECONDS) -> str:
    """Open a list again and again until a row is in it (a CSS selector); returns what the row refers to."""
    go(page, address)
    deadline = time.monotonic() + seconds
    while page.locator(row).count() == 0:
        assert time.monotonic() < deadline, f"{address} has no {row}"
        page.wait_for_timeout(500)
        page.reload()
    return page.locator(row).first.get_attribute("data-ref") or ""


def fact(page: Page, name: str) -> str:
    """What a summary list on the page says of a thing."""
    term = page.locator("dt", has_text=re.compile(f"^{re.escape(name)}$"))
    return term.first.locator("xpath=following-sibling::dd[1]").inner_text()


def press(page: Page, name: str) -> None:
    """Press a button of the page's content, and wait for the page that it leads to."""
    leave(page)
    with page.expect_navigation():
        page.locator("main").get_by_role("button", name=name, exact=True).click()


def reference(page: Page) -> str:
    """The last part of the address: what was just made."""
    return urlsplit(page.url).path.rstrip("/").rpartition("/")[2]


# --- signing in -----------------------------------------------------------------------------


def join(page: Page, link: str, password: str) -> str:
    """Use a one-time link; returns the second-factor secret."""
    go(page, link)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password again").fill(password)
    press(page, "Continue")
    secret = page.locator("[data-totp-secret]").get_attribute("data-totp-secret") or ""
    page.get_by_label("Code from the app").fill(one_time_code(secret, time.time()))
    press(page, "Continue")
    expect(page.locator("main")).to_have_attribute("data-state", "joined")
    return secret


def sign_in(page: Page, url: str, username: str, password: str, secret: str) -> None:
    """Sign in with both factors."""
    go(page, f"{url}/sign-in/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    press(page, "Continue")
    page.get_by_label("Code").fill(one_time_code(secret, time.time()))
    press(page, "Sign in")
    expect(page.locator("h1")).to_have_text("Your work")


def sign_out(page: Page) -> None:
    """Sign out with the button above every page."""
    leave(page)
    page.get_by_role("banner").get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")


def make_officer(page: Page, url: str, *, username: str, full_name: str, roles: list[str]) -> str:
    """As the administrator: make an officer; returns the one-time link."""
    go(page, f"{url}/officers/new/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Full name").fill(full_name)
    for role in roles:
        page.get_by_label(role).check()
    press(page, "Make the officer")
    return page.locator("[data-invitation]").get_attribute("data-invitation") or ""


# --- what the authority knows ---------------------------------------------------------------


def make_holding(page: Page, url: str, *, code: str, name: str, partners: list[str], reveals: str = "existence") -> str:
    """As a supervisor: make a holding that these partners (codes) may match."""
    go(page, f"{url}/holdings/new/")
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Source").fill("Invented for the test")
    page.get_by_label("Purpose").fill("Test of the road")
    for part, value in (("Day", "31"), ("Month", "12"), ("Year", str(time.gmtime().tm_year + 2))):
        page.get_by_label(part, exact=True).fill(value)
    for partner in partners:
        page.locator(f'input[name="partners"][value="{partner}"]').check()
    page.locator(f'input[name="hit_reveals"][value="{reveals}"]').check()
    page.get_by_label("Contact point").fill("duty desk")
    press(page, "Make the holding")
    return reference(page)


def load_files(page: Page, url: str, holding: str, files: list[Path], format_code: str = "ftm") -> None:
    """Load files into a holding and wait until they are in."""
    go(page, f"{url}/holdings/{holding}/")
    page.get_by_label("Format").select_option(format_code)
    page.get_by_label("Files").set_input_files([str(file) for file in files])
    press(page, "Load")
    wait_for_state(page, "kept")


def open_epoch(page: Page, url: str) -> None:
    """Open an epoch and wait until it is published."""
    go(page, f"{url}/matching/")
    press(page, "Open an epoch")
    wait_for_state(page, "open")


# --- a case ---------------------------------------------------------------------------------


def open_case(page: Page, url: str, *, title: str, purpose: str, legal_basis: str) -> str:
    """Open a case."""
    go(page, f"{url}/cases/new/")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Purpose").fill(purpose)
    page.get_by_label("Legal basis").fill(legal_basis)
    press(page, "Open the case")
    return reference(page)


def add_subject(page: Page, url: str, case: str, *, name: str, phone: str = "", iban: str = "") -> None:
    """Add a person to a case."""
    go(page, f"{url}/cases/{case}/subjects/")
    page.get_by_label(re.compile("^Name")).fill(name)
    page.get_by_label(re.compile("^Telephone numbers")).fill(phone)
    page.get_by_label(re.compile("^IBAN")).fill(iban)
    page.get_by_label("Where this is known from").fill("A complaint")
    press(page, "Add the subject")
    expect(page.get_by_role("alert")).to_contain_text(name)


def add_member(page: Page, url: str, case: str, name: str) -> None:
    """Let another officer know, unless the team has them already."""
    go(page, f"{url}/cases/{case}/members/")
    listed = page.locator("tr[data-ref]", has_text=name)
    if listed.count() == 0:
        page.get_by_label("Officer").select_option(label=name)
        press(page, "Add to the team")
    expect(listed).to_have_count(1)


def start_run(page: Page, url: str, case: str, *, partner: str, legal_basis: str, inputs: str = "subjects") -> str:
    """Match the case's subjects, or a holding, with a partner."""
    go(page, f"{url}/cases/{case}/runs/new/")
    page.get_by_label("Partner").select_option(partner)
    page.locator(f'input[name="inputs"][value="{inputs}"]').check()
    page.get_by_label("Legal basis").select_option(legal_basis)
    press(page, "Start the run")
    return reference(page)


def judge(page: Page, url: str, hit: str, verdict: str, reason: str) -> None:
    """Judge a hit; ``verdict`` as it reads: Same, Different, Unsure."""
    go(page, f"{url}/hits/{hit}/")
    page.get_by_label(verdict, exact=True).check()
    page.get_by_label("Reason").fill(reason)
    press(page, "Keep the judgement")
    expect(page.get_by_role("alert")).to_contain_text("judgement")


# --- requests and evidence ------------------------------------------------------------------


def fill_in(page: Page, facts: dict[str, str]) -> None:
    """Fill in a request's form by the names of its questions, whatever their control."""
    for name, value in facts.items():
        controls = page.locator(f'[name="{name}"]')
        if controls.count() == 0:
            year, month, day = value.split("-")
            for part, text in (("day", day), ("month", month), ("year", year)):
                page.locator(f'[name="{name}_{part}"]').fill(text)
        elif controls.first.get_attribute("type") in ("radio", "checkbox"):
            page.locator(f'[name="{name}"][value="{value}"]').check()
        elif controls.first.evaluate("element => element.tagName") == "SELECT":
            controls.select_option(value)
        else:
            controls.fill(value)


def draft_request(page: Page, url: str, case: str, code: str, *, partner: str, facts: dict[str, str]) -> str:
    """Draft a request of a type."""
    go(page, f"{url}/cases/{case}/requests/new/{code}/")
    fill_in(page, {"partner": partner, **facts})
    press(page, "Save the draft")
    return reference(page)


def answer_gates(page: Page, url: str, request: str, reason: str = "Looked at: no cause for concern.") -> None:
    """Answer every safeguard that is open: no concern, proceed."""
    go(page, f"{url}/requests/{request}/")
    open_gates = page.locator('tr[data-state="open"]').all()
    for gate in [row.get_attribute("data-ref") for row in open_gates]:
        go(page, f"{url}/requests/{request}/gates/{gate}/")
        fill_in(page, {"concern": "no", "decision": "proceed", "reason": reason})
        press(page, "Keep the answer")


def submit(page: Page, url: str, request: str) -> str:
    """Ask for approval; returns the approval's number."""
    go(page, f"{url}/requests/{request}/submit/")
    press(page, "Ask a second person")
    return page.locator("[data-approval]").get_attribute("data-approval") or ""


def approve(page: Page, url: str, approval: str, reason: str = "Complete, and within the treaty.") -> None:
    """Decide as the second person."""
    go(page, f"{url}/approvals/{approval}/")
    fill_in(page, {"approved": "yes", "reason": reason})
    press(page, "Keep the decision")


def send(page: Page, url: str, request: str) -> None:
    """Send an approved request."""
    go(page, f"{url}/requests/{request}/send/")
    press(page, "Send")
    expect(page.locator("main")).not_to_have_attribute("data-state", "approved")


def answer(page: Page, url: str, request: str, facts: dict[str, str]) -> None:
    """Answer a partner's request; ``facts`` by field name: outcome, ground, reasons, package, consent …"""
    go(page, f"{url}/requests/{request}/answer/")
    fill_in(page, facts)
    press(page, "Send the answer")


def add_item(page: Page, url: str, case: str, file: Path, *, what: str) -> str:
    """Add an item of evidence."""
    go(page, f"{url}/cases/{case}/evidence/new/")
    page.get_by_label("File", exact=True).set_input_files(str(file))
    fill_in(page, {"what": what, "collected_by": "Officer Example", "how": "Handed over by the bank", "where": "Bank"})
    fill_in(page, {"origin": "own", "collected_at": "2026-02-03", "collected_at_time": "10:30"})
    press(page, "Add the item")
    return reference(page)


def seal(page: Page, url: str, case: str, items: list[str], *, recipient: str, request: str) -> str:
    """Seal items for a partner's request."""
    go(page, f"{url}/cases/{case}/packages/new/")
    for item in items:
        page.locator(f'[name="items"][value="{item}"]').check()
    fill_in(page, {"recipient": recipient, "request_reference": request})
    press(page, "Seal the package")
    wait_for_state(page, "out")
    return reference(page)


def download(page: Page, url: str, package: str, path: Path) -> None:
    """Make a court copy of a package, and download it to a file."""
    go(page, f"{url}/packages/{package}/copy/")
    fill_in(page, {"court": "District Court of Example", "proceedings": "File 1/26"})
    press(page, "Make the copy")
    with page.expect_download() as arriving:
        page.get_by_role("button", name="Download").click()
    arriving.value.save_as(path)


def verify(page: Page, url: str, package: str) -> str:
    """Verify a package; returns the verdict."""
    go(page, f"{url}/packages/{package}/verify/")
    return state(page)
