"""What is known of a case, as far as the scope of an instrument turns on it. What is not known is None and stays so."""

from dataclasses import dataclass

from palermo.law.three import Known, all_of, any_of

SERIOUS_YEARS = 4
"""From this heaviest imprisonment on, in years, an offence is serious crime (UNTOC 2(b))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The elements of an organised criminal group (UNTOC 2(a), "structured" by 2(c))."""

    three_or_more: Known = None
    structured: Known = None
    for_some_time: Known = None
    in_concert: Known = None
    to_commit_serious_crime: Known = None
    for_material_benefit: Known = None

    @property
    def organised(self) -> Known:
        """Whether every element is there."""
        return all_of(
            (
                self.three_or_more,
                self.structured,
                self.for_some_time,
                self.in_concert,
                self.to_commit_serious_crime,
                self.for_material_benefit,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One offence and what is known of it.

    ``offence``, ``predicate``: codes of ``law/offences.py`` (``predicate``: of laundering, or the case that is
    obstructed). ``maximum_years``: heaviest imprisonment that the offence carries. ``committed_in_several`` to
    ``effects_elsewhere``: the four ways to be transnational (UNTOC 3(2)(a) to (d)). ``group``: an organised criminal
    group is involved. ``suspect_transnational``, ``suspect_group``: reasonable grounds to suspect it;
    ``evidence_there``: victims, witnesses, proceeds, instrumentalities or evidence are in the requested State (18(1)).
    ``person_there``: the person sought is. ``electronic_evidence``: evidence in electronic form is sought.
    ``made_offence``: both States made the act an offence where an instrument leaves that to them. ``between_states``: a
    transaction or transfer between States that touches national security (Firearms Protocol 4(2)).
    """

    offence: str
    predicate: str = ""
    maximum_years: float | None = None
    committed_in_several: Known = None
    prepared_elsewhere: Known = None
    group_active_elsewhere: Known = None
    effects_elsewhere: Known = None
    group: Known = None
    suspect_transnational: Known = None
    suspect_group: Known = None
    evidence_there: Known = None
    person_there: Known = None
    electronic_evidence: Known = None
    made_offence: Known = None
    between_states: Known = False

    @property
    def transnational(self) -> Known:
        """Whether it is transnational in nature (UNTOC 3(2))."""
        return any_of(
            (
                self.committed_in_several,
                self.prepared_elsewhere,
                self.group_active_elsewhere,
                self.effects_elsewhere,
            )
        )

    @property
    def serious(self) -> Known:
        """Whether it is serious crime (UNTOC 2(b))."""
        return None if self.maximum_years is None else self.maximum_years >= SERIOUS_YEARS
