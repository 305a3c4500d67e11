"""Each form does what its page says: one action, then the page of what it made; a fault comes back with its words."""

import csv
import io
import json

import pytest
from django.urls import reverse
from django.utils import timezone

from palermo.node.cases import queries as cases
from palermo.node.evidence import queries as evidence
from palermo.node.holdings import actions as holding_actions
from palermo.node.holdings import queries as holdings
from palermo.node.holdings.models import LoadRecord
from palermo.node.ledger import queries as ledger
from palermo.node.matching import queries as matching
from palermo.node.matching.models import Run
from palermo.node.office.models import Approval, AuditRow, Officer
from palermo.node.requests import queries as requests

HOLDING = {
    "code": "fraud-2026",
    "name": "Telephone fraud",
    "source": "Invented",
    "purpose": "Test",
    "retention_date_day": "31",
    "retention_date_month": "12",
    "retention_date_year": "2040",
    "partners": ["BB-POL", "CC-FIU"],
    "hit_reveals": "existence",
    "contact_point": "desk",
    "handling_code": "H2",
    "tlp": "TLP:GREEN",
}


def follow(client, response) -> str:
    """The page that a write leads to."""
    assert response.status_code == 302, response.content.decode()[:3000]
    page = client.get(response["Location"])
    assert page.status_code == 200
    return page.content.decode()


def faults(response) -> str:
    assert response.status_code == 422
    return response.content.decode().partition("govuk-error-summary__list")[2].partition("</ul>")[0]


# --- holdings -------------------------------------------------------------------------------


def test_a_holding_is_made_changed_and_shown(empty_node, browser):
    client, officer = browser("supervisor"), empty_node.officers["supervisor"]
    page = follow(client, client.post("/holdings/new/", HOLDING))
    assert "Load its files next" in page and "Bureau of BB (BB-POL)" in page
    made = holdings.holding(officer, "fraud-2026")
    assert made.partners == ("BB-POL", "CC-FIU") and made.retention_date.isoformat() == "2040-12-31"
    changed = {key: value for key, value in HOLDING.items() if key != "code"} | {"partners": [], "name": "Renamed"}
    assert "Nobody" in follow(client, client.post("/holdings/fraud-2026/edit/", changed))
    assert holdings.holding(officer, "fraud-2026").name == "Renamed"


def test_a_holding_with_faults_comes_back_with_what_was_typed(empty_node, browser):
    wrong = HOLDING | {"code": "Not A Code", "retention_date_day": "31", "retention_date_month": "2"}
    page = browser("supervisor").post("/holdings/new/", wrong)
    assert "Enter a valid date" in faults(page)
    assert 'value="Not A Code"' in page.content.decode()
    wrong = HOLDING | {"code": "Not A Code", "retention_date_year": "2001"}
    text = faults(browser("supervisor").post("/holdings/new/", wrong))
    assert "lower-case" in text and "must lie in the future" in text


def test_an_uploaded_file_is_queued_and_its_rejects_can_be_fetched(node, browser):
    client = browser("supervisor")
    lines = '{"id": "x-1", "schema": "Person", "properties": {"name": ["Cleo Invented"]}}\nnonsense\n'
    upload = io.BytesIO(lines.encode())
    upload.name = "new.ftm.jsonl"
    page = follow(client, client.post("/holdings/register/", {"format": "ftm", "file": [upload]}))
    assert 'data-state="loading"' in page and "every 2s" in page
    record = LoadRecord.objects.latest("pk")
    holding_actions.run_queued_load(record.reference, lambda share: None, timezone.now())
    page = client.get("/holdings/register/").content.decode()
    assert 'data-state="kept"' in page and "every 2s" not in page
    rejects = client.get(reverse("load-rejects", args=["register", record.reference]))
    row = json.loads(b"".join(rejects).splitlines()[0])
    rejects.close()
    assert row["line"] == 2


