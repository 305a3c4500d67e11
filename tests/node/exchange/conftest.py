"""A partner made of keys alone, that seals what a test wants it to seal and answers as a test wants it to answer."""

import importlib.util
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from django.db import connection, transaction

from palermo.config import wiring
from palermo.node.directory import own_keys
from palermo.node.exchange import handlers
from palermo.sealing import dsse
from palermo.sealing.envelope import Header, envelope_digest, open_envelope, seal_envelope
from palermo.sealing.keys import RecipientPublicKey
from palermo.sealing.letter import Letter, seal_letter
from palermo.sealing.receipt import Receipt, ReceiptStatus, sign_receipt, verify_receipt

for _name in ("relaying", "homes"):
    if _name not in sys.modules:
        _spec = importlib.util.spec_from_file_location(_name, Path(__file__).with_name(f"{_name}.py"))
        sys.modules[_name] = importlib.util.module_from_spec(_spec)
        _spec.loader.exec_module(sys.modules[_name])

NOTE = "palermo/test.note+v1"


@dataclass
class Partner:
    """BB-POL: builds envelopes to this node and receipts for what it is sent."""

    member: object
    own_public: RecipientPublicKey
    own_verify: object
    now: datetime
    sequence: int = 0
    protocol: int = 1

    @property
    def code(self) -> str:
        return self.member.code

    def header(self, **changes) -> Header:
        self.sequence += 1
        values = {
            "protocol_version": self.protocol,
            "payload_type": NOTE,
            "sender": self.code,
            "recipient": "AA-POL",
            "recipient_key_id": self.own_public.key_id,
            "message_id": f"note-{self.sequence}",
            "sequence": self.sequence,
            "case_reference": "CASE-2026-7",
            "purpose": "test of the post",
            "created_at": self.now,
            "not_after": self.now + timedelta(days=7),
            "directory_version": 1,
        }
        return Header(**{**values, **changes})

    def envelope(self, payload: bytes = b"hello", *, key=None, **changes) -> bytes:
        return seal_envelope(self.header(**changes), payload, key or self.member.signing, self.own_public)

    def letter(self, body: bytes, *, kind: str, **changes) -> bytes:
        """A sealed letter to this node."""
        values = {
            "letter_id": uuid4().hex,
            "sender": self.code,
            "recipient": "AA-POL",
            "recipient_key_id": self.own_public.key_id,
            "created_at": self.now,
            "not_after": self.now + timedelta(days=7),
        }
        return seal_letter(Letter(kind=kind, body=body, **{**values, **changes}), self.member.signing, self.own_public)

    def read(self, receipt: bytes) -> Receipt:
        """A receipt as this partner verifies it."""
        return verify_receipt(receipt, dsse.by_id(self.own_verify))

    def open(self, envelope: bytes):
        return open_envelope(
            envelope, {self.member.recipient.key_id: self.member.recipient}, lambda _: [self.own_verify]
        )

    def receipt(self, envelope: bytes, status: ReceiptStatus = ReceiptStatus.ACCEPTED, *, key=None, **changes) -> bytes:
        header = self.open(envelope).header
        values = {
            "envelope_digest": envelope_digest(envelope),
            "message_id": header.message_id,
            "sender": header.sender,
            "recipient": self.code,
            "status": status,
            "received_at": self.now,
            "ledger_index": 0,
        }
        return sign_receipt(Receipt(**{**values, **changes}), key or self.member.signing)


def _partner(network, code: str) -> Partner:
    (key,) = own_keys.recipient_keys().values()
    return Partner(network.members[code], key.public, own_keys.signing_key().public, network.now)


@pytest.fixture
def partner(network) -> Partner:
    return _partner(network, "BB-POL")


@pytest.fixture
def other_partner(network) -> Partner:
    return _partner(network, "CC-FIU")


@dataclass
class Notes:
    """The handler of test notes: what it was given, and what it should do."""

    seen: list = field(default_factory=list)
    undelivered: list = field(default_factory=list)
    then: Exception | None = None

    def effect(self, message, *, now) -> None:
        from palermo.node.office import actions as office

        office.audit(None, "note", message.message_id, now=now)
        self.seen.append(message)
        if self.then is not None:
            raise self.then

    def lost(self, message, *, now) -> None:
        self.undelivered.append((message.message_id, message.state))


@pytest.fixture
def notes(monkeypatch) -> Notes:
    monkeypatch.setattr(handlers, "_handlers", {})
    made = Notes()
    handlers.register(NOTE, handlers.Handler(made.effect, made.lost))
    return made


class Line:
    """An HTTP line to the partners: by host, a function from the envelope to a status and a body, or an exception."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, bytes]] = []
        self.answers: dict[str, object] = {}

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/exchange/v1/envelopes"
        assert request.headers["content-type"] == "application/vnd.palermo.envelope"
        self.posts.append((request.url.host, request.content))
        answer = self.answers[request.url.host]
        if callable(answer):
            answer = answer(request.content)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bytes):
            answer = (200, answer)
        status, body, *headers = answer
        return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers[0] if headers else None)


@pytest.fixture
def line(partner, other_partner) -> Line:
    made = Line()
    made.answers = {"bb-pol.invalid": partner.receipt, "cc-fiu.invalid": other_partner.receipt}
    return made


@pytest.fixture
def killed_beside():
    """A block in which the process dies "before" or "after" the first write to a model's table."""

    @contextmanager
    def killed(model: str, when: str):
        module, name = model.rsplit(".", 1)
        table = getattr(__import__(module, fromlist=[name]), name)._meta.db_table
        writes = (f'INSERT INTO "{table}"', f'UPDATE "{table}"')

        def die(execute, sql, params, many, context):
            if sql.startswith(writes):
                if when == "after":
                    execute(sql, params, many, context)
                raise RuntimeError("killed")
            return execute(sql, params, many, context)

        with pytest.raises(RuntimeError, match="killed"), transaction.atomic(), connection.execute_wrapper(die):
            yield

    return killed


@pytest.fixture(scope="session")
def empty_databases(tmp_path_factory, django_db_blocker):
    """Databases of a test's own, copied from one that is migrated once."""
    with django_db_blocker.unblock():
        made = sys.modules["homes"].databases_of_tests.of_this_run(tmp_path_factory.mktemp("database"))
        yield made
        made.close()


@pytest.fixture
def nodes(settings, tmp_path, empty_databases, django_db_blocker):
    """Three members of a network in one process, each with home and database of its own (``homes.Nodes``)."""
    homes = sys.modules["homes"]
    wiring.connect()
    with django_db_blocker.unblock():
        world = homes.Nodes(settings, tmp_path, empty_databases)

        def effect(message, *, now):
            world.effects[world.acting].append((message.sender, message.message_id))

        handlers.register(homes.KIND, effect)
        world.found()
        yield world
        for store in world.stores.values():
            empty_databases.drop(store)
