"""Holdings: who may match what, how it is loaded and protected, and how it ends by itself."""

import json
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from palermo.intake import IntakeError
from palermo.lake import RepeatedEntityError
from palermo.node import home
from palermo.node.holdings import actions, jobs, queries
from palermo.node.holdings.models import Holding, LoadRecord, ProtectedItem
from palermo.node.holdings.states import HOLDING_MOVES, LOAD_MOVES, HitReveals, HoldingState, LoadState
from palermo.node.holdings.tiers import tier_code
from palermo.node.ledger.models import Entry
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError
from palermo.node.office.models import AuditRow, Job
from palermo.subjects.entities import Entity, write_entities

PEOPLE = [
    Entity("x-1", "Person", {"name": ("Ada Invented",), "phone": ("+39 06 698 12345",)}),
    Entity("x-2", "Person", {"name": ("Bea Invented",), "phone": ("+39 06 698 54321",)}),
    Entity("x-3", "Person", {"name": ("Cleo Covert",), "phone": ("+39 06 698 77777",)}),
]


@pytest.fixture
def chief(make_officer):
    return make_officer("chief", "supervisor")


@pytest.fixture
def entered():
    """A holding as an officer enters it."""
    return {
        "code": "register",
        "name": "Register of invented people",
        "source": "invented",
        "purpose": "prevention of fraud",
        "retention_date": date(2026, 12, 31),
        "contact_point": "duty desk",
        "partners": ["CC-FIU", "BB-POL"],
        "caveats": "Ask first.",
    }


@pytest.fixture
def holding(network, chief, entered):
    return actions.create(chief, **entered, now=network.now)


@pytest.fixture
def load(network, chief, tmp_path):
    """Load entities into the register."""

    def read(entities, code="register"):
        path = tmp_path / "in.ftm.jsonl"
        write_entities(path, entities)
        return actions.load(chief, code, format="ftm", paths=[path], now=network.now)

    return read


@pytest.mark.django_db
class TestCreate:
    def test_by_default_a_hit_reveals_existence_and_nobody_may_match(self, network, chief, entered):
        del entered["partners"]
        row = actions.create(chief, **entered, now=network.now)
        assert (row.hit_reveals, row.partners, row.entities, row.state) == (
            HitReveals.EXISTENCE,
            (),
            0,
            HoldingState.KEPT,
        )
        assert queries.tiers() == []

    def test_all_faults_at_once(self, network, chief, entered):
        faults = {
            "code": "Not A Code",
            "name": " ",
            "handling_code": "H9",
            "tlp": "PINK",
            "hit_reveals": "all",
            "partners": ["ZZ-POL", "AA-POL"],
            "retention_date": network.now.date(),
            "caveats": "x" * 2001,
            "duty_unit": "no-such-unit",
        }
        with pytest.raises(InvalidError) as caught:
            actions.create(chief, **(entered | faults), now=network.now)
        assert len(caught.value.problems) == 10

    def test_a_code_is_used_once(self, network, chief, entered, holding):
        with pytest.raises(InvalidError, match="another code"):
            actions.create(chief, **entered, now=network.now)

    def test_who_may(self, network, entered, make_officer):
        for role in ("investigator", "central_authority", "auditor"):
            with pytest.raises(AccessDeniedError):
                actions.create(make_officer(role, role), **entered, now=network.now)

    def test_the_database_holds_the_closed_sets_too(self, network, holding):
        for change in [{"state": "lost"}, {"hit_reveals": "all"}, {"expired_at": network.now}]:
            with pytest.raises(IntegrityError), transaction.atomic():
                Holding.objects.update(**change)


