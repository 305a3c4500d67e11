"""Addresses that partners' nodes post to."""

from django.urls import path

from palermo.web import exchange, exchange_files, exchange_relay

urlpatterns = [
    path("v1/envelopes", exchange.envelopes, name="exchange-envelopes"),
    path("v2/parcels", exchange.parcels, name="exchange-parcels"),
    path("v2/relay/<str:recipient>", exchange_relay.hand_in, name="exchange-relay"),
    path("v2/collections", exchange_relay.collect, name="exchange-collect"),
    path("v2/files/<str:file_id>", exchange_files.state, name="exchange-file"),
    path("v2/files/<str:file_id>/<int:number>", exchange_files.piece, name="exchange-piece"),
]
