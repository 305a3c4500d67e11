"""Joining by invitation and signing in with both factors."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.utils import timezone

from palermo.node.office import actions
from palermo.node.office.models import AuditRow

PASSWORD = "four words that differ"


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()


@pytest.fixture
def token(db) -> str:
    return actions.create_first_administrator(username="ada", full_name="Ada Example", now=timezone.now())


def code(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def secret_of(page) -> str:
    return re.search(r'data-totp-secret="(\w+)"', page.content.decode()).group(1)


def set_password(client, token: str) -> str:
    """First step of an invitation; returns the second factor's secret."""
    answer = client.post(f"/join/{token}/", {"password1": PASSWORD, "password2": PASSWORD})
    assert answer["Location"] == f"/join/{token}/second-factor/"
    return secret_of(client.get(answer["Location"]))


def join(client, token: str) -> tuple[str, list[str]]:
    """Both steps; returns the secret and the recovery codes."""
    secret = set_password(client, token)
    page = client.post(f"/join/{token}/second-factor/", {"code": code(secret)})
    assert 'data-state="joined"' in page.content.decode()
    return secret, re.findall(r"<li>(\d{8})</li>", page.content.decode())


def password_step(client, password: str = PASSWORD):
    return client.post("/sign-in/", {"login": "ada", "password": password})


def test_who_joins_signs_in_with_both_factors(client, token):
    secret, codes = join(client, token)
    assert len(codes) == 10
    assert AuditRow.objects.filter(verb="officer.joined").exists()
    assert client.get("/").status_code == 302, "joining alone does not sign in"
    first = password_step(client)
    assert first["Location"] == "/sign-in/second-factor/"
    assert client.get("/").status_code == 302, "a password alone does not sign in"
    first = password_step(client)
    assert client.post(first["Location"], {"code": code(secret)})["Location"] == "/"
    assert client.get("/").status_code == 200


def test_a_code_works_once(client, token):
    secret, _codes = join(client, token)
    used = code(secret, 1)
    password_step(client)
    assert client.post("/sign-in/second-factor/", {"code": used}).status_code == 302
    client.post("/sign-out/")
    password_step(client)
    assert client.post("/sign-in/second-factor/", {"code": used}).status_code == 200
    assert client.get("/").status_code == 302


def test_a_recovery_code_works_once(client, token):
    _secret, codes = join(client, token)
    for expected in (200, 302):
        password_step(client)
        client.post("/sign-in/second-factor/", {"code": codes[0]})
        assert client.get("/").status_code == expected
        client.post("/sign-out/")


def test_a_wrong_password_says_nothing_about_the_account(client, token):
    join(client, token)
    wrong = password_step(client, "not the password").content.decode()
    unknown = client.post("/sign-in/", {"login": "nobody", "password": "x"}).content.decode()
    message = re.compile(r"govuk-error-summary__list.*?</ul>", re.DOTALL)
    assert message.search(wrong).group() == message.search(unknown).group()


def test_guessing_ends_after_five_attempts(client, token):
    join(client, token)
    for _ in range(5):
        password_step(client, "a guess")
    page = password_step(client)
    assert page.status_code == 200 and "Too many" in page.content.decode()


def test_the_link_works_until_both_factors_are_set_and_then_no_more(client, token):
    first = set_password(client, token)
    second = set_password(client, token)
    assert first != second
    assert client.post(f"/join/{token}/second-factor/", {"code": code(first)}).status_code == 422
    assert client.post(f"/join/{token}/second-factor/", {"code": code(second)}).status_code == 200
    page = client.get(f"/join/{token}/")
    assert page.status_code == 404 and "Ask your administrator" in page.content.decode()


def test_another_browser_cannot_enrol_the_second_factor(client, token):
    set_password(client, token)
    from django.test import Client

    stranger = Client()
    assert stranger.get(f"/join/{token}/second-factor/")["Location"] == f"/join/{token}/"


def test_an_unknown_link_is_refused_in_plain_words(client, db):
    page = client.get("/join/nonsense/")
    assert page.status_code == 404 and "used or has expired" in page.content.decode()


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("short", "short", "at least 12"),
        (PASSWORD, "another one entirely", "differ"),
        ("password1234", "password1234", "common"),
    ],
)
def test_a_weak_or_mistyped_password_is_refused(client, token, first, second, words):
    page = client.post(f"/join/{token}/", {"password1": first, "password2": second})
    assert page.status_code == 422 and words in page.content.decode()


def test_a_new_link_replaces_both_factors(client, token):
    old_secret, old_codes = join(client, token)
    officer = Authenticator.objects.first().user
    again = actions.invite_again(officer, username="ada", now=timezone.now())
    new_secret, new_codes = join(client, again)
    assert new_secret != old_secret and new_codes != old_codes
    assert Authenticator.objects.filter(user=officer).count() == 2
    password_step(client)
    assert client.post("/sign-in/second-factor/", {"code": old_codes[0]}).status_code == 200


def test_secrets_are_sealed_in_the_database(client, token):
    secret, _codes = join(client, token)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored


def test_signing_out_needs_a_press(client, token):
    secret, _codes = join(client, token)
    password_step(client)
    client.post("/sign-in/second-factor/", {"code": code(secret)})
    assert client.get("/sign-out/").status_code == 200
    assert client.get("/").status_code == 200, "a link alone does not sign out"
    client.post("/sign-out/")
    assert client.get("/").status_code == 302