@pytest.mark.django_db
class TestEdit:
    def test_what_changed_is_audited_by_name(self, network, chief, entered, holding):
        fields = {key: value for key, value in entered.items() if key != "code"}
        changed = fields | {"hit_reveals": "data", "partners": ["BB-POL"], "handling_code": "H1", "tlp": "TLP:AMBER"}
        row = actions.edit(chief, "register", **changed, now=network.now)
        assert (row.hit_reveals, row.partners) == (HitReveals.DATA, ("BB-POL",))
        assert AuditRow.objects.get(verb="holding.edited").detail["changed"] == ["hit_reveals", "partners"]

    def test_faults_change_nothing(self, network, chief, entered, holding):
        fields = {key: value for key, value in entered.items() if key != "code"}
        with pytest.raises(InvalidError):
            actions.edit(
                chief,
                "register",
                **(fields | {"name": "", "hit_reveals": "data", "handling_code": "H1", "tlp": "TLP:AMBER"}),
                now=network.now,
            )
        assert queries.holding(chief, "register").hit_reveals is HitReveals.EXISTENCE


@pytest.mark.django_db
class TestLoad:
    def test_the_report_says_what_was_added_changed_and_removed_and_stays(self, holding, load, chief):
        first = load(PEOPLE)
        assert (first.state, first.added, first.changed, first.removed, first.unchanged) == (LoadState.DONE, 3, 0, 0, 0)
        again = load(PEOPLE)
        assert (again.added, again.changed, again.removed, again.unchanged) == (0, 0, 0, 3)
        other = Entity("x-2", "Person", {"name": ("Bea Changed",)})
        newer = load([PEOPLE[0], other, Entity("x-4", "Person", {"name": ("Dora",)})])
        assert (newer.added, newer.changed, newer.removed, newer.unchanged) == (1, 1, 1, 1)
        reports = queries.loads(chief, "register")
        assert [report.added for report in reports] == [1, 0, 3]
        assert queries.holding(chief, "register").entities == 3

    def test_rejected_rows_are_kept_for_download(self, network, holding, chief, tmp_path):
        path = tmp_path / "some.jsonl"
        path.write_text(PEOPLE[0].to_json() + "\nnonsense\n" + Entity("y" * 151, "Person", {"name": ("L",)}).to_json())
        report = actions.load(chief, "register", format="ftm", paths=[path], now=network.now)
        assert (report.added, report.rejected) == (1, 2)
        lines = queries.rejects_path(chief, report.reference).read_text().splitlines()
        rejects = [json.loads(line) for line in lines]
        assert [reject["file"] for reject in rejects] == ["some.jsonl", "some.jsonl"]
        assert (rejects[0]["line"], rejects[0]["row"]) == (2, "nonsense")
        assert "longer than 150 bytes" in rejects[1]["reason"]

    def test_a_load_without_rejects_has_no_file(self, holding, load, chief):
        with pytest.raises(NotFoundError):
            queries.rejects_path(chief, load(PEOPLE).reference)

    def test_unusable_input_leaves_the_holding_as_it_was_and_says_why(self, network, holding, load, chief, tmp_path):
        load(PEOPLE)
        path = tmp_path / "empty.jsonl"
        path.write_text("")
        with pytest.raises(IntakeError):
            actions.load(chief, "register", format="ftm", paths=[path], now=network.now)
        with pytest.raises(RepeatedEntityError):
            queries.lake().load("register", [PEOPLE[0], PEOPLE[0]])
        report = queries.loads(chief, "register")[0]
        assert (report.state, report.failure) == (LoadState.FAILED, "the file is empty")
        assert queries.holding(chief, "register").entities == 3

    def test_an_unknown_format_or_no_file_is_refused_before_anything_is_kept(self, network, holding, chief, tmp_path):
        with pytest.raises(InvalidError, match="unknown format"):
            actions.queue_load(chief, "register", format="docx", files=[("a.docx", [b"x"])], now=network.now)
        with pytest.raises(InvalidError, match="at least one file"):
            actions.queue_load(chief, "register", format="ftm", files=[], now=network.now)
        assert list(home.uploads_folder().iterdir()) == []
        assert not LoadRecord.objects.exists()

    def test_who_may(self, network, holding, make_officer):
        with pytest.raises(AccessDeniedError):
            actions.load(make_officer("i", "investigator"), "register", format="ftm", paths=[], now=network.now)


