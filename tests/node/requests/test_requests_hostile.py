"""What a dishonest or broken partner sends: refused with a signed reason, and nothing of it is kept."""

import hashlib
from dataclasses import replace

import pytest

from palermo.node.evidence import actions as evidence_actions
from palermo.node.evidence import queries as evidence_queries
from palermo.node.evidence.models import Item, Package
from palermo.node.exchange import actions as exchange
from palermo.node.exchange import queries as exchange_queries
from palermo.node.matching.models import Hit
from palermo.node.office import queries as office
from palermo.node.requests import queries
from palermo.node.requests.messages import (
    ANSWER_TYPE,
    REQUEST_TYPE,
    AnswerMessage,
    CitedHit,
    Fact,
    RequestMessage,
)
from palermo.node.requests.models import Answer, Request
from palermo.node.requests.states import Outcome, State
from palermo.sealing import custody
from palermo.sealing import directory as sealed
from palermo.sealing import package as sealing
from palermo.sealing.checkpoint import sign_checkpoint
from palermo.sealing.keys import SigningKey
from palermo.sealing.leaf import leaf_bytes, open_fields, salt_fields
from palermo.sealing.merkle import leaf_hash, root


@pytest.fixture
def case(world, road):
    return road.open_case(world)


@pytest.fixture
def formal(world, road, case):
    """A formal request of AA-POL that has arrived at BB-POL."""
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    road.send_bank_request(world, reference)
    assert world.post(road.A) == ["accepted"]
    return reference


def post_raw(world, sender, recipient, kind, payload, *, in_reply_to="", case_reference="C-1"):
    """Send bytes of our own making as ``sender``; returns what became of them and the reason."""
    with world.at(sender):
        message = exchange.send(
            recipient=recipient,
            payload_type=kind,
            payload=payload,
            case_reference=case_reference,
            purpose="test",
            in_reply_to=in_reply_to,
            now=world.tick(),
        )
    world.post(sender)
    with world.at(sender):
        row = exchange_queries.message(message.message_id)
        return row.state, row.reason


def a_request(world, road, **changes):
    values = {
        "reference": f"{road.A}-REQ-2026-000077",
        "type": "bank_records",
        "authority": "Bureau of AA",
        "issued_by": "Officer X",
        "issued_at": world.now,
        "facts": (Fact("summary", "Forty victims."),),
    }
    return RequestMessage(**{**values, **changes})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "favour"}, "knows no requests of type"),
        ({"reference": "BB-POL-REQ-2026-000001"}, "has a reference such as"),
        ({"reference": "AA-POL-REQ-2026-000001\n"}, "has a reference such as"),
        ({"facts": (Fact("colour", "red"),)}, "no field"),
        ({"facts": (Fact("summary", "a"), Fact("summary", "b"))}, "twice"),
        ({"facts": (Fact("hits", "1"),)}, "outside their list"),
        ({"facts": (Fact("summary", "x" * 4001),)}, "at most"),
        ({"issued_by": "x" * 201}, "too long"),
        ({"hits": tuple(CitedHit("r", str(n)) for n in range(51))}, "too long"),
        ({"hits": (CitedHit("r", "a,b"),)}, "cited by the ids"),
        ({"hits": (CitedHit("r", "a", "no id"),)}, "cited by the ids"),
        ({"type": "hit_confirmation", "facts": ()}, "Cite the hit"),
        (
            {"type": "hit_confirmation", "facts": (), "hits": (CitedHit("r", "not-given", "", "BB-POL"),)},
            "did not give you",
        ),
        ({"hits": (CitedHit("r", "not-given", "m", "BB-POL"),)}, "did not give you"),
        ({"hits": (CitedHit("r", "someones", "m"),)}, "which authority gave you"),
        ({"hits": (CitedHit("r", "someones", "m", "ZZ-POL"),)}, "which authority gave you"),
        ({"hits": (CitedHit("r", "own", "", "AA-POL"),)}, "Name the message"),
        ({"hits": (CitedHit("r", "same"), CitedHit("r", "same"))}, "cited twice"),
    ],
)
def test_a_request_that_does_not_hold_is_refused(world, road, change, reason):
    state, said = post_raw(world, road.A, road.B, REQUEST_TYPE, a_request(world, road, **change).to_bytes())
    assert (state, reason in said) == ("rejected", True), said
    with world.at(road.B):
        assert not Request.objects.exists()


