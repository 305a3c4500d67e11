"""Django's name for this app."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """The office."""

    name = "palermo.node.office"
    label = "office"
