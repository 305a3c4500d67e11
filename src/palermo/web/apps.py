"""The web room as a Django app, for its templates, static files and texts."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages for people."""

    name = "palermo.web"
    label = "web"
