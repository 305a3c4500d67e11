"""What people do: join, sign in, work by keyboard alone, without JavaScript, and watch a page that renews itself."""

import time

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PHONE = (360, 740)
ENTITY = '{"id": "x-1", "properties": {"name": ["Cleo Invented"]}, "schema": "Person"}\n'


def focused(page) -> str:
    """What has the focus: its text, or its name."""
    return page.evaluate(
        "() => { const e = document.activeElement; return e.name || e.textContent.trim() || e.id || e.tagName }"
    )


def focus_shows(page) -> bool:
    """Whether the focused element looks different from itself without focus."""
    return page.evaluate(
        """() => {
            const element = document.activeElement;
            const looks = () => {
              const of = (node) => {
                const style = getComputedStyle(node);
                return [style.outline, style.boxShadow, style.backgroundColor, style.borderColor, style.color].join();
              };
              const label = element.id && document.querySelector(`label[for="${element.id}"]`);
              const before = label ? getComputedStyle(label, "::before") : null;
              return of(element) + (before ? before.outline + before.boxShadow + before.borderWidth : "");
            };
            const withFocus = looks();
            element.blur();
            const without = looks();
            element.focus();
            return withFocus !== without;
        }"""
    )


def test_an_invited_officer_joins_and_signs_in(site, open_as, walking, screenshots):
    page = open_as()
    page.goto(f"{site.url}/join/{site.token}/")
    page.get_by_role("button", name="Show password").first.click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    secret = walking.join(page, f"{site.url}/join/{site.token}/", "four words that differ")
    if screenshots:
        page.screenshot(path=screenshots / "recovery-codes.png", full_page=True)
    page.get_by_role("button", name="I have kept them").click()
    walking.sign_in(page, site.url, "newcomer", "four words that differ", secret)
    expect(page.get_by_role("banner")).to_contain_text("New Comer")
    walking.sign_out(page)


def test_a_page_is_walked_by_keyboard_alone(site, open_as):
    page = open_as("investigator")
    page.goto(f"{site.url}/cases/new/")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to main content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content"
    walked = []
    while not walked or walked[-1] != "Open the case":
        page.keyboard.press("Tab")
        walked.append(focused(page))
        assert focus_shows(page), walked[-1]
        if walked[-1] in ("title", "purpose", "legal_basis"):
            page.keyboard.type(f"by keyboard: {walked[-1]}")
        if walked[-1] == "neutrality":
            page.keyboard.press("ArrowDown")
        assert len(walked) < 20, walked
    assert walked == ["title", "purpose", "legal_basis", "neutrality", "Open the case"]
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("by keyboard: title")
    expect(page.locator(".palermo-title")).to_contain_text("Political")


def test_every_link_and_control_is_reached_by_keyboard(site, open_as):
    page = open_as("investigator")
    page.goto(site.address("/runs/{run}/"))
    count = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, select, textarea, [tabindex]")]
            .filter((element) => element.checkVisibility() && element.tabIndex >= 0).length"""
    )
    seen = set()
    for _ in range(count):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("() => [...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    assert len(seen) == count


def test_the_menu_of_a_telephone_opens_and_closes(site, open_as):
    page = open_as("investigator", PHONE)
    page.goto(f"{site.url}/")
    menu = page.get_by_role("button", name="Menu")
    expect(page.get_by_role("link", name="Cases")).to_be_hidden()
    menu.click()
    page.get_by_role("link", name="Cases").click()
    expect(page.locator("h1")).to_have_text("Cases")


def test_everything_works_without_javascript(site, open_as, walking):
    page = open_as("investigator", PHONE, javascript=False)
    page.goto(f"{site.url}/")
    page.get_by_role("link", name="Cases").click()
    case = walking.open_case(page, site.url, title="Plain", purpose="Test", legal_basis="UNTOC Art. 27")
    walking.add_subject(page, site.url, case, name="Dora Invented", phone="+39 06 698 11111")
    run = walking.start_run(page, site.url, case, partner="BB-POL", legal_basis="UNTOC Art. 27")
    page.goto(f"{site.url}/runs/{run}/")
    assert walking.state(page) == "preparing"
    walking.judge(page, site.url, site.objects["hit"], "Unsure", "More must be known.")


@pytest.mark.slow
def test_the_page_of_a_load_renews_itself(site, open_as, tmp_path, worker):
    file = tmp_path / "new.ftm.jsonl"
    file.write_text(ENTITY, "utf-8")
    page = open_as("supervisor")
    page.goto(site.address("/holdings/{holding}/"))
    page.get_by_label("Format").select_option("ftm")
    page.get_by_label("Files").set_input_files(str(file))
    page.locator("main").get_by_role("button", name="Load").click()
    expect(page.locator("main")).to_have_attribute("data-state", "loading")
    stamp = page.evaluate("window.untouched = Math.random()")
    process = worker()
    try:
        expect(page.locator("main")).to_have_attribute("data-state", "kept", timeout=60_000)
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert page.evaluate("window.untouched") == stamp, "the page was loaded anew instead"
    assert page.locator("#live").get_attribute("hx-trigger") is None


def test_a_session_that_ended_leads_to_the_sign_in(site, open_as):
    page = open_as("investigator")
    page.goto(f"{site.url}/cases/new/")
    page.context.clear_cookies()
    page.goto(f"{site.url}/cases/")
    expect(page.locator("h1")).to_have_text("Sign in")
    assert "next=/cases/" in page.url


def test_a_button_pressed_twice_sends_once(site, open_as, walking):
    page = open_as("investigator")
    page.goto(f"{site.url}/cases/new/")
    for label in ("Title", "Purpose", "Legal basis"):
        page.get_by_label(label).fill(f"twice {time.monotonic()}")
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.locator("main").get_by_role("button", name="Open the case").dblclick()
    page.wait_for_url("**/cases/AA-POL-CASE-*/")
    assert len(sent) == 1
