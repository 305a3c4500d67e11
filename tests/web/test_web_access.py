"""Who reaches which page. A new address fails here until it is placed in the table."""

import re

import pytest
from django.urls import get_resolver, reverse

from palermo.node.office.models import Officer

PUBLIC = {
    "account_login",
    "account_logout",
    "exchange-collect",
    "exchange-envelopes",
    "exchange-file",
    "exchange-parcels",
    "exchange-piece",
    "exchange-relay",
    "healthz",
    "join",
    "join-second-factor",
    "mfa_authenticate",
}
# For each page: its arguments, and who opens it. I investigator and C central-authority officer of the case's team,
# S supervisor, A auditor, M administrator; a page that exists for POST alone has no letter.
PAGES = {
    "work": ([], "ICSAM"),
    "holdings": ([], "ICSM"),
    "holding-new": ([], "SM"),
    "holding": (["holding"], "ICSM"),
    "holding-edit": (["holding"], "SM"),
    "holding-protect": (["holding"], "S"),
    "holding-unprotect": (["holding"], ""),
    "load-rejects": (["holding", "load"], ""),
    "cases": ([], "ICS"),
    "case-new": ([], "ICS"),
    "case": (["case"], "ICS"),
    "case-subjects": (["case"], "ICS"),
    "case-members": (["case"], "ICS"),
    "case-member-remove": (["case"], ""),
    "case-note": (["case"], ""),
    "case-flag": (["case"], "ICS"),
    "case-close": (["case"], "ICS"),
    "case-held-hits": (["case"], "ICS"),
    "run-new": (["case"], "I"),
    "request-new": (["case", "type"], "ICS"),
    "evidence-new": (["case"], "ICS"),
    "package-new": (["case"], "C"),
    "matching": ([], "ISAM"),
    "run": (["run"], "ICS"),
    "run-hits-csv": (["run"], "ICS"),
    "hit": (["hit"], "ICS"),
    "requests": ([], "ICS"),
    "request": (["request"], "ICS"),
    "request-edit": (["request"], "ICS"),
    "request-cite": (["request"], "ICS"),
    "request-gate": (["request", "gate"], "ICS"),
    "request-submit": (["request"], "ICS"),
    "request-send": (["request"], "ICS"),
    "request-withdraw": (["request"], "ICS"),
    "request-answer": (["received"], "ICS"),
    "request-close": (["request"], "ICS"),
    "approval": (["approval"], "IS"),
    "evidence": (["evidence"], "ICS"),
    "evidence-content": (["evidence"], "ICS"),
    "evidence-ask": (["bound"], "ICS"),
    "evidence-consent": (["bound"], "CS"),
    "evidence-consent-end": (["bound", "consent"], "CS"),
    "evidence-export": (["evidence"], "ICS"),
    "evidence-hold": (["evidence"], "CS"),
    "notice-new": (["bound"], "CS"),
    "recall-new": (["evidence"], "CS"),
    "case-retention": (["case"], "CS"),
    "question": (["question"], "ICS"),
    "question-decide": (["question"], "CS"),
    "question-send": (["question"], "CS"),
    "question-withdraw": (["question"], "CS"),
    "notice": (["notice"], "ICS"),
    "notice-consult": (["notice"], "CS"),
    "notice-disclose": (["notice"], "CS"),
    "notice-drop": (["notice"], "CS"),
    "notice-content": (["notice"], ""),
    "recall": (["recall"], "ICS"),
    "recall-keep": (["recall"], "CS"),
    "recall-delete": (["recall"], "CS"),
    "statement": (["statement"], "ICS"),
    "statement-file": (["statement", "part"], "ICS"),
    "evidence-use": (["evidence"], "ICS"),
    "package": (["package"], "ICS"),
    "evidence-step": (["evidence"], "ICS"),
    "package-copy": (["package"], "ICS"),
    "package-download": (["package"], ""),  # after a court copy was recorded
    "package-verify": (["package"], "ICS"),
    "package-certificate": (["package"], "ICS"),
    "ledger": ([], "SA"),
    "ledger-checkpoint": ([], "SA"),
    "ledger-check": ([], ""),
    "ledger-export": ([], "SA"),
    "ledger-entry": (["entry"], "SA"),
    "ledger-disclosures": ([], "SA"),
    "ledger-disclosures-csv": ([], "SA"),
    "messages": ([], "SAM"),
    "message": (["message"], "SAM"),
    "message-receipt": (["message"], ""),
    "message-statement": (["message", "stage"], "SAM"),
    "message-acknowledge": (["message"], ""),
    "courier": ([], "SM"),
    "courier-export": ([], ""),
    "relays": ([], "SAM"),
    "partners": ([], "ICSAM"),
    "directory-import": ([], "M"),
    "partner": (["partner"], "ICSAM"),
    "partner-acknowledge": (["partner"], ""),
    "officers": ([], "M"),
    "officer-new": ([], "M"),
    "officer": (["username"], "M"),
    "officer-invite": (["username"], "M"),
    "audit": ([], "A"),
}
OFFICERS = {
    "I": "investigator",
    "C": "central_authority",
    "S": "supervisor",
    "A": "auditor",
    "M": "administrator",
}
# Objects of a case, with a name that no such object has: to whoever does not need to know, both are the same.
OF_A_CASE = {
    "case": "AA-POL-CASE-2026-999999",
    "run": "0" * 32,
    "hit": "0" * 32,
    "request": "AA-POL-REQ-2026-999999",
    "received": "BB-POL-REQ-2026-999999",
    "evidence": "AA-POL-ITEM-2026-999999",
    "package": "AA-POL-PKG-2026-999999",
    "bound": "AA-POL-ITEM-2026-999998",
    "question": "BB-POL-USE-2026-999999",
    "notice": "AA-POL-NTC-2026-999999",
    "recall": "BB-POL-RCL-2026-999999",
    "statement": "AA-POL-DEL-2026-999999",
}
FIXED = {"type": "hit_confirmation", "part": "signed", "load": "0" * 32, "stage": "submission-accepted"}


