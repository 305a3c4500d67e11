"""Addresses that partners' nodes post to."""

from django.urls import path

from palermo.web import exchange

urlpatterns = [path("v1/envelopes", exchange.envelopes, name="exchange-envelopes")]
