"""Two authorities in one process: AA-POL asks, BB-POL holds. Each job and message runs under the right identity."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from palermo.node.cases import actions as cases
from palermo.node.exchange import actions as exchange
from palermo.node.exchange import handlers as exchange_handlers
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.states import Outbox
from palermo.node.holdings import actions as holdings
from palermo.node.ledger.models import Checkpoint
from palermo.node.matching import actions, handlers
from palermo.node.matching.jobs import JOB_HANDLERS
from palermo.node.matching.rows import EpochRow, RunRow
from palermo.node.matching.steps import Step
from palermo.node.office.models import Job
from palermo.subjects.entities import Entity, write_entities

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUERIER, HOLDER = "AA-POL", "BB-POL"
AT_THE_HOLDER = {Step.PUBLISH, Step.OFFER, Step.EVALUATE, Step.CONFIRM, Step.REFUSE}

OURS = [
    Entity(
        "aa-1", "Person", {"name": ("Ada Invented",), "phone": ("+39 06 698 12345",), "email": ("ada@example.org",)}
    ),
    Entity("aa-2", "Person", {"name": ("Bea Invented",), "phone": ("+39 06 698 54321",)}),
    Entity("aa-3", "Person", {"name": ("Cleo Covert",), "phone": ("+39 06 698 77777",)}),
]
THEIRS = [
    Entity("bb-1", "Person", {"name": ("A. Invented",), "phone": ("+39 0669812345",), "email": ("ADA@example.org",)}),
    Entity("bb-2", "Person", {"name": ("Another One",), "email": ("ada@example.org",)}),
    Entity("bb-3", "Person", {"name": ("Undercover",), "phone": ("+390669877777",)}),
    Entity("bb-4", "Person", {"name": ("Unrelated",), "phone": ("+39 06 698 99999",)}),
]
KINDS = ["email", "phone"]


@dataclass
class Sides:
    """Drives jobs and post between the two authorities. Both use one database, so checkpoints are made anew."""

    network: object
    now: datetime = NOW

    @contextmanager
    def at(self, code: str) -> Iterator[None]:
        """Act as that authority."""
        Checkpoint.objects.all().delete()
        with self.network.as_authority(code):
            yield

    def work(self, *, only: str | None = None) -> int:
        """Run the jobs that wait, each at its side; returns how many ran."""
        waiting = Job.objects.filter(state=Job.State.QUEUED).order_by("pk")
        due = [job for job in waiting if only is None or job.kind == only]
        for job in due:
            self.run(job)
            Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
        return len(due)

    def run(self, job: Job) -> None:
        """Run one job's handler, and leave the job as it is."""
        with self.at(HOLDER if job.kind in AT_THE_HOLDER else QUERIER):
            JOB_HANDLERS[job.kind](job.payload, lambda share: None, self.now)

    def post(self) -> int:
        """Deliver what is in the outbox, with receipts; returns how many messages."""
        due = list(Outgoing.objects.filter(state=Outbox.QUEUED).order_by("pk"))
        for message in due:
            sender = QUERIER if message.recipient == HOLDER else HOLDER
            with self.at(message.recipient):
                receipt = exchange.receive(bytes(message.envelope), now=self.now)
            with self.at(sender):
                exchange.settle(message.pk, receipt, now=self.now)
        return len(due)

    def settle(self) -> None:
        """Go on until nothing waits any more."""
        while self.work() + self.post():
            pass

    def reason(self, payload_type: str) -> str:
        """Why the newest message of a type was rejected, as its receipt says."""
        return Outgoing.objects.filter(payload_type=payload_type).order_by("-pk")[0].reason


@pytest.fixture
def sides(network, monkeypatch) -> Sides:
    """The two authorities; matching alone listens to the exchange."""
    monkeypatch.setattr(exchange_handlers, "_handlers", {})
    for payload_type, handler in handlers.EXCHANGE_HANDLERS.items():
        exchange_handlers.register(payload_type, handler)
    return Sides(network)


@pytest.fixture
def investigator(make_officer):
    return make_officer("rossi", "investigator")


@pytest.fixture
def supervisor(make_officer):
    return make_officer("verdi", "supervisor")


@pytest.fixture
def fill(sides, supervisor, tmp_path) -> Callable[..., str]:
    """Make a holding at one of the two and load entities into it."""

    def make(code: str, at: str, entities: list[Entity], **changes: object) -> str:
        fields = {
            "name": f"Register {code}",
            "source": "invented for the test",
            "purpose": "test of blind match",
            "retention_date": date(2027, 1, 1),
            "contact_point": f"duty desk of {at}",
            "partners": [HOLDER if at == QUERIER else QUERIER],
            "handling_code": "H2",
            "caveats": "Ask before you act.",
        }
        with sides.at(at):
            holdings.create(supervisor, code=code, **(fields | changes), now=NOW)
            path = tmp_path / f"{code}.ftm.jsonl"
            write_entities(path, entities)
            holdings.load(supervisor, code, format="ftm", paths=[path], now=NOW)
        return code

    return make


@pytest.fixture
def case(sides, investigator) -> str:
    """An open case of the investigator at the querier, with three subjects."""
    with sides.at(QUERIER):
        opened = cases.open_case(
            investigator, title="Test", purpose="fraud against invented people", legal_basis="UNTOC Art. 27", now=NOW
        )
        for entity in OURS:
            cases.add_subject(investigator, opened.reference, entity=entity, origin="the test", now=NOW)
    return opened.reference


@pytest.fixture
def opened(sides, fill, supervisor) -> EpochRow:
    """BB-POL opens an epoch on its register, of which one item is covert; none of the work is done yet."""
    fill("register", HOLDER, THEIRS)
    with sides.at(HOLDER):
        holdings.protect(supervisor, "register", entity_ids=["bb-3"], reason="covert", now=NOW)
        return actions.open_epoch(supervisor, now=NOW)


@pytest.fixture
def offered(sides, opened) -> EpochRow:
    """The epoch is published and offered to AA-POL."""
    sides.settle()
    return opened


@pytest.fixture
def start(sides, investigator, case) -> Callable[..., RunRow]:
    """Start a run of the case against BB-POL."""

    def make(**changes: object) -> RunRow:
        arguments = {"case": case, "partner": HOLDER, "legal_basis": "UNTOC Art. 27", "kinds": KINDS, "now": sides.now}
        with sides.at(QUERIER):
            return actions.start_run(investigator, **(arguments | changes))

    return make
