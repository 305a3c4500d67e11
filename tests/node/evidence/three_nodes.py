"""Three nodes in one process that give each other evidence: AA-POL, BB-POL, CC-POL; see the conftest of requests."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from palermo.config import wiring
from palermo.node.cases import actions as cases
from palermo.node.directory import own_keys
from palermo.node.evidence import actions as evidence
from palermo.node.evidence import queries
from palermo.node.exchange import actions as exchange
from palermo.node.exchange import queries as exchange_queries
from palermo.node.office import jobs
from palermo.sealing import directory as sealed

_spec = importlib.util.spec_from_file_location("asking_nodes", Path(__file__).parents[1] / "requests" / "conftest.py")
nodes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(nodes)
databases = nodes.databases

A, B, C = "AA-POL", "BB-POL", "CC-POL"
STATEMENT = b"date,amount\n2026-01-05,1200.00\n"


@pytest.fixture
def three(request, settings, tmp_path, databases, django_db_blocker) -> Iterator[object]:
    """The three nodes, knowing each other; all officers of a role each, and a case at each.

    Parametrized indirectly: the codes of the witnesses that the directory lists; nobody by default.
    """
    made = nodes.World(settings, {})
    wiring.connect()
    with django_db_blocker.unblock():
        entries = []
        for code in (A, B, C):
            home = tmp_path / code
            home.mkdir()
            made.nodes[code] = nodes.Node(code, home, databases.new(home))
            with made.at(code):
                own_keys.ensure(nodes.NOW)
                (recipient,) = own_keys.recipient_keys().values()
                roles = (sealed.Role.POLICE, sealed.Role.CENTRAL_AUTHORITY)
                entry = nodes.entry(code, own_keys.signing_key(), recipient, roles)
                entries.append(replace(entry, cosigner_key=own_keys.cosigner_key().public.to_bytes()))
        nodes.network(made, tuple(entries), getattr(request, "param", ()))
        made.cases = {code: open_case(made, code) for code in (A, B, C)}
        yield made
        for node in made.nodes.values():
            databases.drop(node.database)


def open_case(made: object, code: str) -> str:
    """A case with everybody but the outsider on its team."""
    return nodes.open_case(made, code)


@dataclass(frozen=True)
class Given:
    """An item that one node gave another: its reference at each, and the package that carried it."""

    giver: str
    taker: str
    ours: str
    theirs: str
    package: str


class Hands:
    """What passes between the three: evidence given, post carried, jobs done."""

    A, B, C = A, B, C
    STATEMENT = STATEMENT

    def __init__(self, world: object) -> None:
        self.world = world
        self.ready = lambda giver: None  # what a package waits for, where the network has witnesses

    def add(self, code: str, content: bytes = STATEMENT, **marks: str) -> str:
        """An item of a node's own case."""
        with self.world.at(code) as node:
            facts = {"origin": "own", "handling_code": "H0", "tlp": "clear", **marks}
            return evidence.add_item(
                node.officer("central_authority"),
                case=self.world.cases[code],
                content=content,
                name="statement.csv",
                media_type="text/csv",
                what="Account statement, January 2026",
                collected_by="Compliance desk, First Bank of Borealia",
                how="Produced on a court order",
                collected_at=self.world.now,
                where="Port Meridian",
                now=self.world.tick(),
                **facts,
            ).reference

    def pass_on(self, giver: str, taker: str, item: str, request: str = "") -> Given:
        """Seal an item of the giver for a request of the taker, who takes the package in."""
        request = request or f"{taker}-REQ-2026-000001"
        with self.world.at(giver) as node:
            officer = node.officer("central_authority")
            sealed_one = evidence.seal_package(
                officer,
                case=self.world.cases[giver],
                items=[item],
                recipient=taker,
                request_reference=request,
                now=self.world.tick(),
            )
            self.ready(giver)
            data = queries.package_path(officer, sealed_one.reference).read_bytes()
        with self.world.at(taker):
            taken = evidence.receive_package(
                case=self.world.cases[taker],
                partner=giver,
                request_reference=request,
                data=data,
                ledger_index=0,
                now=self.world.tick(),
            )
        return Given(giver, taker, item, taken.items[0].reference, sealed_one.reference)

    def give(self, content: bytes = STATEMENT, **marks: str) -> Given:
        """BB-POL gives AA-POL an item of its own."""
        return self.pass_on(B, A, self.add(B, content, **marks))

    def raw(self, sender: str, recipient: str, kind: str, payload: bytes) -> tuple[str, str]:
        """A message as only a changed node would send it: what became of it, and the reason that came back."""
        with self.world.at(sender):
            sent = exchange.send(
                recipient=recipient,
                payload_type=kind,
                payload=payload,
                case_reference="X",
                purpose="Test",
                now=self.world.tick(),
            )
        self.world.post(sender)
        with self.world.at(sender):
            row = exchange_queries.message(sent.message_id)
            return row.state, row.reason

    def post(self) -> list[str]:
        """Everything that waits at any of the three is delivered, until nothing waits."""
        fates: list[str] = []
        while any(some := [self.world.post(code) for code in (A, B, C)]):
            fates += [fate for part in some for fate in part]
        return fates

    def work(self, code: str) -> None:
        """A node's worker does what is queued."""
        with self.world.at(code):
            jobs.run_due(self.world.tick())

    def another_case(self, code: str) -> str:
        """A second case of a node."""
        return nodes.open_case(self.world, code)

    def close(self, code: str, case: str) -> None:
        """Close a case."""
        with self.world.at(code) as node:
            cases.close_case(node.officer("investigator"), case, reason="Done.", now=self.world.tick())


@pytest.fixture
def hands(three) -> Hands:
    """What passes between the three nodes."""
    return Hands(three)