@pytest.mark.django_db
class TestUpload:
    @pytest.fixture
    def queued(self, network, holding, chief):
        lines = "\n".join(entity.to_json() for entity in PEOPLE).encode()
        files = [("../../etc/list.jsonl", [lines[:50], lines[50:]])]
        return actions.queue_load(chief, "register", format="ftm", files=files, now=network.now)

    def test_it_is_a_job_with_progress_and_the_file_goes_when_it_is_done(self, network, queued, chief):
        assert (queued.state, queued.file_names) == (LoadState.QUEUED, ("list.jsonl",))
        job = Job.objects.get(kind="holdings.load")
        beats = []
        jobs.JOB_HANDLERS[job.kind](job.payload, beats.append, network.now)
        done = queries.load(chief, queued.reference)
        assert (done.state, done.progress, done.added) == (LoadState.DONE, 1.0, 3)
        assert beats
        assert list((home.uploads_folder() / queued.reference).iterdir()) == []

    def test_a_job_killed_on_the_way_starts_again(self, network, queued, chief, monkeypatch):
        class KilledError(BaseException):
            pass

        def killed(*arguments, **named):
            raise KilledError

        job = Job.objects.get()
        with monkeypatch.context() as patched:
            patched.setattr(queries.Lake, "load", killed)
            with pytest.raises(KilledError):
                jobs.load(job.payload, lambda share: None, network.now)
        assert queries.load(chief, queued.reference).state is LoadState.LOADING
        for _ in range(2):
            jobs.load(job.payload, lambda share: None, network.now)
        assert queries.load(chief, queued.reference).added == 3
        assert AuditRow.objects.filter(verb="holding.loaded").count() == 1

    def test_a_hopeless_file_ends_the_load_and_not_the_job(self, network, holding, chief):
        queued = actions.queue_load(chief, "register", format="un-sc", files=[("a.xml", [b"<x/>"])], now=network.now)
        jobs.load({"load": queued.reference}, lambda share: None, network.now)
        done = queries.load(chief, queued.reference)
        assert (done.state, bool(done.failure)) == (LoadState.FAILED, True)

    def test_states_move_as_their_tables_say(self):
        assert LOAD_MOVES[LoadState.DONE] == LOAD_MOVES[LoadState.FAILED] == frozenset()
        assert HOLDING_MOVES[HoldingState.EXPIRED] == frozenset()


@pytest.mark.django_db
class TestProtect:
    def test_a_protected_item_is_neither_published_nor_asked_about_nor_revealed(self, network, holding, load, chief):
        load(PEOPLE)
        assert actions.protect(chief, "register", entity_ids=["x-3"], reason="covert", now=network.now) == 1
        assert actions.protect(chief, "register", entity_ids=["x-3"], reason="covert", now=network.now) == 0
        (tier,) = queries.tiers()
        published = {item.ref for item in queries.publishable(tier)}
        assert published == {"register/x-1", "register/x-2"}
        assert {entity_id for entity_id, _, _ in queries.matchable("register")} == {"x-1", "x-2"}
        assert queries.disclosures(["register/x-1", "register/x-3"], "BB-POL").keys() == {"register/x-1"}
        assert queries.entities("register", ["x-1", "x-3"]).keys() == {"x-1"}

    def test_without_protection_it_is_published_again(self, network, holding, load, chief):
        load(PEOPLE)
        actions.protect(chief, "register", entity_ids=["x-3"], reason="witness", now=network.now)
        actions.unprotect(chief, "register", entity_id="x-3", now=network.now)
        assert len({entity_id for entity_id, _, _ in queries.matchable("register")}) == 3
        with pytest.raises(ConflictError):
            actions.unprotect(chief, "register", entity_id="x-3", now=network.now)

    @pytest.mark.parametrize(("ids", "reason"), [(["x-9"], "covert"), ([], "covert"), (["x-1"], "shy")])
    def test_what_is_not_there_or_without_a_reason_is_refused(self, network, holding, load, chief, ids, reason):
        load(PEOPLE)
        with pytest.raises(InvalidError):
            actions.protect(chief, "register", entity_ids=ids, reason=reason, now=network.now)

    def test_who_is_protected_is_known_to_few(self, network, holding, load, chief, make_officer):
        load(PEOPLE)
        actions.protect(chief, "register", entity_ids=["x-3"], reason="covert", now=network.now)
        investigator, admin = make_officer("i", "investigator"), make_officer("adm", "administrator")
        assert [item.entity_id for item in queries.protected(chief, "register")] == ["x-3"]
        assert queries.entity(chief, "register", "x-3").id == "x-3"
        for officer in (investigator, admin):
            with pytest.raises(AccessDeniedError):
                queries.protected(officer, "register")
            with pytest.raises(NotFoundError):
                queries.entity(officer, "register", "x-3")
            with pytest.raises(AccessDeniedError):
                actions.protect(officer, "register", entity_ids=["x-1"], reason="covert", now=network.now)
            assert queries.entity(officer, "register", "x-1").id == "x-1"


