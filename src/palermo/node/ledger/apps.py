"""Django's name for this app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The transparency log."""

    name = "palermo.node.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"
