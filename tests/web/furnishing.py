"""Furnishes a node with an object of every kind and officers of every role, for the tests of pages.

The tests with Django's client call it in their own process; run as a program (``furnishing.py HOME``) it makes a home
folder for a server, whose officers have a password and a second factor, and prints what is in it as JSON.
"""

import importlib.util
import json
import sys
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

if __name__ == "__main__":
    import os

    import django

    from palermo.config import node_file

    os.environ["PALERMO_HOME"] = str(Path(sys.argv[1]) / "AA-POL")
    os.environ["DJANGO_SETTINGS_MODULE"] = "palermo.config.settings"
    node_file.create(
        Path(os.environ["PALERMO_HOME"]),
        node_file.NodeFile(authority="AA-POL", port=int(sys.argv[2]), https=False, time_zone="Europe/Rome"),
    )
    django.setup()

from palermo.node.cases import actions as cases
from palermo.node.directory import actions as directory
from palermo.node.directory import own_keys
from palermo.node.evidence import actions as evidence
from palermo.node.evidence import blobs, chain, limits
from palermo.node.evidence.actions import returning
from palermo.node.evidence.models import Item, Package, Question, Recall, Statement
from palermo.node.evidence.uses import Intent, Use
from palermo.node.exchange import actions as exchange
from palermo.node.holdings import actions as holdings
from palermo.node.ledger import actions as ledger
from palermo.node.matching import actions as matching_actions
from palermo.node.matching import models as matching
from palermo.node.office import actions as office
from palermo.node.office.models import Officer
from palermo.node.office.policy import Role
from palermo.node.requests import actions as requests
from palermo.node.requests.models import Request
from palermo.sealing import directory as sealed
from palermo.sealing.custody import Verb
from palermo.sealing.keys import SigningKey
from palermo.subjects.entities import Entity, write_entities

_NODE_CONFTEST = Path(__file__).resolve().parents[1] / "node" / "conftest.py"
_spec = importlib.util.spec_from_file_location("node_conftest", _NODE_CONFTEST)
node_conftest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(node_conftest)

PASSWORD = "correct horse battery staple"
OWN, PARTNER, OTHER = node_conftest.OWN, node_conftest.PARTNER, node_conftest.OTHER
ADA = Entity("aa-1", "Person", {"name": ("Ada Invented",), "phone": ("+39 06 698 12345",)})
BASIS = {"legal_basis": "UNTOC Art. 27"}


@dataclass
class Node:
    """What is in the node: references by kind of object, officers by role, and when it was all made."""

    now: datetime
    officers: dict[str, Officer]
    home: Path
    objects: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, kind: str) -> str:
        return self.objects[kind]


def _officers(now: datetime) -> dict[str, Officer]:
    """An officer of each role; ``outsider`` and ``outside_central`` are on no case's team."""
    roles = {role.value: [role.value] for role in Role}
    roles |= {
        "outsider": ["investigator"],
        "outside_central": ["central_authority"],
        "second_supervisor": ["supervisor"],
    }
    return {
        name: Officer.objects.create(
            username=name.replace("_", "."),
            first_name="Officer",
            last_name=name.replace("_", " ").title(),
            roles=held,
            time_zone="Europe/Rome",
            created_at=now,
        )
        for name, held in roles.items()
    }


def found(folder: Path, settings: object, now: datetime) -> Node:
    """Make this node AA-POL, in a home below ``folder``, with two partners in its directory, and its officers."""
    made = node_conftest.Network(now=now, settings=settings, founder=SigningKey.generate())
    for code in (OWN, PARTNER, OTHER):
        settings.PALERMO_HOME = folder / code
        settings.PALERMO_HOME.mkdir(exist_ok=True)
        own_keys.ensure(now)
        (recipient,) = own_keys.recipient_keys().values()
        made.members[code] = node_conftest.Member(
            code, settings.PALERMO_HOME, own_keys.signing_key(), recipient, own_keys.cosigner_key()
        )
    settings.PALERMO_AUTHORITY, settings.PALERMO_HOME = OWN, made.members[OWN].home
    root = sealed.TrustRoot("test network", (made.founder.public.to_bytes(),))
    (made.members[OWN].home / "trust-root.json").write_bytes(root.to_bytes())
    directory.import_directory(made.sign_directory(), now=now)
    return Node(now, _officers(now), settings.PALERMO_HOME)


def furnish(made: Node) -> Node:
    """Put an object of every kind in; the case's team is the investigator and the central-authority officer."""
    now = made.now
    supervisor, lead = made.officers["supervisor"], made.officers["investigator"]
    made.objects["holding"] = _holding(supervisor, made.home, now)
    case = cases.open_case(lead, title="Compound", purpose="Investigate a fraud", now=now, **BASIS).reference
    cases.add_member(lead, case, member=made.officers["central_authority"].pk, now=now)
    cases.add_subject(lead, case, entity=ADA, origin="a complaint", now=now)
    made.objects |= {"case": case, "partner": PARTNER, "username": "outsider"}
    made.objects |= _match(lead, case, now)
    made.objects |= _requests(made, case)
    made.objects |= _evidence(made, case)
    made.objects |= _bound(made, case)
    sent = exchange.send(
        recipient=PARTNER, payload_type="palermo/test+v1", payload=b"x", case_reference=case, purpose="Test", now=now
    )
    ledger.checkpoint(now=now)
    made.objects |= {"message": sent.message_id, "entry": str(sent.ledger_index)}
    return made


