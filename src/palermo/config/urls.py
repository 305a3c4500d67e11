"""All URLs of a node: pages for people, and the exchange for partners' nodes."""

from django.urls import include, path

urlpatterns = [
    path("exchange/", include("palermo.web.urls_exchange")),
    path("", include("palermo.web.urls")),
]
