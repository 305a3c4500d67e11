"""Addresses of all pages."""

from django.urls import path

from palermo.web import health, sign_in, work

urlpatterns = [
    path("", work.queue, name="work"),
    path("sign-in/", sign_in.sign_in, name="account_login"),
    path("sign-in/second-factor/", sign_in.second_factor, name="mfa_authenticate"),
    path("sign-out/", sign_in.sign_out, name="account_logout"),
    path("join/<str:token>/", sign_in.join, name="join"),
    path("join/<str:token>/second-factor/", sign_in.join_second_factor, name="join-second-factor"),
    path("healthz", health.healthz, name="healthz"),
]
