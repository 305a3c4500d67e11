"""What a partner's request may cite: hits that we gave it, with consent that we gave. Of others' we know nothing."""

from palermo.node.directory import queries as directory
from palermo.node.exchange.handlers import RefusedError
from palermo.node.matching import queries as matching
from palermo.node.office.errors import NotFoundError
from palermo.node.requests import dossier
from palermo.node.requests.messages import CitedHit, RequestMessage
from palermo.node.requests.types.registry import RequestType


def refuse_unsupported(partner: str, asked: RequestMessage, type_: RequestType) -> None:
    """Raise ``RefusedError`` unless each hit cited as ours was given by us, and its use consented to by us.

    A hit that another authority gave is kept as the partner states it: its consent cannot be verified here.
    """
    if len({hit.reference for hit in asked.hits}) != len(asked.hits):
        raise RefusedError("A hit is cited twice. Cite each once.")
    known = {row.code for row in directory.partners()} | {directory.own_code()}
    for hit in asked.hits:
        if hit.holder not in known:
            raise RefusedError(f"Say which authority gave you hit {hit.reference}, by its code in the directory.")
        held = bool(held_case(partner, hit.reference))
        ours = hit.holder == directory.own_code()
        if ours != held:
            raise RefusedError(
                f"You cite hit {hit.reference} as given by {hit.holder}. "
                + ("We did not give you that hit. Check its reference." if ours else "We gave it: cite it as ours.")
            )
        if type_.hits_need_consent and not hit.consent:
            raise RefusedError(f"Name the message in which {hit.holder} consented to your use of hit {hit.reference}.")
        if type_.hits_need_consent and ours:
            _refuse_without_our_consent(partner, hit)
    if type_.intelligence and not any(hit.holder == directory.own_code() for hit in asked.hits):
        raise RefusedError("Cite the hit of ours that you ask about.")


def held_case(partner: str, reference: str) -> str:
    """The case of ours that this hit stands in; "" if we gave this partner no such hit."""
    try:
        return matching.held_hit(partner, reference).case
    except NotFoundError:
        return ""


def _refuse_without_our_consent(partner: str, hit: CitedHit) -> None:
    given = dossier.consents_given(partner, hit.reference)
    if hit.consent not in [answer.message_id for answer in given if answer.consent == "yes"]:
        raise RefusedError(
            f"The message you name carries no consent of ours to use hit {hit.reference} in a request. "
            "Ask for it with a hit confirmation."
        )
    if given[0].consent != "yes":
        raise RefusedError(f"We have since refused the use of hit {hit.reference}. Ask again with a hit confirmation.")
