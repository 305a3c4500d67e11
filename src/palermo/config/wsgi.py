"""WSGI entry point of a node."""

import os

from django.core.wsgi import get_wsgi_application

from palermo.config.lifeline import die_with_parent

if os.environ.get("PALERMO_SUPERVISED"):
    die_with_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "palermo.config.settings")
application = get_wsgi_application()

from palermo.config import wiring  # noqa: E402  (models can be imported only now)

wiring.connect()