def test_a_request_is_taken_once_and_joins_the_same_case(world, road):
    first = a_request(world, road)
    assert post_raw(world, road.A, road.B, REQUEST_TYPE, first.to_bytes())[0] == "accepted"
    state, said = post_raw(world, road.A, road.B, REQUEST_TYPE, replace(first, issued_by="Y").to_bytes())
    assert state == "rejected" and "received before" in said
    second = replace(first, reference="AA-POL-REQ-2026-000078")
    assert post_raw(world, road.A, road.B, REQUEST_TYPE, second.to_bytes())[0] == "accepted"
    with world.at(road.B):
        assert len(set(Request.objects.values_list("case_id", flat=True))) == 1


def cited(world, road, case, hit, **changes):
    """The hit as AA-POL's honest request would cite it."""
    with world.at(road.A):
        found = Hit.objects.select_related("run").get(hit_id=hit)
        consent = Answer.objects.filter(consent="yes").values_list("message_id", flat=True).first() or "0" * 32
    return replace(CitedHit(found.run.run_id, found.partner_reference, consent, road.B), **changes)


@pytest.mark.parametrize(
    ("consent", "change", "reason"),
    [
        ("yes", {}, ""),
        ("no", {}, "no consent of ours"),
        ("yes", {"consent": "0" * 32}, "no consent of ours"),
        ("yes", {"consent": ""}, "Name the message"),
        ("yes", {"holder": "AA-POL"}, "We gave it: cite it as ours"),
        ("yes", {"reference": "f" * 32}, "did not give you"),
    ],
)
def test_a_hit_of_ours_is_cited_only_with_the_consent_we_gave(world, road, case, consent, change, reason):
    hit = road.make_hit(world, case)
    inquiry = road.send_hit_confirmation(world, case, hit)
    assert world.post(road.A) == ["accepted"]
    road.confirm_hit(world, inquiry, consent=consent)
    assert world.post(road.B) == ["accepted"]
    asked = a_request(world, road, hits=(cited(world, road, case, hit, **change),))
    state, said = post_raw(world, road.A, road.B, REQUEST_TYPE, asked.to_bytes())
    assert (state, reason in said) == ("rejected" if reason else "accepted", True), said


def test_consent_to_one_hit_carries_no_other_hit_of_ours(world, road, case):
    hit, other = road.make_hit(world, case), road.make_hit(world, case)
    inquiry = road.send_hit_confirmation(world, case, hit)
    world.post(road.A)
    road.confirm_hit(world, inquiry)
    world.post(road.B)
    asked = a_request(world, road, hits=(cited(world, road, case, other),))
    state, said = post_raw(world, road.A, road.B, REQUEST_TYPE, asked.to_bytes())
    assert state == "rejected" and "no consent of ours" in said


def test_the_consent_of_a_third_authority_is_kept_as_stated_and_shown_as_unverified(world, road):
    asked = a_request(world, road, hits=(CitedHit("r", "h1", "m1", road.A),))
    assert post_raw(world, road.A, road.B, REQUEST_TYPE, asked.to_bytes())[0] == "accepted"
    with world.at(road.B) as node:
        findings = queries.check(node.officer("central_authority"), asked.reference)
    (finding,) = [row for row in findings if "not verifiable here" in row.what]
    assert finding.present is None and "Ask AA-POL whether" in finding.what_to_do


def test_bytes_that_are_no_request_are_refused(world, road):
    payload = a_request(world, road).to_bytes()
    for wrong in (b"", b"{}", payload + b" ", payload.replace(b'"type"', b'"kind"')):
        state, said = post_raw(world, road.A, road.B, REQUEST_TYPE, wrong)
        assert state == "rejected" and "not a request" in said
    state, _ = post_raw(world, road.A, road.B, REQUEST_TYPE, payload, case_reference="x" * 61)
    assert state == "rejected"


def an_answer(world, asked, **changes):
    values = {
        "reference": asked,
        "number": 1,
        "outcome": Outcome.REFUSED,
        "answered_by": "Officer Y",
        "answered_at": world.now,
        "ground": "18(9)",
        "reasons": "The conduct is no offence here.",
    }
    return AnswerMessage(**{**values, **changes})


