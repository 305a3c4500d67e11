"""All URLs of a node: pages for people, and the exchange for partners' nodes."""

from django.urls import include, path

urlpatterns = [
    path("exchange/", include("palermo.web.urls_exchange")),
    path("", include("palermo.web.urls")),
]

handler400 = "palermo.web.errors.bad_request"
handler403 = "palermo.web.errors.forbidden"
handler404 = "palermo.web.errors.not_found"
handler500 = "palermo.web.errors.server_error"