def test_items_are_protected_and_released(node, browser):
    client, officer = browser("supervisor"), node.officers["supervisor"]
    page = follow(client, client.post("/holdings/register/protect/", {"entity_ids": "aa-1\n", "reason": "witness"}))
    assert "1 item is protected now" in page and "Witness protection" in page
    follow(client, client.post("/holdings/register/unprotect/", {"entity_id": "aa-1"}))
    assert [row.entity_id for row in holdings.protected(officer, "register")] == ["aa-2"]
    assert "holds no zz-9" in faults(
        client.post("/holdings/register/protect/", {"entity_ids": "zz-9", "reason": "covert"})
    )


# --- cases ----------------------------------------------------------------------------------


def test_a_case_is_opened_staffed_filled_noted_and_closed(empty_node, browser):
    client, lead = browser("investigator"), empty_node.officers["investigator"]
    facts = {"title": "New case", "purpose": "Fraud", "legal_basis": "UNTOC Art. 27", "neutrality": "none"}
    response = client.post("/cases/new/", facts)
    case = response["Location"].split("/")[2]
    assert "New case" in follow(client, response)
    subject = {"schema": "Person", "name": "Ada Invented", "phone": "+39 06 698 12345\n+39 06 698 99999", "origin": "x"}
    follow(client, client.post(f"/cases/{case}/subjects/", subject))
    (kept,) = cases.subjects(lead, case)
    assert kept.entity.properties["phone"] == ("+39 06 698 12345", "+39 06 698 99999")
    other = empty_node.officers["outsider"]
    follow(client, client.post(f"/cases/{case}/members/", {"member": str(other.pk)}))
    assert cases.members(case) == {lead.pk, other.pk}
    follow(client, client.post(f"/cases/{case}/members/remove/", {"member": str(other.pk)}))
    assert cases.members(case) == {lead.pk}
    assert "Called the bank" in follow(client, client.post(f"/cases/{case}/notes/", {"text": "Called the bank"}))
    question = {"neutrality": "political", "reason": "The suspect is a candidate"}
    assert "Flagged as political" in follow(client, client.post(f"/cases/{case}/flag/", question))
    assert client.post(f"/cases/{case}/flag/", {"neutrality": "none", "reason": "No more"}).status_code == 403
    assert 'data-state="closed"' in follow(client, client.post(f"/cases/{case}/close/", {"reason": "Solved"}))
    assert client.post(f"/cases/{case}/notes/", {"text": "late"}).status_code == 409


def test_a_subject_may_be_given_as_one_entity(node, browser):
    client, case = browser("investigator"), node["case"]
    entity = {"id": "x-9", "schema": "Company", "properties": {"name": ["Invented Ltd"]}}
    follow(client, client.post(f"/cases/{case}/subjects/", {"entity": json.dumps(entity), "origin": "register"}))
    assert "x-9" in [row.entity_id for row in cases.subjects(node.officers["investigator"], case)]
    for bad in ("{", json.dumps({"id": "x"}), "[]"):
        assert "not one FollowTheMoney entity" in faults(
            client.post(f"/cases/{case}/subjects/", {"entity": bad, "origin": "x"})
        )
    assert "nothing was entered" in faults(client.post(f"/cases/{case}/subjects/", {"origin": "x"}))


def test_the_last_officer_of_a_team_stays(node, browser):
    client, case = browser("investigator"), node["case"]
    central, lead = node.officers["central_authority"], node.officers["investigator"]
    follow(client, client.post(f"/cases/{case}/members/remove/", {"member": str(central.pk)}))
    page = client.post(f"/cases/{case}/members/remove/", {"member": str(lead.pk)})
    assert page.status_code == 409 and "Add another officer first" in page.content.decode()


def test_who_leaves_a_team_is_led_to_their_other_cases(node, browser):
    client, lead = browser("investigator"), node.officers["investigator"]
    response = client.post(f"/cases/{node['case']}/members/remove/", {"member": str(lead.pk)})
    assert response["Location"] == "/cases/"
    assert client.get(f"/cases/{node['case']}/").status_code == 404


# --- matching -------------------------------------------------------------------------------


