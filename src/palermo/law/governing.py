"""Which provision governs each topic between two States: every instrument considered, ranked, with reasons.

Where a treaty of mutual assistance binds both States, the paragraphs of UNTOC 18(9) to (29), and their like in other
conventions, yield to it unless both agreed otherwise (18(7)); 18(1) to (6), (8) and (30) apply all the same. Articles
17 and 21 only invite; 19 and 20 need an agreement. What is not known stays unknown, and nothing turns on who the States
are.
"""

from dataclasses import dataclass
from functools import cached_property

from palermo.law.between import Between, Treaty
from palermo.law.case import Case
from palermo.law.findings import Finding
from palermo.law.instruments import CODES, instrument, provision
from palermo.law.offers import AGREEMENT, DUTY, EXTRADITION, INVITATION, TOPICS, TREATY, Offer, on_form
from palermo.law.scope import Scope, scope
from palermo.law.three import Known, all_of, any_of, is_not

COUNCIL = {"assistance": "COE-MLA", "extradition": "COE-EXTRADITION"}
YIELDS_TO = {"confiscation": "assistance", "preservation": "assistance"}
"""The form on which a treaty displaces what yields, where it is another: Art. 13(3) of UNTOC refers to Art. 18."""

SUPERSEDES = {"COE-MLA": "26(1)", "COE-EXTRADITION": "28(1)"}
ORDER = {True: 0, None: 1, False: 2}


@dataclass(frozen=True, slots=True)
class Rule:
    """One provision on one topic. ``applies``: whether it governs; ``why``: in a sentence.

    ``cite``: as its instrument numbers it; ``name``: as cited to a reader; ``says``: in our words, if any are kept.
    """

    topic: str
    instrument: str
    cite: str
    name: str
    says: str
    applies: Known
    why: str


