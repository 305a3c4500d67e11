"""Django's name for this room."""

from django.apps import AppConfig


class HoldingsConfig(AppConfig):
    """The ``holdings`` app."""

    name = "palermo.node.holdings"
    label = "holdings"
    default_auto_field = "django.db.models.BigAutoField"
