"""The pages of use limitation: each form does what it says, and what the gate forbids is said in words."""

from palermo.node.evidence import queries, use_queries
from palermo.node.evidence.models import Item, Package, Question
from palermo.node.evidence.states import QuestionState
from palermo.node.office.models import Approval

ASK = {
    "use": "export",
    "target": "Training of investigators",
    "intended": "Shown in a course",
    "legal_basis": "UNTOC Art. 29",
    "reasons": "It is a clear example.",
}


def follow(client, response) -> str:
    """The page that a write leads to."""
    assert response.status_code == 302, response.content.decode()[:3000]
    page = client.get(response["Location"])
    assert page.status_code == 200
    return page.content.decode()


def test_a_bound_item_says_what_binds_it_and_is_asked_about(node, browser):
    client = browser("central_authority")
    page = client.get(f"/evidence/{node['bound']}/").content.decode()
    assert "UNTOC Art. 18(19)" in page and 'data-use="export" data-state="closed"' in page
    assert 'data-use="court" data-state="free"' in page
    taken = client.post(f"/evidence/{node['bound']}/export/", {"use": "export", "purpose": "Training of investigators"})
    assert taken.status_code == 409 and "without its consent" in taken.content.decode()
    assert client.post(f"/evidence/{node['bound']}/ask/", {**ASK, "reasons": ""}).status_code == 422
    page = follow(client, client.post(f"/evidence/{node['bound']}/ask/", ASK))
    assert 'data-state="asked"' in page and "Our question to Bureau of BB" in page
    again = client.post(f"/evidence/{node['bound']}/ask/", ASK)
    assert again.status_code == 409 and "asked already" in again.content.decode()
    letter = {**ASK, "given_by": "x", "statement": "x", "document": "x", "reason": "x"}
    by_letter = client.post(f"/evidence/{node['bound']}/consent/", letter)
    assert by_letter.status_code == 409 and "exchange" in by_letter.content.decode()


def test_a_request_says_which_item_it_cites_waits_for_consent(node, browser):
    client, request = browser("central_authority"), node["request"]
    Item.objects.filter(reference=node["bound"]).update(package=elsewhere(node))
    page = client.get(f"/requests/{request}/evidence/").content.decode()
    assert node["bound"] in page and "Needs the consent of CC-POL first." in page
    cited = {"items": [node["bound"], node["evidence"]]}
    page = follow(client, client.post(f"/requests/{request}/evidence/", cited))
    assert f'data-ref="{node["bound"]}" data-state="blocked"' in page
    assert f'data-ref="{node["evidence"]}" data-state="free"' in page
    link = f"/evidence/{node['bound']}/ask/?use=cite&amp;target={request}&amp;recipient=BB-POL"
    assert link in page
    page = client.get(link.replace("&amp;", "&")).content.decode()
    assert f'value="{request}"' in page and 'value="BB-POL"' in page
    refused = client.post(f"/requests/{request}/submit/")
    assert refused.status_code == 422 and "without its consent" in refused.content.decode()
    assert "blocked" not in follow(client, client.post(f"/requests/{request}/evidence/", {}))


def elsewhere(node) -> Package:
    """The package of a partner other than the one who is asked."""
    package = Item.objects.get(reference=node["bound"]).package
    package.partner = "CC-POL"
    package.save()
    return package


def test_a_consent_by_letter_is_ended_on_a_page(node, browser):
    client = browser("central_authority")
    address = f"/evidence/{node['bound']}/consents/{node['consent']}/end/"
    assert address in client.get(f"/evidence/{node['bound']}/").content.decode()
    assert client.post(address, {"because": ""}).status_code == 422
    page = follow(client, client.post(address, {"because": "Letter 9/2026 withdrew it."}))
    assert "Withdrawn" in page and address not in page
    assert (
        client.post(f"/evidence/{node['evidence']}/consents/{node['consent']}/end/", {"because": "x"}).status_code
        == 404
    )


