"""Two nodes in one process: each with a home, keys and a database file of its own; the post between them is by hand."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from palermo.config import wiring
from palermo.node.cases import actions as cases
from palermo.node.directory import actions as directory_actions
from palermo.node.directory import own_keys
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.models import Outgoing
from palermo.node.matching import models as matching
from palermo.node.office import actions as office
from palermo.node.office.models import Officer
from palermo.node.office.policy import Role
from palermo.node.office.queries import officers_with
from palermo.node.requests import actions
from palermo.sealing import directory as sealed
from palermo.sealing.keys import SigningKey
from palermo.subjects.entities import Entity

spec = importlib.util.spec_from_file_location("databases", Path(__file__).parents[1] / "databases.py")
databases_of_tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(databases_of_tests)
acting_on, of_this_run = databases_of_tests.acting_on, databases_of_tests.of_this_run

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
A, B = "AA-POL", "BB-POL"

HIT_FACTS = {
    "subject_matter": "Mule accounts of an investment fraud",
    "question": "Is the account's holder the person we met?",
    "purpose": "To decide on a request for bank records",
    "consent_wanted": "yes",
}
BANK_FACTS = {
    "offence": "Laundering of proceeds, Penal Code s. 300, up to ten years",
    "offence_kind": "serious",
    "maximum_years": "10",
    "transnational": "yes",
    "transnational_grounds": "Victims in one State, accounts in the other",
    "organised_group": "yes",
    "group_grounds": "Eight people share the work since 2024",
    "other_treaty": "none",
    "nature": "investigation",
    "subject_matter": "Investment fraud run from a compound",
    "conducting_authority": "Fraud Unit",
    "conducting_functions": "Investigates fraud under the direction of the prosecutor",
    "summary": "Forty victims paid into one account between January and March.",
    "assistance": "Account statements and opening documents",
    "accounts": "First Bank of Borealia, 00123456",
    "period_from": "2026-01-01",
    "period_to": "2026-02-28",
    "procedure": "Copies certified by an officer of the bank",
    "persons": "Ilse Varga; Port Meridian; Borealian",
    "purpose": "Evidence in the prosecution for laundering",
    "rests_on_intelligence": "yes",
    "language": "en",
    "confidential": "yes",
}


@dataclass
class Node:
    """One authority: home, private keys, database, and its officers by role."""

    code: str
    home: Path
    database: object
    officers: dict[str, Officer] = field(default_factory=dict)

    def officer(self, role: str) -> Officer:
        return self.officers[role]


@dataclass
class World:
    """The nodes by code; ``at`` acts as one of them, ``post`` carries what waits in its outbox."""

    settings: object
    nodes: dict[str, Node]
    now: datetime = NOW

    @contextmanager
    def at(self, code: str) -> Iterator[Node]:
        node = self.nodes[code]
        before = (self.settings.PALERMO_AUTHORITY, self.settings.PALERMO_HOME)
        self.settings.PALERMO_AUTHORITY, self.settings.PALERMO_HOME = code, node.home
        try:
            with acting_on(node.database):
                yield node
        finally:
            self.settings.PALERMO_AUTHORITY, self.settings.PALERMO_HOME = before

    def post(self, sender: str) -> list[str]:
        """Deliver everything in the sender's outbox, with its receipt; returns what became of each message."""
        self.now += timedelta(minutes=1)
        with self.at(sender):
            waiting = [(row.pk, row.recipient, bytes(row.envelope)) for row in Outgoing.objects.filter(receipt=None)]
        fates = []
        for key, recipient, envelope in waiting:
            with self.at(recipient):
                receipt = exchange.receive(envelope, now=self.now)
                assert exchange.receive(envelope, now=self.now) == receipt  # posted twice, taken once
            with self.at(sender):
                fates.append(exchange.settle(key, receipt, now=self.now).state)
        return fates

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


def entry(code: str, signing: SigningKey, recipient: object, roles: tuple[sealed.Role, ...]) -> sealed.AuthorityEntry:
    begin, end = NOW - timedelta(days=1), NOW + timedelta(days=29)
    return sealed.AuthorityEntry(
        code=code,
        name=f"Bureau of {code[:2]}",
        jurisdiction=code[:2],
        roles=roles,
        languages=("en",),
        endpoint=f"http://{code.lower()}.invalid",
        contact_point=f"duty desk of {code}",
        log_origin=f"palermo/{code}",
        signing_keys=(sealed.SigningKeyPeriod(signing.public.to_bytes(), begin, end + timedelta(days=900)),),
        recipient_keys=(sealed.sign_recipient_key(code, recipient.public, begin, end, signing),),
        protocol=2,
    )