def read_out(response) -> None:
    """Read a response to its end, which ends it; ``close`` would end the connection that the test's transaction has."""
    for _ in response:
        pass


def address(node, name: str, **instead: str) -> str:
    known = node.objects | FIXED | instead
    return reverse(name, args=[known[kind] for kind in PAGES[name][0]])


def names_of_all_addresses() -> set[str]:
    return {key for key in get_resolver().reverse_dict if isinstance(key, str)}


def body(response) -> str:
    """A page's text without the token that differs from one request to the next."""
    content = b"".join(response) if response.streaming else response.content
    read_out(response)
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", content.decode("utf-8", "replace"))


def test_every_address_is_in_the_table(db):
    assert names_of_all_addresses() == PUBLIC | PAGES.keys()


def test_no_page_opens_to_the_unsigned(node, client):
    for name in PAGES:
        for method in (client.get, client.post):
            response = method(address(node, name))
            assert response.status_code == 302, name
            assert response["Location"].startswith("/sign-in/"), name


def test_a_password_alone_opens_nothing(node, client):
    officer = node.officers["investigator"]
    client.force_login(officer)
    assert client.get("/cases/")["Location"].startswith("/sign-in/")
    session = client.session
    assert "_auth_user_id" not in session, "half a sign-in must not stay"


def test_an_officer_who_may_no_longer_sign_in_is_out_at_once(node, browser):
    investigator = browser("investigator")
    assert investigator.get("/cases/").status_code == 200
    Officer.objects.filter(pk=node.officers["investigator"].pk).update(is_active=False)
    assert investigator.get("/cases/").status_code == 302


def test_a_part_that_polls_sends_the_whole_page_to_the_sign_in(node, client):
    response = client.get(address(node, "run"), headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (204, "/sign-in/")


@pytest.mark.parametrize("letter", OFFICERS)
def test_each_role_opens_what_the_policy_says(node, browser, letter):
    client = browser(OFFICERS[letter])
    opened, expected = set(), set()
    for name, (_arguments, letters) in PAGES.items():
        response = client.get(address(node, name))
        read_out(response)
        if response.status_code == 200:
            opened.add(name)
        else:
            assert response.status_code in (403, 404, 405), (name, response.status_code)
        if letter in letters:
            expected.add(name)
    assert opened == expected


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("holding-unprotect", "ICAM"),
        ("case-member-remove", "AM"),
        ("case-note", "AM"),
        ("ledger-check", "ICM"),
        ("message-acknowledge", "IC"),
        ("courier-export", "ICA"),
        ("partner-acknowledge", "ICM"),
        ("ledger-checkpoint", "ICM"),
        ("matching", "ICA"),
        ("officer-invite", "ICSA"),
    ],
)
def test_a_press_is_refused_to_who_may_not(node, browser, name, refused):
    for letter in refused:
        assert browser(OFFICERS[letter]).post(address(node, name)).status_code == 403, (name, letter)


@pytest.mark.parametrize("stranger", ["outsider", "outside_central"])
def test_without_need_to_know_an_object_looks_like_one_that_does_not_exist(node, browser, stranger):
    client = browser(stranger)
    for name, (arguments, _letters) in PAGES.items():
        kinds = [kind for kind in arguments if kind in OF_A_CASE]
        for kind in kinds:
            for method in (client.get, client.post):
                there = method(address(node, name))
                absent = method(address(node, name, **{kind: OF_A_CASE[kind]}))
                assert there.status_code == absent.status_code, (name, stranger)
                assert there.status_code in (403, 404, 405), (name, stranger)
                assert body(there) == body(absent), (name, stranger)


@pytest.mark.parametrize("stranger", ["outsider", "outside_central"])
def test_without_need_to_know_no_list_counts_or_names_an_object(node, browser, stranger):
    client = browser(stranger)
    secrets = [node[kind] for kind in ("case", "run", "hit", "request", "received", "evidence", "package")]
    for name in ("work", "cases", "requests", "matching", "holdings", "partners"):
        text = body(client.get(address(node, name)))
        assert not [secret for secret in secrets if secret in text], name
        assert "Compound" not in text, name


def test_an_administrator_never_sees_a_case(node, browser):
    client = browser("administrator")
    for name in ("case", "run", "hit", "request", "evidence", "package"):
        assert client.get(address(node, name)).status_code == 403
