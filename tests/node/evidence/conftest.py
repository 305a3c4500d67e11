"""A case with a team, items and packages in it, for the tests of custody and packaging."""

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from palermo.node.cases import actions as cases
from palermo.node.evidence import actions

_spec = importlib.util.spec_from_file_location("three_nodes", Path(__file__).with_name("three_nodes.py"))
three_nodes = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = three_nodes
_spec.loader.exec_module(three_nodes)
databases, three, hands = three_nodes.databases, three_nodes.three, three_nodes.hands

CONTENT = b"date,amount\n2026-01-05,1200.00\n"
REQUEST = "BB-POL-REQ-2026-000001"


@pytest.fixture
def team(network, make_officer):
    officers = {
        role: make_officer(role, role) for role in ("investigator", "supervisor", "central_authority", "auditor")
    }
    officers["outsider"] = make_officer("outsider", "investigator")
    return officers


@pytest.fixture
def case(network, team):
    lead = team["investigator"]
    reference = cases.open_case(
        lead, title="Compound", purpose="Investigate a fraud", legal_basis="UNTOC", now=network.now
    ).reference
    cases.add_member(lead, reference, member=team["central_authority"].pk, now=network.now)
    return reference


@pytest.fixture
def add(network, team, case):
    def add_item(**changes):
        values = {
            "case": case,
            "content": CONTENT,
            "name": "statement.csv",
            "media_type": "text/csv",
            "what": "Account statement",
            "collected_by": "First Bank of Aurelia",
            "how": "Produced on a court order",
            "collected_at": network.now - timedelta(days=1),
            "where": "Port Meridian",
            "origin": "own",
            "now": network.now,
        }
        return actions.add_item(team["investigator"], **{**values, **changes})

    return add_item


@pytest.fixture
def seal(network, team, case):
    def seal_items(*items, officer="central_authority", **changes):
        values = {"case": case, "recipient": "BB-POL", "request_reference": REQUEST, "now": network.now}
        return actions.seal_package(team[officer], items=list(items), **{**values, **changes})

    return seal_items


@pytest.fixture(scope="session")
def stamper(tmp_path_factory):
    """A time-stamping authority: ``openssl ts``, which stamps by this machine's clock."""
    spec = importlib.util.spec_from_file_location("timestamping", Path(__file__).parents[2] / "timestamping.py")
    timestamping = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = timestamping
    spec.loader.exec_module(timestamping)
    return timestamping.TimeStamper(tmp_path_factory.mktemp("stamper"))
