"""What the demo's officers write: one telecom fraud, from savers' complaints to a bank's records. All invented."""

from palermo.cli.demo.nodes import Authority

VICTIMS = Authority("XV-POL", "Veltrian National Police", "Veltria", ("police", "central-authority"))
MULES = Authority("XM-POL", "Meridosan Federal Police", "Meridosa", ("police", "fiu", "central-authority"))
COMPOUND = Authority("XC-POL", "Calvorian Police Bureau", "Calvoria", ("police", "central-authority"))
AUTHORITIES = (VICTIMS, MULES, COMPOUND)

CASE_TITLE = "Telephone fraud with investment promises"
CASE = {
    "title": CASE_TITLE,
    "purpose": "Investigation of an organised telephone fraud on savers: find the accounts that received the money",
    "legal_basis": "UNTOC Art. 27",
    "neutrality": "none",
}

HOLDING_CODE = "fraud-2026"
HOLDING = {
    "code": HOLDING_CODE,
    "name": "Telephone fraud 2026",
    "source": "Complaints, bank reports and seized devices (invented)",
    "purpose": "Investigation of telephone fraud",
    "retention_date": "2030-12-31",
    "hit_reveals": "existence",
    "contact_point": "Fraud desk, ext. 100",
    "handling_code": "H1",
    "tlp": "TLP:AMBER",
    "caveats": "Not to be passed on without our consent.",
}

CONFIRMATION = {
    "subject_matter": "Telephone fraud on savers in Veltria; the money left through accounts that we do not know.",
    "question": "Please confirm that this account is held by you, who opened it, and whether it is still in use.",
    "purpose": "To decide whether to ask for the records of the account by mutual legal assistance.",
    "consent_wanted": "yes",
}

ASSISTANCE = {
    "offence": "Fraud committed as a group, section 263 of the Criminal Code of Veltria: up to ten years.",
    "offence_kind": "serious",
    "maximum_years": "10",
    "transnational": "yes",
    "transnational_grounds": "Calls came from Calvoria, victims live in Veltria, the money went to Meridosa.",
    "organised_group": "yes",
    "group_grounds": "Callers, recruiters of account holders and cash collectors worked to one plan for months.",
    "other_treaty": "none",
    "nature": "investigation",
    "subject_matter": "Fraud on at least forty savers by callers who promised profits.",
    "conducting_authority": "Veltrian National Police, Economic Crime Directorate",
    "conducting_functions": "Investigates economic crime under the direction of the public prosecutor.",
    "summary": "From January to March 2026 callers had forty savers send money to accounts at one bank in Meridosa.",
    "assistance": "Opening documents and statements of the account, and the subscriber of its telephone banking.",
    "period_from": "2026-01-01",
    "period_to": "2026-06-30",
    "procedure": "Copies certified by the bank's officer.",
    "persons": "",
    "persons_unknown": "The holder of the account is not known to us; the records are to tell.",
    "purpose": "Evidence in the proceedings on this fraud, and for nothing else.",
    "rests_on_intelligence": "yes",
    "language": "en",
    "confidential": "yes",
}

CONSENT = {
    "consent": "yes",
    "conditions": "For the proceedings named in the inquiry.",
    "reasons": "The account is held at our bank, was opened in January, and is in use.",
}
INVESTIGATOR = "Ina Example"
CENTRAL_OFFICERS = ("Cleo Example", "Curt Example")
APPROVAL = {"approved": "yes", "reason": "Complete, and within the treaty."}
GATE = {
    "concern": "no",
    "decision": "proceed",
    "reason": "Looked at: the offence and the facts give no cause for concern.",
}

RECORDS = """value date;amount;currency;counterparty
2026-02-03;1200.00;USD;saver 07
2026-02-03;900.00;USD;saver 11
2026-02-04;-2050.00;USD;cash withdrawal
"""
ITEM = {
    "origin": "own",
    "what": "Statement of account, 1 January to 30 June 2026",
    "collected_by": "Cleo Example, Meridosan Federal Police",
    "how": "Handed over by the bank on a production order, as a file on its letterhead medium",
    "collected_at": "2026-07-14T10:30+00:00",
    "where": "Head office of the Meridosa Merchant Bank",
    "use_limit": "Proceedings on telephone fraud named in the request",
    "tlp": "amber",
    "handling_code": "H1",
    "source_grade": "A",
    "information_grade": "1",
}
