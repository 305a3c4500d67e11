"""Django's name for this room."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """The ``cases`` app."""

    name = "palermo.node.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"