@dataclass(frozen=True, slots=True)
class Considered:
    """One instrument. ``applies``: binds both and covers the case; ``sufficient``: a request may rest on it alone.

    ``reasons``: each condition, met, not met or unknown. ``covered_by``: the provisions that bring the offence in.
    """

    instrument: str
    short: str
    strength: str
    applies: Known
    sufficient: Known
    basis: tuple[str, ...]
    reasons: tuple[Finding, ...]
    covered_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What governs one form of cooperation.

    ``considered``: the likeliest basis first. ``rules``: by topic, in that order. ``always``: provisions that
    govern, where their instrument applies, whatever treaty governs the rest.
    """

    form: str
    considered: tuple[Considered, ...]
    rules: tuple[Rule, ...]
    always: tuple[Rule, ...]

    @property
    def sufficient(self) -> Known:
        """Whether there is a basis on which a request may rest."""
        return any_of(one.sufficient for one in self.considered)

    def on(self, topic: str) -> tuple[Rule, ...]:
        """The rules on a topic that apply or may apply, the first to look at first."""
        return tuple(rule for rule in self.rules if rule.topic == topic and rule.applies is not False)

    def governing(self, topic: str) -> tuple[Rule, ...]:
        """The provisions that govern a topic for certain: those of the first instrument that does."""
        sure = [rule for rule in self.rules if rule.topic == topic and rule.applies is True]
        return tuple(rule for rule in sure if rule.instrument == sure[0].instrument)


def governing(form: str, case: Case, pair: Between) -> Answer:
    """What governs one form of cooperation on a case between two States."""
    return _Weighing(form, case, pair).answer()


class _Weighing:
    """One form, one case, two States: each part is worked out once."""

    def __init__(self, form: str, case: Case, pair: Between) -> None:
        self.form, self.case, self.pair = form, case, pair
        self.offers = {one.instrument: one for one in on_form(form)}
        self.scopes: dict[str, Scope] = {code: scope(code, form, case, pair) for code in self.offers}

    def answer(self) -> Answer:
        """All instruments, ranked; then the rules on each topic, in that order."""
        own = [self._instrument(offer) for offer in self.offers.values()]
        silent = [self._silent(code) for code in CODES if code not in self.offers]
        considered = sorted([*own, *map(self._agreement, self._named), *silent], key=self._rank)
        rules = [rule for topic in TOPICS for one in considered for rule in self._rules(topic, one)]
        always = [
            self._rule("always", one.instrument, cite, one.applies, f"{one.short} applies all the same.")
            for one in considered
            if one.instrument in self.offers
            for cite in self.offers[one.instrument].always
        ]
        return Answer(self.form, tuple(considered), tuple(rules), tuple(always))

    @cached_property
    def _named(self) -> tuple[Treaty, ...]:
        return tuple(treaty for treaty in self.pair.treaties if self.form in treaty.forms)

    def _council(self, form: str) -> tuple[str, Known]:
        """The convention of the Council of Europe on a form, and whether it binds both."""
        code = COUNCIL.get(form, "")
        return code, self.pair.bound.get(code) if code else False

    def _treaty_applies(self, treaty: Treaty, form: str) -> Known:
        """In force between both, on this offence, and not superseded by a convention of the Council of Europe."""
        on_offence = not treaty.offences or self.case.offence in treaty.offences
        return all_of((treaty.binding, on_offence, any_of((is_not(self._council(form)[1]), treaty.supplements))))

    @cached_property
    def displaced(self) -> Known:
        """Whether a treaty binds both States to which what yields gives way."""
        form = YIELDS_TO.get(self.form, self.form)
        named = (self._treaty_applies(treaty, form) for treaty in self.pair.treaties if form in treaty.forms)
        return any_of((self._council(form)[1], *named, is_not(self.pair.no_other.get(form))))

    @cached_property
    def in_lieu(self) -> Known:
        """Whether both States agreed that an instrument which covers the case applies in place of their treaty."""
        return any_of(
            all_of((self.pair.in_lieu.get(code, False), self._applies(code)))
            for code, offer in self.offers.items()
            if offer.yielding
        )

    def _applies(self, code: str) -> Known:
        return all_of((self.pair.bound.get(code), self.scopes[code].holds))

    def _bound(self, code: str) -> Finding:
        facts, present = instrument(code), self.pair.bound.get(code)
        what = "binds both States. " + " ".join(self.pair.says.get(code, ()))
        hint = {None: "Check with the depositary.", False: "Look for another basis.", True: ""}[present]
        return Finding(facts.short, present, what.strip(), "" if hint in what else hint)

    def _instrument(self, offer: Offer) -> Considered:
        code = offer.instrument
        strength, extra = self._strength(offer)
        applies = self._applies(code)
        reasons = (self._bound(code), *self.scopes[code].conditions, *extra)
        return Considered(
            code,
            instrument(code).short,
            offer.strength,
            applies,
            all_of((applies, strength)),
            tuple(provision(code, cite).name for cite in offer.basis),
            reasons,
            self.scopes[code].by,
        )

    def _strength(self, offer: Offer) -> tuple[Known, tuple[Finding, ...]]:
        """Whether an offer is a sufficient basis where it applies."""
        if offer.strength in (TREATY, DUTY):
            return True, ()
        if offer.strength == EXTRADITION:
            return self._extradition(offer)
        name = provision(offer.instrument, offer.basis[-1]).name
        if offer.strength == INVITATION:
            what = "only invites States to consider it, and is never a sufficient basis"
            return False, (Finding(name, False, what, "Rest the request on a treaty or on domestic law."),)
        agreed = any_of(self._treaty_applies(treaty, self.form) for treaty in self._named)
        known = True if agreed is True else None
        what_to_do = "Rest it on an agreement between both States, or on a decision of theirs in this case."
        return known, (Finding(name, known, "an agreement, or a decision case by case", what_to_do),)

    def _extradition(self, offer: Offer) -> tuple[Known, tuple[Finding, ...]]:
        """UNTOC 16(3) to (6) and its like: beside a treaty no basis but its complement, else as the requested State
        takes it.
        """
        code, needed, takes = offer.instrument, self.pair.treaty_needed, self.pair.takes.get(offer.instrument)
        alone = any_of((is_not(needed), takes))
        own = is_not(self.displaced)
        hints = {
            None: "Find out whether an extradition treaty binds both States.",
            False: "Rest the request on that treaty.",
            True: "",
        }
        findings = (
            Finding(
                provision(code, offer.included).name,
                own,
                "a basis of its own: no extradition treaty binds both, under which its offences are extraditable",
                hints[own],
                required=False,
            ),
            Finding(
                provision(code, offer.optional).name,
                alone,
                f"the requested State needs no treaty ({offer.recognised}), or takes this instrument as the treaty",
                "" if alone else "Check the requested State's declaration with the depositary.",
                required=False,
            ),
        )
        return all_of((own, alone)), findings

    def _agreement(self, treaty: Treaty) -> Considered:
        council, bound = self._council(self.form)
        offence_known = not treaty.offences or self.case.offence in treaty.offences
        reasons = [
            Finding(treaty.short, treaty.binding, f"binds both States. {treaty.says}".strip()),
            Finding(
                treaty.short, offence_known, "it covers this offence", "" if offence_known else "Use another basis."
            ),
        ]
        if council and bound is not False:
            cite = provision(council, SUPERSEDES[council]).name
            stays = any_of((is_not(bound), treaty.supplements))
            what_to_do = (
                "" if stays else "Find out whether it only supplements that convention; if not, it is superseded."
            )
            reasons.append(
                Finding(cite, stays, "not superseded by the convention of the Council of Europe", what_to_do)
            )
        applies = self._treaty_applies(treaty, self.form)
        basis = tuple(f"{treaty.short} {cite}" for cite in treaty.topics["basis"])
        return Considered(treaty.code, treaty.short, TREATY, applies, applies, basis, tuple(reasons))

    def _silent(self, code: str) -> Considered:
        facts = instrument(code)
        bound = self._bound(code)
        if not facts.provisions:
            unread = Finding(facts.short, None, "whether it covers this", "Its text is not kept here: read it.")
            applies = None if bound.present is not False else False
            return Considered(code, facts.short, DUTY, applies, applies, (), (bound, unread))
        if facts.supplements:
            what = f"it has no provision of its own on this: {facts.supplements} governs, through its Article 1"
        else:
            what = f"it has no provision on {self.form}"
        silent = Finding(facts.short, False, what, "Look for another basis.")
        return Considered(code, facts.short, INVITATION, False, False, (), (bound, silent))

    def _rank(self, one: Considered) -> tuple[int, int, int, int]:
        strengths = (TREATY, DUTY, EXTRADITION, AGREEMENT, INVITATION)
        by_name = self.scopes[one.instrument].by if one.instrument in self.scopes else ()
        only_serious = 1 if by_name == (provision("UNTOC", "2(b)").name,) else 0
        return ORDER[one.sufficient], ORDER[one.applies], strengths.index(one.strength), only_serious

    def _rules(self, topic: str, one: Considered) -> list[Rule]:
        offer = self.offers.get(one.instrument)
        if offer is None:
            treaty = next((treaty for treaty in self._named if treaty.code == one.instrument), None)
            return self._treaty_rules(topic, treaty, one.applies) if treaty else []
        gives_way = topic in offer.yielding
        applies = one.sufficient if topic == "basis" else one.applies
        why = f"{one.short} governs this."
        if gives_way:
            applies, why = all_of((applies, any_of((is_not(self.displaced), self.in_lieu)))), self._why(offer)
        elif offer.strength == TREATY and topic != "basis":
            applies = all_of((applies, is_not(self.in_lieu)))
            why = "It governs unless both agreed to apply a convention's own paragraphs in its place."
        return [self._rule(topic, one.instrument, cite, applies, why) for cite in offer.cites(topic)]

    def _why(self, offer: Offer) -> str:
        name = provision(offer.instrument, offer.yields_by).name
        return {
            True: f"It yields to the treaty that binds both States ({name}), unless both agreed to apply it.",
            False: f"No treaty on {self.form} binds both States, so that it applies ({name}).",
            None: f"It applies unless another treaty on {self.form} binds both States ({name}): not known here.",
        }[self.displaced]

    def _treaty_rules(self, topic: str, treaty: Treaty, applies: Known) -> list[Rule]:
        governs = applies if topic == "basis" else all_of((applies, is_not(self.in_lieu)))
        why = "The treaty between both States governs this."
        return [
            Rule(topic, treaty.code, cite, f"{treaty.short} {cite}", "", governs, why) for cite in treaty.topics[topic]
        ]

    def _rule(self, topic: str, code: str, cite: str, applies: Known, why: str) -> Rule:
        one = provision(code, cite)
        if one.brought_by:
            both = self.pair.bound.get(one.brought_by)
            applies = all_of((applies, both))
            if both is not True:
                why = f"{one.brought_by} wrote it: it binds only where both States are party to that protocol as well."
        return Rule(topic, code, cite, one.name, one.says, applies, why)