def reply_to(world, road, reference):
    with world.at(road.A):
        return Request.objects.get(reference=reference).message_id


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ground": ""}, "Name the ground"),
        ({"reasons": " "}, "Give the reasons"),
        ({"ground": "18(8)"}, "secrecy"),
        ({"ground": "18(21)(a)"}, "consulted"),
        ({"number": 0}, "out of turn"),
        ({"reference": "AA-POL-REQ-2026-999999"}, "never sent you"),
        ({"reasons": "x" * 10_001}, "longer than"),
        ({"outcome": Outcome.ACCEPTED, "ground": "", "reasons": "", "consent": "yes"}, "Consent"),
        ({"outcome": Outcome.EXECUTED, "ground": "", "reasons": ""}, "sealed package"),
        ({"package": b"zip"}, "no other answer carries one"),
        ({"outcome": Outcome.EXECUTED, "ground": "", "reasons": "", "package": b"zip"}, "refused at check 1"),
    ],
)
def test_an_answer_that_the_law_does_not_allow_is_refused(world, road, formal, change, reason):
    payload = an_answer(world, formal, **change).to_bytes()
    state, said = post_raw(world, road.B, road.A, ANSWER_TYPE, payload, in_reply_to=reply_to(world, road, formal))
    assert (state, reason in said) == ("rejected", True), said
    with world.at(road.A) as node:
        assert queries.request(node.officer("central_authority"), formal).state is State.SENT
        assert not Answer.objects.exists() and not Item.objects.exists() and not Package.objects.exists()


def test_an_answer_to_another_message_or_given_twice_is_refused(world, road, formal):
    payload = an_answer(world, formal, outcome=Outcome.ACCEPTED, ground="", reasons="").to_bytes()
    assert post_raw(world, road.B, road.A, ANSWER_TYPE, payload, in_reply_to="0" * 32)[0] == "rejected"
    reply = reply_to(world, road, formal)
    assert post_raw(world, road.B, road.A, ANSWER_TYPE, payload, in_reply_to=reply)[0] == "accepted"
    assert post_raw(world, road.B, road.A, ANSWER_TYPE, payload, in_reply_to=reply)[0] == "rejected"


def foreign_entry(code, signing, now):
    begin, end = now.replace(year=2025), now.replace(year=2027)
    return sealed.AuthorityEntry(
        code=code,
        name=f"Bureau of {code[:2]}",
        jurisdiction=code[:2],
        roles=(sealed.Role.CENTRAL_AUTHORITY,),
        languages=("en",),
        endpoint="http://foreign.invalid",
        contact_point="desk",
        log_origin=f"palermo/{code}",
        signing_keys=(sealed.SigningKeyPeriod(signing.public.to_bytes(), begin, end),),
    )


def certificate(code, officer, signing, now):
    """An authority's word for its officer's key."""
    told = {"authority": code, "officer": "x", "unit": "y", "key": officer.public.to_bytes()}
    return custody.sign_certificate(custody.Certificate(**told, not_before=now, issued_at=now), signing)


def signed_event(code, content, officer, now):
    """The first step in an item's life, signed by its officer."""
    step = custody.Step(
        verb=custody.Verb.COLLECTED,
        by="x",
        at=now,
        sha256=hashlib.sha256(content).hexdigest(),
        sha512=hashlib.sha512(content).hexdigest(),
        authority=code,
        officer="x",
        recorded_at=now,
        reference="",
    )
    signed = custody.sign_step(step, officer)
    return sealing.CustodyEvent(item=1, verb="collected", by="x", at=now, sha256=step.sha256, signed=signed)


def foreign_package(path, reference, now, *, code="BB-POL", package_id="BB-POL-PKG-2026-000001"):
    """A flawless package, made by the keys of another network that has members of the same codes."""
    founder, signing, officer = (SigningKey.generate() for _ in range(3))
    entries = (foreign_entry(code, signing, now), foreign_entry("AA-POL", SigningKey.generate(), now))
    directory = sealed.sign_directory(
        sealed.Directory(
            network="test network", version=1, created_at=now, founders=(founder.key_id,), entries=entries
        ),
        founder,
    )
    marks = sealing.Marks(
        tlp="amber", handling_code="H1", source_grade="A", information_grade="1", use_limit=f"For {reference}."
    )
    content = b"forged"
    trust_root = sealed.TrustRoot("test network", (founder.public.to_bytes(),))
    draft = sealing.draft_package(
        package_id=package_id,
        items=[
            sealing.PackageItem(content=content, name="a.txt", description="a", media_type="text/plain", marks=marks)
        ],
        custody=[signed_event(code, content, officer, now)],
        officers=[certificate(code, officer, signing, now)],
        marks=marks,
        provider=code,
        recipient="AA-POL",
        case_reference="C-1",
        request_reference=reference,
        directory=directory,
        trust_root=trust_root,
        signing_key=signing,
        created_at=now,
    )
    fields = salt_fields([(sealing.MANIFEST_FIELD, draft.manifest_digest)])
    leaf = leaf_bytes(fields)
    proof = sealing.LedgerProof(
        leaf=leaf,
        opened=open_fields(fields, [sealing.MANIFEST_FIELD]),
        index=0,
        size=1,
        hashes=(),
        checkpoint=sign_checkpoint(f"palermo/{code}", 1, root([leaf_hash(leaf)]), signing),
    )
    sealing.seal_package(draft, path, ledger=proof, signing_key=signing, sealed_at=now)
    return path.read_bytes(), trust_root


