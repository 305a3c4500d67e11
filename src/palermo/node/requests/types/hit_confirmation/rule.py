"""Police-to-police confirmation of a hit, and the originator's consent to use it further (UNTOC Art. 27).

What comes back is intelligence. It may carry consent to cite the hit in a formal request, with conditions.
"""

from collections.abc import Mapping

from palermo.law import police
from palermo.law.findings import Finding
from palermo.law.refusal import POLICE_GROUNDS
from palermo.node.requests.types.form import YES_NO_UNKNOWN, FormField, Widget, hit_ids
from palermo.node.requests.types.registry import Channel, Parties, RequestType

FIELDS = (
    FormField(
        "hits",
        "Hit to be confirmed",
        "Only hits that a person judged to be the same subject are offered.",
        "UNTOC 27(1)(b)(i)",
        Widget.HITS,
        max_length=200,
    ),
    FormField(
        "subject_matter", "Subject matter", "What the investigation is about, in one paragraph.", "UNTOC 27(1)(b)"
    ),
    FormField(
        "question",
        "What you ask",
        "What the other authority should confirm, such as identity, activity or the account's holder.",
        "UNTOC 27(1)(b)(i)",
    ),
    FormField("purpose", "Purpose", "What the answer will be used for.", "UNTOC 27(1)"),
    FormField(
        "consent_wanted",
        "Do you ask for consent to use the hit in a formal request?",
        "Without the originator's consent a hit cannot be cited in a request for mutual legal assistance.",
        "UNTOC 18(5)",
        Widget.RADIO,
        required=False,
        choices=YES_NO_UNKNOWN[:2],
    ),
)


def completeness(facts: Mapping[str, str], parties: Parties) -> list[Finding]:
    """What Art. 27 asks of a police inquiry."""
    same_channel: bool | None = None
    if parties.asker_has_role is not None and parties.asked_has_role is not None:
        same_channel = parties.asker_has_role and parties.asked_has_role
    return police.completeness(
        police.InquiryFacts(
            subject_matter=facts.get("subject_matter", ""),
            question=facts.get("question", ""),
            purpose=facts.get("purpose", ""),
            cites_hit=bool(hit_ids(facts.get("hits", ""))),
            same_channel=same_channel,
        )
    )


TYPE = RequestType(
    code="hit_confirmation",
    label="Hit confirmation",
    summary="Ask the other police authority to confirm a hit, and for consent to use it further.",
    legal_basis="UNTOC Art. 27",
    channel=Channel.POLICE,
    intelligence=True,
    fields=FIELDS,
    completeness=completeness,
    grounds=POLICE_GROUNDS,
    gates=("death_penalty", "torture", "persecution", "fair_trial", "neutrality", "protection"),
    approve="request.approve",
    send="request.send",
    respond="request.answer",
    days=10,
    hits_need_consent=False,
)
