"""Entry point of a node's web server: the gate, and the web application behind it."""

from django.conf import settings

from palermo.config.gate import Bounds, Gate
from palermo.config.wsgi import application as behind

application = Gate(behind, Bounds(), behind_proxy=settings.NODE.https, folder=str(settings.FILE_UPLOAD_TEMP_DIR))
