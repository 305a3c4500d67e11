"""One node with an object of every kind in it, and browsers in which its officers are signed in."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

_spec = importlib.util.spec_from_file_location("furnishing", Path(__file__).with_name("furnishing.py"))
furnishing = importlib.util.module_from_spec(_spec)
sys.modules["furnishing"] = furnishing
_spec.loader.exec_module(furnishing)


@pytest.fixture
def empty_node(db, settings, tmp_path):
    """This node as AA-POL with two partners in its directory, and its officers; nothing else."""
    return furnishing.found(tmp_path, settings, timezone.now().replace(microsecond=0))


@pytest.fixture
def node(empty_node):
    """The node with an object of every kind."""
    return furnishing.furnish(empty_node)


@pytest.fixture
def browser(empty_node) -> Callable[[str], Client]:
    """``browser("investigator")``: a browser in which the officer of that name has shown both factors."""

    def open_for(name: str) -> Client:
        officer = empty_node.officers[name]
        client = Client()
        client.force_login(officer)
        session = client.session
        session["account_authentication_methods"] = [{"method": "password", "at": 0}, {"method": "mfa", "at": 0}]
        session["account_authentication_methods_user"] = str(officer.pk)
        session.save()
        return client

    return open_for