def test_a_run_is_started_and_its_page_polls(node, browser):
    client = browser("investigator")
    facts = {"partner": "BB-POL", "inputs": "subjects", "kinds": ["phone"], "legal_basis": "UNTOC Art. 27"}
    page = follow(client, client.post(f"/cases/{node['case']}/runs/new/", facts))
    started = Run.objects.latest("pk")
    assert started.kinds == ["phone"] and started.inputs == "subjects"
    assert 'data-state="preparing"' in page and 'hx-trigger="every 2s"' in page
    ended = client.get(f"/runs/{node['run']}/").content.decode()
    assert "hx-trigger" not in ended


def test_a_run_against_nobody_or_without_basis_is_refused(node, browser):
    client = browser("investigator")
    wrong = {"partner": "CC-FIU", "inputs": "subjects", "legal_basis": ""}
    text = faults(client.post(f"/cases/{node['case']}/runs/new/", wrong))
    assert "Give an answer: Legal basis" in text and "CC-FIU" in text


def test_a_person_judges_and_the_reason_is_kept(node, browser):
    client, lead = browser("investigator"), node.officers["investigator"]
    address = f"/hits/{node['hit']}/"
    assert "Give an answer: Reason" in faults(client.post(address, {"verdict": "different"}))
    page = follow(client, client.post(address, {"verdict": "different", "reason": "Other birth year"}))
    assert "Other birth year" in page and 'data-state="different"' in page
    assert [row.verdict.value for row in matching.judgements(lead, node["hit"])] == ["different"]
    follow(client, client.post(address, {"verdict": "same", "reason": "The year was a misprint"}))
    assert matching.hit(lead, node["hit"]).intelligence


def test_hits_are_exported_as_csv_that_no_spreadsheet_runs(node, browser):
    page = browser("investigator").get(f"/runs/{node['run']}/hits.csv")
    rows = list(csv.reader(io.StringIO(b"".join(page).decode("utf-8-sig"))))
    assert rows[0] == ["ours", "theirs", "selectors", "judgement"]
    assert [row[0] for row in rows[1:]] == ["aa-1", "aa-1"]
    assert rows[1][2] == "phone=+390669812345"
    from palermo.web.csv_export import plain

    assert [plain(cell) for cell in ("=1+1", "+39", "-1", "@x", "a=b", 5)] == [
        "'=1+1",
        "'+39",
        "'-1",
        "'@x",
        "a=b",
        "5",
    ]


@pytest.mark.parametrize(
    ("verdict", "count"), [("all", 2), ("waiting", 1), ("same", 1), ("different", 0), ("nonsense", 2)]
)
def test_hits_are_filtered_by_judgement(node, browser, verdict, count):
    page = browser("investigator").get(f"/runs/{node['run']}/?verdict={verdict}").content.decode()
    assert page.count("data-ours=") == count


def test_an_epoch_is_opened_by_who_may(node, browser):
    assert browser("investigator").post("/matching/").status_code == 403
    client = browser("administrator")
    assert 'data-state="publishing"' in follow(client, client.post("/matching/"))


# --- requests -------------------------------------------------------------------------------


def test_a_request_is_drafted_gated_approved_and_sent(node, browser):
    lead, supervisor = browser("investigator"), browser("supervisor")
    facts = {
        "partner": "BB-POL",
        "subject_matter": "Mule accounts",
        "question": "Is it the same person?",
        "purpose": "To decide on a request",
        "consent_wanted": "yes",
        "hits": [node["judged_hit"]],
    }
    response = lead.post(f"/cases/{node['case']}/requests/new/hit_confirmation/", facts)
    address = response["Location"]
    assert 'data-state="draft"' in follow(lead, response)
    officer = node.officers["investigator"]
    reference = address.split("/")[2]
    for gate in requests.gates(officer, reference):
        answer = {"concern": "no", "decision": "proceed", "reason": "Nothing is seen."}
        follow(supervisor, supervisor.post(f"{address}gates/{gate.code}/", answer))
    page = follow(lead, lead.post(f"{address}submit/"))
    assert 'data-state="awaiting approval"' in page
    approval = requests.approval(officer, reference)
    assert f'data-approval="{approval.pk}"' in page
    assert "Keep the decision" not in lead.get(f"/approvals/{approval.pk}/").content.decode()
    decided = {"approved": "yes", "reason": "Complete."}
    assert lead.post(f"/approvals/{approval.pk}/", decided).status_code == 403
    follow(supervisor, supervisor.post(f"/approvals/{approval.pk}/", decided))
    assert 'data-state="approved"' in lead.get(address).content.decode()
    before = ledger.size()
    assert 'data-state="sent"' in follow(lead, lead.post(f"{address}send/"))
    assert ledger.size() == before + 1, "one disclosure, one entry"


