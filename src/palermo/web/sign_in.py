"""Signing in with password and second factor, and joining by a one-time invitation.

Joining takes two steps. The link sets the password; the same browser session then proves the second factor, which uses
the link up. Until then the account opens nothing: a password alone never does.
"""

import hashlib

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from allauth.account.views import LoginView, LogoutView
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from palermo.node.office import actions, queries
from palermo.node.office.errors import NotFoundError
from palermo.web.access import public
from palermo.web.errors import error_page
from palermo.web.forms.rendering import PageForm, Password, attempt

JOINING = "joining"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts come by invitation alone, and pages say themselves what happened."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody opens an account here by themselves."""
        return False

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Say nothing: "you have signed in" is plain to see."""


# --- signing in -----------------------------------------------------------------------------


class SignInForm(LoginForm):  # type: ignore[misc]
    """Username (``login``) and password."""

    use_required_attribute = False

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["login"].widget = forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"})
        self.fields["password"].widget = Password(attrs={"autocomplete": "current-password"})
        self.fields["password"].help_text = ""


class SecondFactorForm(AuthenticateForm):  # type: ignore[misc]
    """The six digits of the authenticator app, or a recovery code."""

    use_required_attribute = False

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["code"].label = _("Code")
        self.fields["code"].help_text = _(
            "Six digits from your authenticator app. If you have lost it, enter one of your recovery codes."
        )
        self.fields["code"].widget = forms.TextInput(
            attrs={"class": "govuk-input--width-10", "autocomplete": "one-time-code", "inputmode": "numeric"}
        )


class SignIn(LoginView):  # type: ignore[misc]
    """First step: username and password."""

    form_class = SignInForm
    template_name = "palermo/sign_in/sign_in.html"


class SecondFactor(AuthenticateView):  # type: ignore[misc]
    """Second step: the code. allauth lets nobody here without the first."""

    form_class = SecondFactorForm
    template_name = "palermo/sign_in/second_factor.html"


class SignOut(LogoutView):  # type: ignore[misc]
    """Ends the session; a page asks first, so that a link in a message cannot do it."""

    template_name = "palermo/sign_in/sign_out.html"


sign_in = public(SignIn.as_view())
second_factor = public(SecondFactor.as_view())
sign_out = public(SignOut.as_view())


# --- joining --------------------------------------------------------------------------------


class PasswordForm(PageForm):
    """A new password, twice."""

    username = forms.CharField(label=_("Username"), disabled=True, required=False)
    password1 = forms.CharField(
        label=_("Password"),
        help_text=_("At least 12 characters. Three or four words that do not belong together are good."),
        widget=Password(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(label=_("Password again"), widget=Password(attrs={"autocomplete": "new-password"}))

    def clean(self) -> None:
        """Both must be equal."""
        if self.cleaned_data.get("password1") != self.cleaned_data.get("password2"):
            self.add_error("password2", _("The two passwords differ. Enter the same one twice."))


class FirstCodeForm(PageForm):
    """The first code of a new authenticator app."""

    code = forms.CharField(
        label=_("Code from the app"),
        help_text=_("Six digits. The code changes every 30 seconds."),
        widget=forms.TextInput(
            attrs={"class": "govuk-input--width-10", "autocomplete": "one-time-code", "inputmode": "numeric"}
        ),
    )

    def __init__(self, *args: object, secret: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.secret = secret

    def clean_code(self) -> str:
        """The code must be the secret's, now."""
        code: str = self.cleaned_data["code"]
        if not validate_totp_code(self.secret, code):
            raise forms.ValidationError(_("This is not the code that the app shows now. Enter the newest one."))
        return code


@public
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """First step of an invitation: set the password."""
    now = timezone.now()
    try:
        invited = queries.invitation(hashlib.sha256(token.encode()).hexdigest(), now=now)
    except NotFoundError as error:
        return error_page(request, 404, error.sentence)
    form = PasswordForm(request.POST or None, initial={"username": invited.username})
    if request.method == "POST":
        officer = attempt(
            form, lambda: actions.accept_invitation(token, password=form.cleaned_data["password1"], now=now)
        )
        if officer is not None:
            request.session.flush()
            request.session[JOINING] = {"token": token, "officer": officer.pk, "secret": generate_totp_secret()}
            return redirect("join-second-factor", token)
    context = {"form": form, "invited": invited}
    return render(request, "palermo/sign_in/join.html", context, status=422 if form.errors else 200)


@public
@require_http_methods(["GET", "POST"])
def join_second_factor(request: HttpRequest, token: str) -> HttpResponse:
    """Second step: prove an authenticator app with its first code; recovery codes are then shown, once."""
    joining = request.session.get(JOINING)
    if joining is None or joining["token"] != token:
        return redirect("join", token)
    secret: str = joining["secret"]
    officer = get_user_model()._default_manager.get(pk=joining["officer"])
    form = FirstCodeForm(request.POST or None, secret=secret)
    if request.method == "POST" and form.is_valid():
        codes = _enrol(officer, token, secret)
        request.session.flush()
        context = {"codes": codes, "sign_in": reverse("account_login")}
        return render(request, "palermo/sign_in/recovery_codes.html", context)
    shown = {"form": form, "secret": secret, "grouped": _in_fours(secret), "drawing": _qr_code(officer, secret)}
    return render(request, "palermo/sign_in/join_second_factor.html", shown, status=422 if form.errors else 200)


@transaction.atomic
def _enrol(officer: AbstractBaseUser, token: str, secret: str) -> list[str]:
    """Use the link up and replace whatever second factor the officer had; returns the new recovery codes."""
    actions.complete_invitation(token, now=timezone.now())
    Authenticator.objects.filter(user_id=officer.pk).delete()
    TOTP.activate(officer, secret)
    codes: list[str] = RecoveryCodes.activate(officer).get_unused_codes()
    return codes


def _in_fours(secret: str) -> str:
    """A secret as people read it out."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _qr_code(officer: AbstractBaseUser, secret: str) -> str:
    """The secret as a drawing for the app's camera: SVG, since the page policy allows no ``data:`` image."""
    adapter = get_adapter()
    drawing: str = adapter.build_totp_svg(adapter.build_totp_url(officer, secret))
    return mark_safe(drawing.partition("?>")[2] or drawing)  # made here, of our own secret
