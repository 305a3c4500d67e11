"""Django's name for this room."""

from django.apps import AppConfig


class MatchingConfig(AppConfig):
    """The ``matching`` app."""

    name = "palermo.node.matching"
    label = "matching"
    default_auto_field = "django.db.models.BigAutoField"