def test_what_is_missing_is_named_with_its_article(node, browser):
    lead, address = browser("investigator"), f"/requests/{node['request']}/"
    page = follow(lead, lead.post(f"{address}edit/", {"purpose": "p", "consent_wanted": "no"}))
    assert 'data-state="missing"' in page and "UNTOC 27(1)" in page
    text = faults(lead.post(f"{address}submit/"))
    assert "UNTOC 27(1)" in text


def test_a_draft_is_changed_and_withdrawn(node, browser):
    client, address = browser("investigator"), f"/requests/{node['request']}/"
    page = client.get(f"{address}edit/").content.decode()
    assert "Mule accounts" in page and f'value="{node["judged_hit"]}" checked' in page
    facts = {"subject_matter": "Other accounts", "question": "?", "purpose": "p", "consent_wanted": "no"}
    assert "Other accounts" in follow(client, client.post(f"{address}edit/", facts))
    assert 'data-state="withdrawn"' in follow(client, client.post(f"{address}withdraw/", {"reason": "Not needed"}))


def test_our_own_request_cannot_be_answered_here(node, browser):
    page = browser("supervisor").get(f"/requests/{node['request']}/answer/")
    assert page.status_code == 409 and "the other authority answers it" in page.content.decode()


def test_a_refusal_without_ground_and_reasons_is_refused(node, browser):
    client = browser("central_authority")
    text = faults(client.post(f"/requests/{node['received']}/answer/", {"outcome": "refused"}))
    assert "UNTOC 18(21)" in text and "Give the reasons" in text


def test_a_decision_is_made_once(node, browser):
    client, address = browser("supervisor"), f"/approvals/{node['approval']}/"
    assert "Give an answer: Reason" in faults(client.post(address, {"approved": "no"}))
    follow(client, client.post(address, {"approved": "no", "reason": "Incomplete"}))
    assert Approval.objects.get(pk=node["approval"]).state == "declined"
    assert client.post(address, {"approved": "yes", "reason": "Again"}).status_code == 409


# --- evidence -------------------------------------------------------------------------------


def test_an_item_is_added_with_its_custody_in_the_officers_time_zone(node, browser):
    client, officer = browser("central_authority"), node.officers["central_authority"]
    upload = io.BytesIO(b"page one")
    upload.name = "letter.txt"
    facts = {
        "content": upload,
        "what": "Letter of the bank",
        "collected_by": "C. Example",
        "how": "By post",
        "collected_at_day": "3",
        "collected_at_month": "7",
        "collected_at_year": "2026",
        "collected_at_time": "10:30",
        "where": "Office",
        "origin": "own",
        "tlp": "amber",
        "handling_code": "H1",
        "source_grade": "A",
        "information_grade": "1",
    }
    unsaid = {key: value for key, value in facts.items() if key not in ("origin", "content")}
    assert "Where it comes from" in faults(client.post(f"/cases/{node['case']}/evidence/new/", unsaid))
    page = follow(client, client.post(f"/cases/{node['case']}/evidence/new/", facts))
    assert "3 Jul 2026, 10:30 CEST" in page
    (item,) = [row for row in evidence.items(officer, node["case"]) if row.what == "Letter of the bank"]
    assert item.collected_at.isoformat() == "2026-07-03T08:30:00+00:00"
    upload = io.BytesIO(b"page one")
    upload.name = "letter.txt"
    single = {key: value for key, value in facts.items() if not key.startswith("collected_at")}
    single |= {"content": upload, "collected_at": "2026-07-14T10:30+00:00", "what": "Second letter"}
    assert "14 Jul 2026, 12:30 CEST" in follow(client, client.post(f"/cases/{node['case']}/evidence/new/", single))