def _holding(officer: Officer, folder: Path, now: datetime) -> str:
    holdings.create(
        officer,
        code="register",
        name="Register of accounts",
        source="Invented",
        purpose="Test of pages",
        retention_date=date(now.year + 1, 1, 1),
        contact_point="duty desk",
        partners=[PARTNER],
        now=now,
    )
    path = folder / "register.ftm.jsonl"
    write_entities(path, [ADA, Entity("aa-2", "Person", {"name": ("Bea Invented",), "email": ("bea@example.org",)})])
    holdings.load(officer, "register", format="ftm", paths=[path], now=now)
    holdings.protect(officer, "register", entity_ids=["aa-2"], reason="covert", now=now)
    return "register"


def _match(lead: Officer, case: str, now: datetime) -> dict[str, str]:
    """A run of the case with two hits, as a blind match leaves it; the first is judged the same."""
    run_id = uuid4().hex
    manifest = matching.PartnerManifest.objects.create(
        partner=PARTNER,
        epoch="BB-POL-EPOCH-1",
        tier="t",
        manifest=b"m",
        manifest_digest=uuid4().hex * 2,
        counts={"phone": 1024},
        valid_from=now - timedelta(days=1),
        valid_until=now + timedelta(days=20),
        received_at=now,
    )
    run = matching.Run.objects.create(
        run_id=run_id,
        case_id=case,
        partner=PARTNER,
        manifest=manifest,
        inputs="subjects",
        kinds=["phone"],
        purpose="Investigate a fraud",
        legal_basis="UNTOC Art. 27",
        officer=lead,
        state="done",
        counts={"phone": 1},
        started_at=now,
        ended_at=now,
    )
    hits = [_hit(run, number, now) for number in (1, 2)]
    matching_actions.judge(lead, hits[0], verdict="same", reason="Number and name agree.", now=now)
    return {"run": run_id, "judged_hit": hits[0], "hit": hits[1]}


def _hit(run: matching.Run, number: int, now: datetime) -> str:
    made = matching.Hit.objects.create(
        hit_id=uuid4().hex,
        run=run,
        our_id=ADA.id,
        our_caption=ADA.caption,
        our_entity=ADA.to_json(),
        partner_reference=uuid4().hex,
        selectors=[["phone", "+390669812345"]],
        disclosure={
            "reveals": "existence",
            "contact_point": "duty desk of BB-POL",
            "handling_code": "H1",
            "tlp": "TLP:AMBER",
            "caveats": "Ask first.",
            "entity": "",
        },
        found_at=now,
    )
    return made.hit_id


def _requests(made: Node, case: str) -> dict[str, str]:
    """A draft of ours, another that waits for its approval, and one that a partner sent."""
    now, lead = made.now, made.officers["investigator"]
    facts = {
        "subject_matter": "Mule accounts",
        "question": "Is it the person we met?",
        "purpose": "To decide on a request for records",
        "consent_wanted": "yes",
        "hits": made["judged_hit"],
    }
    ask = {"type": "hit_confirmation", "case": case, "partner": PARTNER, "facts": facts}
    drafted = requests.draft(lead, **ask, now=now)
    received = Request.objects.create(
        reference="BB-POL-REQ-2026-000001",
        direction="in",
        type="bank_records",
        partner=PARTNER,
        case_id=case,
        partner_case="BB-POL-CASE-2026-000009",
        state="received",
        facts={"offence": "Laundering of proceeds", "purpose": "Evidence in a prosecution"},
        payload=b"{}",
        message_id=uuid4().hex,
        created_at=now,
        changed_at=now,
    )
    approval = office.ask_approval(
        lead,
        subject="test:1",
        digest="0" * 64,
        permission="request.approve",
        readers=[made.officers["supervisor"].pk],
        title="Approve the request",
        link=f"/requests/{drafted.reference}/",
        now=now,
    )
    return {
        "request": drafted.reference,
        "received": received.reference,
        "approval": str(approval.pk),
        "gate": "torture",
    }


def _evidence(made: Node, case: str) -> dict[str, str]:
    """An item of our own and a sealed package with it."""
    central = made.officers["central_authority"]
    item = evidence.add_item(
        central,
        case=case,
        content=b"Date;Amount\n2026-01-02;100\n",
        name="statement.csv",
        media_type="text/csv",
        what="Statement of account",
        collected_by="Officer Central Authority",
        how="Handed over by the bank",
        collected_at=made.now,
        where="Port Meridian",
        origin="own",
        now=made.now,
    )
    package = evidence.seal_package(
        central,
        case=case,
        items=[item.reference],
        recipient=PARTNER,
        request_reference=made["received"],
        now=made.now,
    )
    return {"evidence": item.reference, "package": package.reference}


