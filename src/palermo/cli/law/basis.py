"""``palermo law basis``: on what two States may cooperate about an offence on a day."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from palermo.cli.law.facts import Files, register_of

if TYPE_CHECKING:
    from palermo.law.basis import Form, Report, Topic
    from palermo.law.governing import Considered, Rule

Answer = bool | None
FORMAL = ("assistance", "extradition")
WORDS = {True: "yes", False: "no", None: "unknown"}


def basis(
    requesting: Annotated[str, typer.Argument(metavar="FROM", help="The State that asks: ISO code or name.")],
    requested: Annotated[str, typer.Argument(metavar="TO", help="The State that is asked: ISO code or name.")],
    offence: Annotated[
        str, typer.Argument(metavar="OFFENCE", help="Code or name of the offence; 'palermo law offences' lists them.")
    ],
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day, as 2026-05-31. Without it: today.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    facts: Files = None,
    form: Annotated[str, typer.Option(help="Only this form of cooperation, such as 'extradition'.")] = "",
    years: Annotated[float | None, typer.Option(min=0, help="Heaviest imprisonment for the offence, in years.")] = None,
    predicate: Annotated[str, typer.Option(help="The predicate or underlying offence, as in OFFENCE.")] = "",
    transnational: Annotated[Answer, typer.Option(help="It is transnational in nature (UNTOC 3(2)).")] = None,
    group: Annotated[Answer, typer.Option(help="An organised criminal group is involved (UNTOC 2(a)).")] = None,
    suspected: Annotated[
        Answer, typer.Option(help="There are reasonable grounds to suspect both of that (UNTOC 18(1)).")
    ] = None,
    person_there: Annotated[Answer, typer.Option(help="The person sought is in the State that is asked.")] = None,
    electronic_evidence: Annotated[Answer, typer.Option(help="Evidence in electronic form is sought.")] = None,
) -> None:
    """Say on what treaty FROM may ask TO for cooperation about OFFENCE, and which provision governs each topic.

    Exit code 0: a basis for assistance or extradition (or for the --form given) is known for certain. 3: none is, or it
    depends on what is unknown. 2: the arguments cannot be used.
    """
    import json

    from palermo.law.basis import SameStateError, report
    from palermo.law.case import Case
    from palermo.law.offences import UnknownOffenceError, find
    from palermo.law.register_rows import FORMS
    from palermo.law.shape import plain
    from palermo.law.states import UnknownStateError

    if form and form not in FORMS:
        raise typer.BadParameter(f"'{form}' is none of: {', '.join(FORMS)}.", param_hint="--form")
    register = register_of(facts)
    try:
        case = Case(
            offence=find(offence).code,
            predicate=find(predicate).code if predicate else "",
            maximum_years=years,
            committed_in_several=transnational,
            prepared_elsewhere=transnational,
            group_active_elsewhere=transnational,
            effects_elsewhere=transnational,
            group=group,
            suspect_transnational=suspected,
            suspect_group=suspected,
            evidence_there=suspected,
            person_there=person_there,
            electronic_evidence=electronic_evidence,
        )
        found = report(register, requesting, requested, case, (on or datetime.now().astimezone()).date())
    except (UnknownStateError, UnknownOffenceError, SameStateError) as error:
        raise typer.BadParameter(str(error)) from error
    forms = [one for one in found.forms if form in ("", one.form)]
    if as_json:
        typer.echo(json.dumps({**plain(found), "forms": plain(forms)}, indent=2, ensure_ascii=False))
    else:
        _print(found, forms)
    raise typer.Exit(0 if any(one.sufficient for one in forms if form or one.form in FORMAL) else 3)


def _print(found: "Report", forms: "list[Form]") -> None:
    asks, asked = found.requesting, found.requested
    typer.echo(f"{asks.name} ({asks.code}) asks {asked.name} ({asked.code}) about {found.offence}, on {found.on}.")
    typer.echo(f"The act: {found.conduct}")
    for one in forms:
        typer.echo("")
        _print_form(one)
    typer.echo("")
    for row in found.notified:
        typer.echo(f"{row.article}, notified by {asked.name}: {row.says or 'unknown'}. {row.source}".rstrip(".") + ".")


def _print_form(one: "Form") -> None:
    said = {
        True: "a basis is known",
        False: "no sufficient basis",
        None: "it depends on what is unknown",
    }[one.sufficient]
    typer.echo(f"{one.form.upper()}: {said}")
    for rank, instrument in enumerate(one.considered, 1):
        _print_considered(rank, instrument)
    for topic in one.topics:
        typer.echo(f"     {topic.topic:<9} {_governs(topic)}")
    if one.always:
        typer.echo(f"     {'always':<9} {'; '.join(one.always)}")


def _print_considered(rank: int, one: "Considered") -> None:
    from palermo.law.basis import unmet

    by = f" (the offence by {', '.join(one.covered_by)})" if one.covered_by else ""
    typer.echo(f"  {rank:>2} {WORDS[one.sufficient]:<8}{one.short}  {'; '.join(one.basis)}{by}".rstrip())
    reasons = unmet(one)
    decisive = [reason for reason in reasons if reason.present is False]
    for reason in decisive or reasons:
        todo = f" {reason.what_to_do}" if reason.what_to_do else ""
        typer.echo(f"       {WORDS[reason.present]:<8}{reason.article}: {reason.what.rstrip('.')}.{todo}")


def _governs(topic: "Topic") -> str:
    sure = [rule for rule in topic.rules if rule.name in topic.governing]
    possible = _cited([rule for rule in topic.rules if rule.name in topic.possible])
    if sure:
        return _cited(sure) + (f" (also possible: {possible})" if possible else "")
    return f"unknown; possible: {possible}" if possible else "no provision: the instruments that apply are silent"


def _cited(rules: "list[Rule]") -> str:
    """Provisions in short: each instrument once, with all its citations."""
    cites: dict[str, list[str]] = {}
    for rule in rules:
        cites.setdefault(rule.name.removesuffix(f" {rule.cite}"), []).append(rule.cite)
    return "; ".join(f"{short} {', '.join(of)}" for short, of in cites.items())