def test_a_partners_question_is_decided_by_two_people(node, browser):
    client, second = browser("central_authority"), browser("supervisor")
    address = f"/uses/{node['question']}/"
    decision = {"outcome": "granted", "reasons": "Our law allows it.", "conditions": "Without names."}
    page = follow(client, client.post(f"{address}decide/", decision))
    assert "Answer that is proposed" in page and "Without names." in page
    assert client.post(f"{address}send/").status_code == 409
    asked = Approval.objects.get(subject=f"evidence.Question:{node['question']}")
    page = second.get(f"/approvals/{asked.pk}/").content.decode()
    assert "Training of investigators" in page and "Without names." in page
    follow(second, second.post(f"/approvals/{asked.pk}/", {"approved": "yes", "reason": "Read."}))
    page = follow(client, client.post(f"{address}send/"))
    assert 'data-state="granted"' in page
    page = follow(client, client.post(f"{address}withdraw/", {"reasons": "Our court annulled it."}))
    assert 'data-state="withdrawn"' in page


def test_a_recall_is_answered_and_an_item_is_recalled(node, browser):
    client = browser("central_authority")
    address = f"/recalls/{node['recall']}/"
    kept = {"ground": "court_file", "provision": "Court of Port Meridian, 7/2026", "reasons": "It is filed."}
    assert client.post(f"{address}keep/", {**kept, "provision": ""}).status_code == 422
    assert "Kept on a legal ground" in follow(client, client.post(f"{address}keep/", kept))
    assert "under way" in follow(client, client.post(f"{address}delete/"))
    recalled = {"package": node["package"], "reason": "The order was annulled."}
    page = follow(client, client.post(f"/evidence/{node['evidence']}/recall/", recalled))
    assert 'data-state="recalled"' in page and "Recalled from Bureau of BB" in page
    page = client.get(f"/statements/{node['statement']}/").content.decode()
    assert "Recalled by its provider" in page
    signed = client.get(f"/statements/{node['statement']}/signed")
    assert signed.content == use_queries.statement_files(node.officers["supervisor"], node["statement"])[0]
    assert client.get(f"/statements/{node['statement']}/other").status_code == 404


def test_an_exceptional_disclosure_opens_the_item(node, browser):
    client = browser("central_authority")
    said = {"why": "Another hand.", "proceedings": "State v. Varga", "exceptional": "The hearing is today."}
    response = client.post(f"/evidence/{node['bound']}/notice/", said)
    assert 'data-state="disclosed"' in follow(client, response)
    page = client.post(f"{response['Location']}content")
    assert b"".join(page) == b"given 1"
    page = client.post(f"/notices/{node['notice']}/content")
    assert page.status_code == 409 and "record the disclosure" in page.content.decode()
    dropped = client.post(f"/notices/{node['notice']}/drop/", {"reasons": "The charge was withdrawn."})
    assert 'data-state="dropped"' in follow(client, dropped)


def test_retention_and_its_hold_are_set_on_pages(node, browser):
    client, officer = browser("supervisor"), node.officers["supervisor"]
    until = {"until_day": "31", "until_month": "12", "until_year": "2040", "rule": "Police Act s. 40"}
    follow(client, client.post(f"/cases/{node['case']}/retention/", until))
    assert queries.item(officer, node["evidence"]).retention_rule == "Police Act s. 40"
    page = follow(client, client.post(f"/evidence/{node['evidence']}/hold/", {"ground": "Court order 9/2026"}))
    assert "Court order 9/2026" in page and "31 Dec 2040" in page


def test_what_is_our_own_is_taken_out_freely_and_it_is_recorded(node, browser):
    client = browser("central_authority")
    page = client.post(f"/evidence/{node['evidence']}/export/", {"use": "court", "purpose": "State v. Varga"})
    assert b"".join(page).startswith(b"Date;Amount")
    custody = queries.item(node.officers["supervisor"], node["evidence"]).custody
    assert custody[-1].verb == "copied" and "State v. Varga" in custody[-1].detail


def test_nobody_without_need_to_know_writes(node, browser):
    outside = browser("outside_central")
    for address, facts in (
        (f"/evidence/{node['bound']}/ask/", ASK),
        (f"/uses/{node['question']}/decide/", {"outcome": "refused", "reasons": "No."}),
        (f"/recalls/{node['recall']}/delete/", {}),
        (f"/notices/{node['notice']}/disclose/", {}),
        (f"/cases/{node['case']}/retention/", {"until": "2040-12-31", "rule": "x"}),
    ):
        assert outside.post(address, facts).status_code == 404
    assert Question.objects.get(reference=node["question"]).state == QuestionState.ASKED