def staff() -> dict[str, Officer]:
    """One officer of each role, and an investigator who is on no case."""
    names = {role.value: (role.value, [role.value]) for role in Role}
    names |= {"outsider": ("outsider", ["investigator"]), "second_central": ("second_central", ["central_authority"])}
    return {
        key: Officer.objects.create(
            username=name, first_name="Officer", last_name=name.title(), roles=roles, created_at=NOW
        )
        for key, (name, roles) in names.items()
    }


@pytest.fixture(scope="session")
def databases(tmp_path_factory, django_db_blocker) -> Iterator[object]:
    """Where each node's empty database comes from."""
    with django_db_blocker.unblock():
        made = of_this_run(tmp_path_factory.mktemp("database"))
        yield made
        made.close()


@pytest.fixture
def world(request, settings, tmp_path, databases, django_db_blocker) -> Iterator[World]:
    """AA-POL and BB-POL, both police and central authority, knowing each other; all officers of a role each."""
    made = World(settings, {})
    wiring.connect()
    roles = getattr(request, "param", (sealed.Role.POLICE, sealed.Role.CENTRAL_AUTHORITY))
    with django_db_blocker.unblock():
        entries = []
        for code in (A, B):
            home = tmp_path / code
            home.mkdir()
            made.nodes[code] = Node(code, home, databases.new(home))
            with made.at(code):
                own_keys.ensure(NOW)
                (recipient,) = own_keys.recipient_keys().values()
                entries.append(entry(code, own_keys.signing_key(), recipient, roles))
        network(made, tuple(entries))
        yield made
        for node in made.nodes.values():
            databases.drop(node.database)


def network(made: World, entries: tuple[sealed.AuthorityEntry, ...], witnesses: tuple[str, ...] = ()) -> None:
    founder = SigningKey.generate()
    root = sealed.TrustRoot("test network", (founder.public.to_bytes(),))
    directory = sealed.Directory(
        network="test network",
        version=1,
        created_at=NOW,
        founders=(founder.key_id,),
        entries=entries,
        witnesses=witnesses,
    )
    signed = sealed.sign_directory(directory, founder)
    for code, node in made.nodes.items():
        with made.at(code):
            (node.home / "trust-root.json").write_bytes(root.to_bytes())
            directory_actions.import_directory(signed, now=NOW)
            node.officers = staff()


# --- steps of the road ----------------------------------------------------------------------


def open_case(world: World, code: str = A) -> str:
    """A case at one node with everybody but the outsider on its team."""
    with world.at(code) as node:
        lead = node.officer("investigator")
        case = cases.open_case(
            lead, title="Compound", purpose="Investigate an investment fraud", legal_basis="UNTOC", now=world.tick()
        ).reference
        for role in ("supervisor", "central_authority", "second_central"):
            cases.add_member(lead, case, member=node.officer(role).pk, now=world.now)
    return case


def make_hit(world: World, case: str, *, verdict: str = "same", asker: str = A, holder: str = B) -> str:
    """A hit as a blind match leaves it at both nodes; returns the querier's hit id."""
    run_id, reference, hit_id = uuid4().hex, uuid4().hex, uuid4().hex
    entity = Entity("p-1", "Person", {"name": ("Ilse Varga",)})
    with world.at(asker) as node:
        manifest = matching.PartnerManifest.objects.create(
            partner=holder,
            epoch=run_id,
            tier="t",
            manifest=b"m",
            manifest_digest=uuid4().hex * 2,
            counts={},
            valid_from=NOW,
            valid_until=NOW + timedelta(days=1),
            received_at=NOW,
        )
        run = matching.Run.objects.create(
            run_id=run_id,
            case_id=case,
            partner=holder,
            manifest=manifest,
            inputs="subjects",
            kinds=["person"],
            purpose="p",
            legal_basis="UNTOC",
            officer=node.officer("investigator"),
            state="done",
            started_at=NOW,
            ended_at=NOW,
        )
        matching.Hit.objects.create(
            hit_id=hit_id,
            run=run,
            our_id="p-1",
            our_caption="Ilse Varga",
            our_entity=entity.to_json(),
            partner_reference=reference,
            selectors=[["person", "ilse varga"]],
            disclosure={
                "reveals": "existence",
                "contact_point": "desk",
                "handling_code": "H1",
                "tlp": "amber",
                "caveats": "",
                "entity": "",
            },
            verdict=verdict,
            intelligence=verdict == "same",
            found_at=NOW,
        )
    with world.at(holder):
        hold_hit(world, run_id, reference, case, asker, entity)
    return hit_id