def test_a_large_item_is_kept_byte_by_byte(node, browser, settings):
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000
    content = bytes(range(256)) * 40
    upload = io.BytesIO(content)
    upload.name = "disk.img"
    facts = {"what": "Image", "collected_by": "x", "how": "x", "where": "x", "collected_at": "2026-07-14T10:30+00:00"}
    marks = {"origin": "own", "tlp": "red", "handling_code": "H3", "source_grade": "B", "information_grade": "2"}
    client = browser("central_authority")
    response = client.post(f"/cases/{node['case']}/evidence/new/", facts | marks | {"content": upload})
    follow(client, response)
    page = client.get(f"{response['Location']}content")
    assert b"".join(page) == content
    page.close()


def test_items_are_sealed_and_the_package_verifies(node, browser):
    client = browser("central_authority")
    facts = {"items": [node["evidence"]], "recipient": "BB-POL", "request_reference": node["received"]}
    response = client.post(f"/cases/{node['case']}/packages/new/", facts)
    follow(client, response)
    page = client.get(f"{response['Location']}verify/").content.decode()
    assert 'data-state="proven"' in page and 'data-state="failed"' not in page
    pdf = client.get(f"{response['Location']}certificate")
    assert pdf.content.startswith(b"%PDF-") and pdf["Content-Disposition"].endswith('.certificate.pdf"')
    assert "Give an answer: Items" in faults(
        client.post(f"/cases/{node['case']}/packages/new/", {"recipient": "BB-POL", "request_reference": "x"})
    )


# --- ledger, directory, office --------------------------------------------------------------


def test_the_ledger_is_signed_and_checked(node, browser):
    client = browser("auditor")
    follow(client, client.post("/ledger/checkpoint"))
    text = client.get("/ledger/checkpoint").content.decode()
    assert text == ledger.newest_checkpoint() and text.startswith("palermo/AA-POL\n")
    assert 'data-state="intact"' in client.post("/ledger/check/").content.decode()
    assert 'data-state="proven"' in client.get(f"/ledger/{node['entry']}/").content.decode()
    shown = client.get("/ledger/?kind=evidence").content.decode()
    assert 'data-kind="evidence.sealed"' in shown and 'data-kind="sent.' not in shown


def test_a_directory_by_somebody_else_is_refused(node, browser):
    client = browser("administrator")
    upload = io.BytesIO(b'{"forged": true}')
    upload.name = "directory.json"
    assert "refused" in faults(client.post("/partners/import/", {"file": upload}))


def test_officers_are_made_changed_and_invited_again(node, browser):
    client = browser("administrator")
    facts = {"username": "new.one", "full_name": "New One", "roles": ["investigator"], "time_zone": "Europe/Rome"}
    page = client.post("/officers/new/", facts).content.decode()
    assert 'data-invitation="http://testserver/join/' in page
    changed = {"roles": ["auditor", "investigator"], "active": "no"}
    assert 'data-state="inactive"' in follow(client, client.post("/officers/new.one/", changed))
    made = Officer.objects.get(username="new.one")
    assert (made.roles, made.is_active, made.time_zone) == (["auditor", "investigator"], False, "Europe/Rome")
    assert "data-invitation=" in client.post("/officers/new.one/invite/").content.decode()
    assert "exists" in faults(client.post("/officers/new/", facts))


def test_the_last_administrator_stays_one(node, browser):
    page = browser("administrator").post("/officers/administrator/", {"roles": ["auditor"], "active": "yes"})
    assert page.status_code == 409 and "last administrator" in page.content.decode()


def test_the_audit_trail_names_who_did_what(node, browser):
    text = browser("auditor").get("/audit/?verb=case.opened").content.decode()
    assert "Officer Investigator" in text and node["case"] in text and "holding.created" not in text
    assert AuditRow.objects.filter(verb="case.opened").count() == text.count('data-kind="case.opened"')