@pytest.mark.django_db
class TestDisclosure:
    def test_existence_and_contact_point_by_default_data_where_the_holding_says_so(self, network, holding, load, chief):
        load(PEOPLE)
        ((entity, revealed),) = queries.disclosures(["register/x-1"], "BB-POL").values()
        assert entity.id == "x-1"
        assert (revealed.reveals, revealed.contact_point, revealed.entity) == (HitReveals.EXISTENCE, "duty desk", None)
        assert (revealed.handling_code, revealed.caveats) == ("H1", "Ask first.")
        Holding.objects.update(hit_reveals="data")
        ((_, revealed),) = queries.disclosures(["register/x-1"], "BB-POL").values()
        assert revealed.entity == entity

    def test_nothing_to_a_partner_whom_the_holding_does_not_name(self, network, holding, load):
        load(PEOPLE)
        Holding.objects.update(partners=["CC-FIU"])
        assert queries.disclosures(["register/x-1"], "BB-POL") == {}
        assert not queries.names_partner(["register"], "BB-POL")
        assert queries.names_partner(["register"], "CC-FIU")

    def test_nothing_that_is_not_there(self, holding, load):
        load(PEOPLE)
        assert queries.disclosures(["register/x-9", "other/x-1", "nonsense"], "BB-POL") == {}

    def test_many_entities_are_found_as_well_as_few(self, holding, load):
        many = [Entity(f"m-{number:03}", "Person", {"name": (f"N {number}",)}) for number in range(100)]
        load(many)
        for wanted in (["m-001"], [entity.id for entity in many[:90]]):
            assert sorted(queries.entities("register", wanted)) == wanted

    def test_a_name_that_very_many_share_tells_nobody_apart(self, holding, load):
        namesakes = [
            Entity(f"n-{number:03}", "Person", {"name": ("Common Name",), "phone": ("+39 06 698 12345",)})
            for number in range(queries.MOST_NAMESAKES + 1)
        ]
        load(namesakes)
        assert {kind for _, kind, _ in queries.matchable("register")} == {"phone"}
        load(namesakes[1:])
        assert {kind for _, kind, _ in queries.matchable("register")} == {"person", "phone"}


@pytest.mark.django_db
class TestTiers:
    def test_holdings_with_the_same_partners_share_a_tier(self, network, chief, entered):
        for code, partners in [("a", ["BB-POL", "CC-FIU"]), ("b", ["CC-FIU", "BB-POL"]), ("c", ["BB-POL"]), ("d", [])]:
            actions.create(chief, **(entered | {"code": code, "partners": partners}), now=network.now)
        assert [(tier.partners, tier.holdings) for tier in queries.tiers()] == [
            (("BB-POL",), ("c",)),
            (("BB-POL", "CC-FIU"), ("a", "b")),
        ]


@given(st.lists(st.text(max_size=5), max_size=5), st.lists(st.text(max_size=5), max_size=5))
def test_a_tier_code_names_exactly_one_circle(one, other):
    assert (tier_code(one) == tier_code(other)) == (set(one) == set(other))
    assert tier_code(one) == tier_code(reversed(one))


