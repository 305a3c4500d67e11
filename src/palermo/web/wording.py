"""How states and codes read on a page: one table, from code to words and the colour of its tag."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Colours carry no meaning alone: the word is always there. Grey: nothing to do. Blue: under way. Yellow: waits for a
# person. Green: went well. Red: refused or failed. Orange: look at it.
STATES: dict[str, tuple[Promise, str]] = {
    "": (_("Waiting for judgement"), "yellow"),
    "accepted": (_("Accepted"), "green"),
    "active": (_("Active"), "green"),
    "answered": (_("Answered"), "green"),
    "arriving": (_("Arriving"), "blue"),
    "approved": (_("Approved"), "green"),
    "asked": (_("Asked"), "blue"),
    "awaiting approval": (_("Waiting for approval"), "yellow"),
    "broken": (_("Broken"), "red"),
    "closed": (_("Closed"), "grey"),
    "consulting": (_("In consultation"), "yellow"),
    "deleted": (_("Deleted"), "grey"),
    "destroyed": (_("Destroyed"), "grey"),
    "disclosed": (_("Disclosed"), "green"),
    "dropped": (_("Given up"), "grey"),
    "given": (_("Notified"), "blue"),
    "granted": (_("Granted"), "green"),
    "recalled": (_("Recalled"), "orange"),
    "undelivered": (_("Not delivered"), "red"),
    "confirming": (_("Confirming"), "blue"),
    "declined": (_("Declined"), "red"),
    "delivered": (_("Delivered"), "green"),
    "different": (_("Different"), "grey"),
    "done": (_("Done"), "green"),
    "draft": (_("Draft"), "grey"),
    "ended": (_("Ended"), "orange"),
    "equivocation": (_("Second message under one id"), "red"),
    "evaluated": (_("Evaluated"), "blue"),
    "executed": (_("Executed"), "green"),
    "expired": (_("Expired"), "grey"),
    "failed": (_("Failed"), "red"),
    "forgotten": (_("Content forgotten"), "grey"),
    "in": (_("Incoming"), "teal"),
    "inactive": (_("Not active"), "grey"),
    "intelligence": (_("Intelligence, not evidence"), "orange"),
    "invited": (_("Invited"), "yellow"),
    "kept": (_("In use"), "green"),
    "loading": (_("Loading"), "blue"),
    "missing": (_("Missing"), "red"),
    "none": (_("None"), "grey"),
    "not-delivered": (_("Not delivered"), "red"),
    "not-retrieved": (_("Not opened in time"), "orange"),
    "ok": (_("Complete"), "green"),
    "open": (_("Open"), "green"),
    "out": (_("Outgoing"), "blue"),
    "own": (_("Our own"), "grey"),
    "postponed": (_("Postponed"), "orange"),
    "preparing": (_("Preparing"), "blue"),
    "proven": (_("Proven"), "green"),
    "publishing": (_("Publishing"), "blue"),
    "queued": (_("Queued"), "grey"),
    "received": (_("Received"), "teal"),
    "refused": (_("Refused"), "red"),
    "rejected": (_("Rejected"), "red"),
    "relay-failed": (_("Relay failed"), "orange"),
    "relayed": (_("At the relay"), "blue"),
    "retrieved": (_("Opened"), "green"),
    "review": (_("Waiting for review"), "yellow"),
    "running": (_("Running"), "blue"),
    "same": (_("Same"), "green"),
    "sealing": (_("Being sealed"), "blue"),
    "sending": (_("Being sent"), "blue"),
    "sent": (_("Sent"), "blue"),
    "submission-accepted": (_("Taken into the outbox"), "blue"),
    "submission-rejected": (_("Not taken into the outbox"), "red"),
    "taken": (_("Taken"), "green"),
    "unknown": (_("Unknown"), "orange"),
    "unproven": (_("Origin unproven"), "orange"),
    "unsure": (_("Unsure"), "orange"),
    "verified": (_("Verified"), "green"),
    "waiting": (_("Waiting for witnesses"), "blue"),
    "warning": (_("Look at this"), "orange"),
    "whole": (_("Being examined"), "blue"),
    "withdrawn": (_("Withdrawn"), "grey"),
}

SELECTOR_KINDS: dict[str, Promise] = {
    "account": _("Bank account"),
    "company": _("Company number"),
    "domain": _("Internet domain"),
    "email": _("E-mail address"),
    "iban": _("IBAN"),
    "imei": _("IMEI"),
    "national_id": _("National identity number"),
    "passport": _("Passport"),
    "person": _("Name and birth date"),
    "phone": _("Telephone number"),
    "vehicle": _("Vehicle (VIN)"),
    "vessel": _("Vessel (IMO)"),
    "wallet": _("Crypto wallet"),
}

PROPERTIES: dict[str, Promise] = {
    "address": _("Address"),
    "accountNumber": _("Account number"),
    "alias": _("Alias"),
    "amount": _("Amount"),
    "bankName": _("Bank"),
    "bic": _("BIC"),
    "birthCountry": _("Country of birth"),
    "birthDate": _("Date of birth"),
    "birthPlace": _("Place of birth"),
    "country": _("Country"),
    "currency": _("Currency"),
    "email": _("E-mail address"),
    "firstName": _("First name"),
    "iban": _("IBAN"),
    "idNumber": _("Identity number"),
    "lastName": _("Last name"),
    "name": _("Name"),
    "nationality": _("Nationality"),
    "notes": _("Notes"),
    "passportNumber": _("Passport number"),
    "phone": _("Telephone number"),
    "publicKey": _("Wallet address"),
    "registrationNumber": _("Registration number"),
    "weakAlias": _("Weak alias"),
}

REVEALS: dict[str, Promise] = {
    "existence": _("That we hold something, and whom to ask"),
    "data": _("The whole entry as we hold it"),
}
PROTECTION: dict[str, Promise] = {
    "covert": _("Covert operation"),
    "witness": _("Witness protection"),
    "third_party": _("Owned by a third party"),
}
NEUTRALITY: dict[str, Promise] = {
    "political": _("Political"),
    "military": _("Military"),
    "religious": _("Religious"),
    "racial": _("Racial"),
}
CONSENT: dict[str, Promise] = {"yes": _("Given"), "no": _("Not given")}
USES: dict[str, Promise] = {
    "stated": _("In the proceedings stated in the request"),
    "case": _("In another case"),
    "court": _("Before a court"),
    "export": _("Taken out for another purpose"),
    "cite": _("Cited in a request or an answer"),
    "share": _("Shared on with another authority"),
    "exculpatory": _("Disclosed as exculpatory"),
}
CAUSES: dict[str, Promise] = {
    "recall": _("Recalled by its provider"),
    "retention": _("The end of its retention"),
}
INPUTS: dict[str, Promise] = {"subjects": _("The subjects of the case")}

_TABLES: dict[str, dict[str, Promise]] = {
    "reveals": REVEALS,
    "protection": PROTECTION,
    "neutrality": NEUTRALITY,
    "consent": CONSENT,
    "inputs": INPUTS,
    "use": USES,
    "cause": CAUSES,
    "kind": SELECTOR_KINDS,
}

# How far a run is, of RUN_STEPS.
RUN_STEPS = ("review", "preparing", "asked", "confirming", "done")


def words(table: str, code: str) -> str:
    """Words of a code; the code itself where the table has none."""
    return str(_TABLES[table].get(code, code))


def state_words(code: str) -> tuple[str, str]:
    """Words and colour of a state; a state that is not in the table reads as its code, in grey."""
    words, colour = STATES.get(code, (code.replace("_", " ").capitalize(), "grey"))
    return str(words), colour
