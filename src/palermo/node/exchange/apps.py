"""Django's name for this app."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Envelopes and receipts."""

    name = "palermo.node.exchange"
    label = "exchange"
    default_auto_field = "django.db.models.BigAutoField"