def test_a_package_of_another_network_is_refused_with_a_signed_reason(world, road, formal, tmp_path):
    from palermo.sealing.verify import Verdict, verify_package

    path = tmp_path / "foreign.palermo.zip"
    data, their_root = foreign_package(path, formal, world.now)
    report = verify_package(path, their_root, world.now)
    assert report.verdict is Verdict.PROVEN, report.first_failure  # nothing else is wrong with it
    payload = an_answer(world, formal, outcome=Outcome.EXECUTED, ground="", reasons="", package=data).to_bytes()
    state, said = post_raw(world, road.B, road.A, ANSWER_TYPE, payload, in_reply_to=reply_to(world, road, formal))
    assert state == "rejected" and "origin" in said
    with world.at(road.A) as node:
        assert evidence_queries.packages(node.officer("supervisor"), Request.objects.get().case_id) == []
        assert not [path for path in (node.home / "packages").iterdir() if path.is_file()]
        assert evidence_queries.check() == []


def test_a_rejected_answer_leaves_the_holders_request_where_it_stood(world, road, formal):
    """BB-POL answers from a node whose rules were switched off; AA-POL's node rejects it; BB-POL can answer again."""
    from palermo.node.requests import actions

    with world.at(road.A):
        Request.objects.filter(reference=formal).update(message_id="1" * 32)  # so that AA-POL rejects the reply
    with world.at(road.B) as node:
        officer = node.officer("central_authority")
        answered = actions.answer(
            officer, formal, outcome="refused", ground="18(9)", reasons="No offence here.", now=world.tick()
        )
        assert answered.state is State.REFUSED
    assert world.post(road.B) == ["rejected"]
    with world.at(road.B):
        row = queries.request(officer, formal)
        assert row.state is State.RECEIVED and "out of turn" in row.answers[0].rejected
        assert any("did not take our answer" in task.title for task in office.work_queue(officer))


def test_a_rejected_request_is_a_draft_again_that_can_be_sent_anew(world, road, case):
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    road.send_bank_request(world, reference)
    with world.at(road.B):
        from palermo.node.directory.models import Authority

        Authority.objects.filter(code=road.A).update(roles=["police"])  # BB-POL knows another directory for a while
    assert world.post(road.A) == ["rejected"]
    with world.at(road.A) as node:
        officer = node.officer("central_authority")
        row = queries.request(officer, reference)
        assert (row.state, row.message_id, row.sent_at) == (State.DRAFT, "", None)
        assert any("was not taken by BB-POL" in task.title for task in office.work_queue(officer))
    with world.at(road.B):
        Authority.objects.filter(code=road.A).update(roles=["police", "central-authority"])
    road.send_bank_request(world, reference)
    assert world.post(road.A) == ["accepted"]


def sealed_at_b(world, road, reference):
    """A genuine package of BB-POL for one request: its file."""
    with world.at(road.B) as node:
        officer = node.officer("central_authority")
        held = queries.request(officer, reference).case
        item = evidence_actions.add_item(
            officer,
            case=held,
            content=b"statement",
            name="s.csv",
            media_type="text/csv",
            what="Statement",
            collected_by="Bank",
            how="Order",
            collected_at=world.now,
            where="Port Meridian",
            origin="own",
            now=world.tick(),
        ).reference
        package = evidence_actions.seal_package(
            officer, case=held, items=[item], recipient=road.A, request_reference=reference, now=world.tick()
        )
        return evidence_queries.package_path(officer, package.reference).read_bytes()


def test_a_genuine_package_of_another_request_or_seen_before_is_refused(world, road, case, formal):
    other = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    road.send_bank_request(world, other)
    assert world.post(road.A) == ["accepted"]
    data = sealed_at_b(world, road, formal)
    executed = {"outcome": Outcome.EXECUTED, "ground": "", "reasons": "", "package": data}

    def send(asked):
        payload = an_answer(world, asked, **executed).to_bytes()
        return post_raw(world, road.B, road.A, ANSWER_TYPE, payload, in_reply_to=reply_to(world, road, asked))

    state, said = send(other)
    assert state == "rejected" and "another request" in said
    assert send(formal)[0] == "accepted"
    with world.at(road.A):
        Request.objects.filter(reference=formal).update(state="sent")
        Answer.objects.all().delete()
    state, said = send(formal)
    assert state == "rejected" and "received before" in said
    with world.at(road.A):
        assert Package.objects.count() == Item.objects.count() == 1 and evidence_queries.check() == []
