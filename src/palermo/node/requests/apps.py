"""The requests app."""

from django.apps import AppConfig


class RequestsConfig(AppConfig):
    """Requests to and from other authorities, and their answers."""

    name = "palermo.node.requests"
    label = "requests"
    default_auto_field = "django.db.models.BigAutoField"