def _given(made: Node, case: str, number: int) -> Item:
    """An item as a partner's package brings it, whose signatures and bytes other tests look at."""
    package = Package.objects.create(
        reference=f"BB-POL-PKG-2026-00000{number}",
        direction="in",
        case_id=case,
        partner=PARTNER,
        request_reference=f"AA-POL-REQ-2026-00000{number}",
        file_name=f"BB-POL-PKG-2026-00000{number}.palermo.zip",
        size=1,
        sha256="0" * 64,
        manifest_digest="0" * 64,
        use_limit="Only for the proceedings stated in the request.",
        ledger_index=0,
        made_at=made.now,
    )
    blob = blobs.store(f"given {number}".encode())
    item = Item.objects.create(
        reference=f"AA-POL-ITEM-2026-00009{number}",
        case_id=case,
        what="Opening documents of an account",
        collected_by="First Bank of Borealia",
        how="Produced on a court order",
        collected_at=made.now,
        where="Port Meridian",
        name="documents.pdf",
        media_type="application/pdf",
        size=blob.size,
        sha256=blob.sha256,
        sha512=blob.sha512,
        origin="received",
        tlp="amber",
        handling_code="H1",
        source_grade="A",
        information_grade="1",
        use_limit="Only for the proceedings stated in the request.",
        package=package,
        added_at=made.now,
    )
    package.items.set([item])
    chain.record(item, Verb.COLLECTED, None, now=made.now, by=item.collected_by)
    return item


def _bound(made: Node, case: str) -> dict[str, str]:
    """What binds evidence: an item with notice and consent, one recalled, one deleted; a partner's question."""
    now, (given, back, gone) = made.now, [_given(made, case, number) for number in (1, 2, 3)]
    notice = evidence.give_notice(
        made.officers["central_authority"],
        item=given.reference,
        why="It shows another person's hand.",
        proceedings="State v. Varga, court of Port Meridian",
        planned_at=now + timedelta(days=3),
        now=now,
    )
    recalls = [
        Recall.objects.create(
            reference=f"BB-POL-RCL-2026-00000{number}",
            direction="in",
            partner=PARTNER,
            item=item,
            package_reference=item.package.reference,
            sha256=item.sha256,
            reason="The order was annulled.",
            recalled_by="Officer Borealia",
            recalled_at=now,
            due_at=now + timedelta(days=14),
            message_id=uuid4().hex,
        )
        for number, item in enumerate((back, gone), start=1)
    ]
    for item, recall in zip((back, gone), recalls, strict=True):
        Item.objects.filter(pk=item.pk).update(recall=recall)
    evidence.delete_recalled(made.officers["central_authority"], recalls[1].reference, now=now)
    returning.destroy({"recall": recalls[1].reference}, lambda _: None, now)
    question = Question.objects.create(
        reference="BB-POL-USE-2026-000001",
        direction="in",
        partner=PARTNER,
        item=Item.objects.get(reference=made["evidence"]),
        package_reference=made["package"],
        use="export",
        target="Training of investigators",
        intended="Shown in a course",
        legal_basis="UNTOC Art. 29",
        reasons="It is a clear example.",
        asked_by="Officer Borealia",
        asked_at=now,
        due_at=now + timedelta(days=30),
        message_id=uuid4().hex,
    )
    consent = limits.new_consent(
        given,
        Intent(Use.CITE, recipient=OTHER, target="AA-POL-REQ-2026-000098"),
        given_by="Registry of Borealia",
        statement="It may be cited there.",
        document="Letter 4/2026",
        recorded_by=made.officers["supervisor"],
        recorded_at=now,
    )
    return {
        "consent": str(consent.pk),
        "bound": given.reference,
        "notice": notice.reference,
        "recall": recalls[0].reference,
        "statement": Statement.objects.get().reference,
        "question": question.reference,
    }


def main() -> None:
    """``furnishing.py FOLDER PORT``: a home below FOLDER for a node that listens on PORT."""
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    made = furnish(found(Path(sys.argv[1]), settings, timezone.now().replace(microsecond=0)))
    secrets = {}
    for name, officer in made.officers.items():
        officer.set_password(PASSWORD)
        officer.save()
        secrets[name] = generate_totp_secret()
        TOTP.activate(officer, secrets[name])
        RecoveryCodes.activate(officer)
    _invited, token = office.create_officer(
        made.officers["administrator"], username="newcomer", full_name="New Comer", roles=["investigator"], now=made.now
    )
    json.dump({"home": str(made.home), "objects": made.objects, "secrets": secrets, "token": token}, sys.stdout)


if __name__ == "__main__":
    main()
