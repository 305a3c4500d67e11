"""The evidence app."""

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    """Items, custody, packages and use limits."""

    name = "palermo.node.evidence"
    label = "evidence"
    default_auto_field = "django.db.models.BigAutoField"