def hold_hit(world: World, run_id: str, reference: str, partner_case: str, asker: str, entity: Entity) -> None:
    held_case = cases.open_or_join_for_hit(
        partner=asker,
        partner_case=partner_case,
        purpose="Investigate an investment fraud",
        legal_basis="UNTOC",
        entities=[(entity, "accounts")],
        officers=officers_with("hit.judge"),
        now=world.tick(),
    ).reference
    epoch = matching.Epoch.objects.create(code=run_id, state="open", valid_from=NOW, valid_until=NOW)
    publication = matching.Publication.objects.create(
        epoch=epoch,
        tier="t",
        partners=[asker],
        holdings=[],
        manifest=b"m",
        manifest_digest=uuid4().hex * 2,
        counts={},
        published_at=NOW,
    )
    run = matching.HeldRun.objects.create(
        run_id=run_id,
        partner=asker,
        publication=publication,
        case_reference=partner_case,
        purpose="p",
        legal_basis="UNTOC",
        asked_by="x",
        state="answered",
        request_message="m",
        ledger_index=0,
        received_at=NOW,
        ended_at=NOW,
    )
    matching.HeldHit.objects.create(
        run=run,
        case_id=held_case,
        reference=reference,
        holding="accounts",
        entity_id="p-1",
        caption="Ilse Varga",
        kinds=["person"],
        disclosed="existence",
        found_at=NOW,
    )


GATES = ("death_penalty", "torture", "persecution", "fair_trial", "neutrality", "protection")


def answer_gates(world: World, code: str, reference: str) -> None:
    """A supervisor sees no concern at any safeguard, and says why."""
    with world.at(code) as node:
        for gate in GATES:
            actions.answer_gate(
                node.officer("supervisor"),
                reference,
                gate=gate,
                concern="no",
                decision="proceed",
                reason="Looked into it: none is seen.",
                now=world.tick(),
            )


def approve(world: World, code: str, reference: str, role: str, *, approved: bool = True) -> None:
    """The second person decides on the bytes in force."""
    from palermo.node.requests import queries

    with world.at(code) as node:
        asked = queries.approval(node.officer(role), reference)
        office.decide_approval(
            node.officer(role), asked.pk, approved=approved, reason="Read in full.", now=world.tick()
        )


def send_hit_confirmation(world: World, case: str, hit_id: str) -> str:
    """Draft, safeguards, second person, send: the police inquiry is on its way."""
    with world.at(A) as node:
        lead = node.officer("investigator")
        reference = actions.draft(
            lead,
            type="hit_confirmation",
            case=case,
            partner=B,
            facts={**HIT_FACTS, "hits": hit_id},
            now=world.tick(),
        ).reference
    answer_gates(world, A, reference)
    with world.at(A):
        actions.submit_for_approval(lead, reference, now=world.tick())
    approve(world, A, reference, "supervisor")
    with world.at(A):
        actions.send(lead, reference, now=world.tick())
    return reference


def confirm_hit(world: World, reference: str, *, consent: str = "yes", conditions: str = "") -> None:
    """The originator confirms the hit, with or without consent to its use in a formal request."""
    answer_gates(world, B, reference)
    with world.at(B) as node:
        actions.answer(
            node.officer("investigator"),
            reference,
            outcome="executed",
            consent=consent,
            conditions=conditions,
            now=world.tick(),
        )


def draft_bank_request(world: World, case: str, hit_id: str, **changes: str) -> str:
    """The central authority's officer drafts the formal request on the police file."""
    with world.at(A) as node:
        return actions.draft(
            node.officer("central_authority"),
            type="bank_records",
            case=case,
            partner=B,
            facts={**BANK_FACTS, "hits": hit_id, **changes},
            now=world.tick(),
        ).reference


def send_bank_request(world: World, reference: str) -> None:
    """Safeguards, second central-authority officer, send."""
    answer_gates(world, A, reference)
    with world.at(A) as node:
        actions.submit_for_approval(node.officer("central_authority"), reference, now=world.tick())
    approve(world, A, reference, "second_central")
    with world.at(A) as node:
        actions.send(node.officer("central_authority"), reference, now=world.tick())


@pytest.fixture
def road():
    """The steps of the road, for tests that take some of them."""
    from types import SimpleNamespace

    return SimpleNamespace(
        A=A,
        B=B,
        NOW=NOW,
        HIT_FACTS=HIT_FACTS,
        BANK_FACTS=BANK_FACTS,
        GATES=GATES,
        open_case=open_case,
        make_hit=make_hit,
        answer_gates=answer_gates,
        approve=approve,
        send_hit_confirmation=send_hit_confirmation,
        confirm_hit=confirm_hit,
        draft_bank_request=draft_bank_request,
        send_bank_request=send_bank_request,
    )
