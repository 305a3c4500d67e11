"""Django's name for this app."""

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    """The directory."""

    name = "palermo.node.directory"
    label = "directory"
