"""Every page in Chromium: no accessibility violation, nothing that the page policy refuses, no sideways scrolling."""

import pytest
from watching import overflow, violations

pytestmark = pytest.mark.browser

# Officer, name of the picture, address.
PAGES = (
    ("", "sign-in", "/sign-in/"),
    ("", "join", "/join/{token}/"),
    ("investigator", "work", "/"),
    ("supervisor", "work-approval", "/"),
    ("investigator", "cases", "/cases/"),
    ("investigator", "case-new", "/cases/new/"),
    ("investigator", "case", "/cases/{case}/"),
    ("investigator", "case-subjects", "/cases/{case}/subjects/"),
    ("investigator", "case-members", "/cases/{case}/members/"),
    ("investigator", "case-close", "/cases/{case}/close/"),
    ("investigator", "case-held-hits", "/cases/{case}/held-hits/"),
    ("investigator", "run-new", "/cases/{case}/runs/new/"),
    ("investigator", "run", "/runs/{run}/"),
    ("investigator", "hit", "/hits/{hit}/"),
    ("investigator", "hit-judged", "/hits/{judged_hit}/"),
    ("investigator", "matching", "/matching/"),
    ("administrator", "matching-administrator", "/matching/"),
    ("investigator", "requests", "/requests/"),
    ("investigator", "request-new", "/cases/{case}/requests/new/hit_confirmation/"),
    ("central_authority", "request-new-mla", "/cases/{case}/requests/new/bank_records/"),
    ("investigator", "request", "/requests/{request}/"),
    ("supervisor", "request-gates", "/requests/{request}/"),
    ("investigator", "request-edit", "/requests/{request}/edit/"),
    ("central_authority", "request-cite", "/requests/{request}/evidence/"),
    ("supervisor", "request-gate", "/requests/{request}/gates/{gate}/"),
    ("investigator", "request-submit", "/requests/{request}/submit/"),
    ("investigator", "request-send", "/requests/{request}/send/"),
    ("investigator", "request-withdraw", "/requests/{request}/withdraw/"),
    ("central_authority", "request-received", "/requests/{received}/"),
    ("central_authority", "request-answer", "/requests/{received}/answer/"),
    ("supervisor", "approval", "/approvals/{approval}/"),
    ("central_authority", "evidence-new", "/cases/{case}/evidence/new/"),
    ("central_authority", "evidence", "/evidence/{evidence}/"),
    ("central_authority", "evidence-bound", "/evidence/{bound}/"),
    ("central_authority", "evidence-ask", "/evidence/{bound}/ask/"),
    ("central_authority", "evidence-consent", "/evidence/{bound}/consent/"),
    ("central_authority", "evidence-consent-end", "/evidence/{bound}/consents/{consent}/end/"),
    ("central_authority", "evidence-export", "/evidence/{bound}/export/"),
    ("central_authority", "question", "/uses/{question}/"),
    ("central_authority", "question-decide", "/uses/{question}/decide/"),
    ("central_authority", "notice", "/notices/{notice}/"),
    ("central_authority", "notice-new", "/evidence/{bound}/notice/"),
    ("central_authority", "recall", "/recalls/{recall}/"),
    ("central_authority", "recall-new", "/evidence/{evidence}/recall/"),
    ("central_authority", "recall-keep", "/recalls/{recall}/keep/"),
    ("central_authority", "recall-delete", "/recalls/{recall}/delete/"),
    ("central_authority", "statement", "/statements/{statement}/"),
    ("central_authority", "case-retention", "/cases/{case}/retention/"),
    ("central_authority", "package-new", "/cases/{case}/packages/new/"),
    ("central_authority", "package", "/packages/{package}/"),
    ("central_authority", "package-verify", "/packages/{package}/verify/"),
    ("supervisor", "holdings", "/holdings/"),
    ("supervisor", "holding-new", "/holdings/new/"),
    ("supervisor", "holding", "/holdings/{holding}/"),
    ("supervisor", "holding-edit", "/holdings/{holding}/edit/"),
    ("supervisor", "holding-protect", "/holdings/{holding}/protect/"),
    ("auditor", "ledger", "/ledger/"),
    ("auditor", "ledger-entry", "/ledger/{entry}/"),
    ("auditor", "ledger-disclosures", "/ledger/disclosures/"),
    ("auditor", "messages", "/messages/"),
    ("auditor", "message", "/messages/{message}/"),
    ("auditor", "audit", "/audit/"),
    ("auditor", "partners", "/partners/"),
    ("auditor", "partner", "/partners/{partner}/"),
    ("administrator", "directory-import", "/partners/import/"),
    ("administrator", "officers", "/officers/"),
    ("administrator", "officer-new", "/officers/new/"),
    ("administrator", "officer", "/officers/{username}/"),
    ("administrator", "officer-invite", "/officers/{username}/invite/"),
    ("investigator", "not-found", "/cases/none/"),
    ("auditor", "forbidden", "/cases/"),
)
DESKTOP, PHONE = (1280, 900), (360, 740)


@pytest.mark.slow
@pytest.mark.parametrize("officer", sorted({officer for officer, *_ in PAGES}))
def test_every_page_is_accessible_at_both_widths(officer, site, open_as, axe, screenshots):
    site.objects.setdefault("token", site.token)
    found = []
    page = open_as(officer, DESKTOP)
    for who, name, path in PAGES:
        if who != officer:
            continue
        for size, width in ((DESKTOP, "desktop"), (PHONE, "phone")):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            if width == "desktop":
                page.goto(site.address(path))
            if screenshots:
                page.screenshot(path=screenshots / f"{name}-{width}.png", full_page=True)
            found += [f"{name} ({width}): {line}" for line in violations(page, axe)]
            if pixels := overflow(page):
                found.append(f"{name} ({width}): {pixels} pixels wider than the screen")
    assert not found, "\n".join(found)


def test_forms_in_error_are_accessible(site, open_as, axe, screenshots):
    page = open_as("investigator")
    found = []
    for name, path in (("case-new-error", "/cases/new/"), ("hit-error", "/hits/{hit}/")):
        page.goto(site.address(path))
        page.locator("main form button[type=submit]").last.click()
        if screenshots:
            page.screenshot(path=screenshots / f"{name}.png", full_page=True)
        assert page.title().startswith("Error:")
        assert page.evaluate("document.activeElement.className") == "govuk-error-summary"
        found += violations(page, axe)
    page.locator(".govuk-error-summary a").first.click()
    assert page.evaluate("document.activeElement.name") == "verdict"
    assert not found, "\n".join(found)
