"""Palermo: software with which states fight transnational organised crime together.

Rooms and floors: ``docs/architecture.md``. Each room below ``node`` works without a node and without Django.
"""

__version__ = "0.1.0"
