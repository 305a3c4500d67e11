"""After a run the holder has nothing left of what was no hit: not in any column, page or file, not even sealed.

The attacker is given the holder's whole home folder, with all its keys and the epoch's seed, its whole database, and a
dictionary that contains every query. The filter is made weak on purpose (4 bits), so that many queries are named to the
holder which it does not hold: what the search must find before the run is settled, and must not find after it.
"""

import base64
import re
from collections.abc import Iterator

import pytest
from django.db import connection

from palermo.blind import Manifest, filters, group, keys, tokens, voprf
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import queries as exchange
from palermo.node.exchange.models import Incoming
from palermo.node.matching import actions, files
from palermo.node.matching.actions import holder
from palermo.node.matching.messages import CONFIRM, RUN
from palermo.node.matching.models import HeldRun, Publication
from palermo.node.matching.states import HeldRunState
from palermo.node.matching.steps import Step
from palermo.sealing import dsse
from palermo.sealing.envelope import open_envelope
from palermo.sealing.errors import SealingError
from palermo.subjects.entities import Entity

pytestmark = pytest.mark.django_db

HOLDER = "BB-POL"
COMMON = {f"+39066981{number:04}" for number in range(1000, 1005)}
ASKED = {f"+39066981{number:04}" for number in range(1000, 1200)}
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}")


def _people(prefix: str, phones: set[str]) -> list[Entity]:
    return [Entity(f"{prefix}-{phone[-5:]}", "Person", {"phone": (phone,)}) for phone in sorted(phones)]


@pytest.fixture
def asked(sides, fill, start, supervisor):
    """A run of a whole holding, as far as the locators have reached the holder."""
    fill("ours", "AA-POL", _people("aa", ASKED))
    fill("theirs", HOLDER, _people("bb", COMMON | {f"+39066981{number:04}" for number in range(2000, 2060)}))
    with sides.at(HOLDER):
        actions.open_epoch(supervisor, now=sides.now)
    sides.settle()
    run = start(inputs="ours", kinds=["phone"])
    for step in (Step.PREPARE, Step.EVALUATE, Step.FINALIZE):
        assert sides.work(only=step) == 1
        sides.post()
    return run


def _layers(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """The bytes, and whatever lies in them as base64, however a page of the database has cut it."""
    yield data
    for text in _BASE64.findall(data) if depth else []:
        for start in range(4):
            end = start + (len(text) - start) // 4 * 4
            yield from _layers(base64.b64decode(text[start:end]), depth - 1)


def _opened(sides) -> Iterator[bytes]:
    """What the holder's keys can still open of what it was sent."""
    with sides.at(HOLDER):
        for envelope in Incoming.objects.filter(envelope__isnull=False).values_list("envelope", flat=True):
            try:
                yield open_envelope(bytes(envelope), own_keys.recipient_keys(), directory.verify_keys).signed
            except SealingError:
                continue  # sealed to the other side, which shares this database in the test alone


def _recovered(sides) -> set[str]:
    """The values of the dictionary of which the holder still has a trace."""
    with sides.at(HOLDER):
        publication = Publication.objects.select_related("epoch").get()
        seed = files.read_seed(publication.epoch.code)
        manifest = Manifest.parse(dsse.parse(bytes(publication.manifest)).payload)
    key = keys.kind_key(seed, holder=HOLDER, epoch=manifest.epoch, tier=manifest.tier, kind="phone")
    dictionary = sorted(ASKED)
    inputs = [keys.oprf_input("phone", value) for value in dictionary]
    evaluated = voprf.evaluate(key, inputs)
    points = group.hash_to_points(inputs, voprf._HASH_TO_GROUP)
    homes = [file.read_bytes() for file in sides.network.members[HOLDER].home.rglob("*") if file.is_file()]
    sources = [*_pages(), *_columns(), *homes, *_opened(sides)]
    searched = b"\0\0".join(layer for source in sources for layer in _layers(source))
    found = set()
    for value, output, point in zip(dictionary, evaluated, points, strict=True):
        token = tokens.token(output)
        traces = (
            point,
            token,
            tokens.locator(token, manifest.digest),
            tokens.locator(token, manifest.digest).hex().encode(),
            tokens.querier_key(token),
        )
        if any(trace in searched for trace in traces):
            found.add(value)
    return found


def _pages() -> Iterator[bytes]:
    """The database as its file would be, with what was deleted and not yet overwritten: SQLite alone gives it out."""
    if connection.vendor == "sqlite":
        yield connection.connection.serialize()


def _columns() -> Iterator[bytes]:
    """Every value of every table, whole: a page holds only pieces of a long one."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                for value in row:
                    yield bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def test_the_attacker_recovers_no_query_but_the_hits(sides, asked):
    sides.settle()
    assert HeldRun.objects.get().state == HeldRunState.ANSWERED
    assert _recovered(sides) == COMMON
    assert Incoming.objects.filter(payload_type__in=[RUN, CONFIRM], forgotten_at=None).count() == 0


class TestWithAWeakFilter:
    @pytest.fixture(autouse=True)
    def weak(self, monkeypatch):
        monkeypatch.setattr(filters, "FINGERPRINT_BITS", 4)

    def test_the_search_bites_while_the_run_waits_and_finds_nothing_once_it_is_answered(self, sides, asked):
        named = _recovered(sides) - COMMON
        assert 1 < len(named) < 50  # one query in sixteen passes such a filter
        sides.settle()
        assert HeldRun.objects.get().state == HeldRunState.ANSWERED
        assert _recovered(sides) == COMMON

    def test_nothing_stays_of_a_run_that_failed(self, sides, asked):
        with sides.at(HOLDER):
            assert holder.fail("AA-POL", asked.run_id, "for the test", sides.now)
        sides.settle()  # the querier, which shares this database in the test, ends its run too
        assert _recovered(sides) == COMMON


def test_what_is_stored_still_checks_and_the_same_envelope_is_still_known(sides, asked):
    sides.settle()
    assert [fault for fault in exchange.check() if "envelope" in fault.what or "signed" in fault.what] == []