@pytest.mark.django_db
class TestRetention:
    def test_it_ends_by_itself_and_leaves_a_statement_and_no_data(self, network, holding, load, chief, tmp_path):
        path = tmp_path / "bad.jsonl"
        path.write_text(PEOPLE[0].to_json() + "\nnonsense\n")
        reference = actions.load(chief, "register", format="ftm", paths=[path], now=network.now).reference
        load(PEOPLE)
        actions.protect(chief, "register", entity_ids=["x-3"], reason="covert", now=network.now)
        last_day = network.now.replace(month=12, day=31)
        assert actions.expire_due(last_day) == 0
        after = last_day + timedelta(days=1)
        assert actions.expire_due(after) == 1
        assert actions.expire_due(after) == 0
        row = queries.holding(chief, "register")
        assert (row.state, row.entities) == (HoldingState.EXPIRED, 0)
        assert "register" not in queries.lake().holdings()
        assert not (home.uploads_folder() / reference).exists()
        assert not ProtectedItem.objects.exists()
        entry = Entry.objects.get(kind="holding.expired")
        fields = {name: value for name, value, _ in entry.fields}
        assert fields == {
            "kind": "holding.expired",
            "counterparty": "",
            "recorded_at": fields["recorded_at"],
            "holding": "register",
            "entities": "3",
            "retention_date": "2026-12-31",
        }
        said = json.dumps(entry.fields) + bytes(entry.leaf).decode("latin-1")
        assert not [text for person in PEOPLE for text in (person.caption, *person.properties["phone"]) if text in said]
        assert AuditRow.objects.filter(verb="holding.expired").count() == 1

    def test_if_the_node_dies_after_the_data_went_the_statement_still_comes(self, network, holding, load, monkeypatch):
        load(PEOPLE)
        after = network.now + timedelta(days=400)

        class KilledError(BaseException):
            pass

        def killed(**named):
            raise KilledError

        with monkeypatch.context() as patched:
            patched.setattr(actions.ledger, "append", killed)
            with pytest.raises(KilledError):
                actions.expire_due(after)
        assert Holding.objects.get().state == HoldingState.KEPT
        assert actions.expire_due(after) == 1
        assert Entry.objects.filter(kind="holding.expired").count() == 1

    def test_an_expired_holding_takes_and_gives_nothing(self, network, holding, load, chief, entered):
        load(PEOPLE)
        actions.expire_due(network.now + timedelta(days=400))
        fields = {key: value for key, value in entered.items() if key != "code"}
        marks = {"handling_code": "H1", "tlp": "TLP:AMBER", "hit_reveals": "data"}
        writes = [
            lambda: load(PEOPLE),
            lambda: actions.edit(chief, "register", **fields, **marks, now=network.now),
            lambda: actions.protect(chief, "register", entity_ids=["x-1"], reason="covert", now=network.now),
        ]
        for write in writes:
            with pytest.raises(ConflictError):
                write()
        assert queries.tiers() == []
        assert list(queries.matchable("register")) == []


@pytest.mark.django_db
class TestAccess:
    def test_who_reads(self, network, holding, load, chief, make_officer):
        reference = load(PEOPLE).reference
        reads = [
            lambda officer: queries.holdings(officer),
            lambda officer: queries.holding(officer, "register"),
            lambda officer: queries.loads(officer, "register"),
            lambda officer: queries.load(officer, reference),
            lambda officer: queries.entity(officer, "register", "x-1"),
        ]
        auditor, investigator = make_officer("a", "auditor"), make_officer("i", "investigator")
        for read in reads:
            read(investigator)
            with pytest.raises(AccessDeniedError):
                read(auditor)
        for role in ("investigator", "central_authority", "auditor"):
            with pytest.raises(AccessDeniedError):
                queries.rejects_path(make_officer(f"r-{role}", role), reference)

    def test_what_is_not_there(self, network, chief):
        for read in (queries.holding, queries.loads, queries.load, queries.rejects_path, queries.protected):
            with pytest.raises(NotFoundError):
                read(chief, "nothing")
        with pytest.raises(NotFoundError):
            queries.entity(chief, "nothing", "x-1")
