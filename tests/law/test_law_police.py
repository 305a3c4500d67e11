"""Police cooperation: what an inquiry says, and what its intelligence may carry."""

import pytest

from palermo.law.findings import missing
from palermo.law.police import CitedHit, InquiryFacts, completeness, consented, judged

COMPLETE = InquiryFacts(
    subject_matter="Mule accounts", question="Is it the same holder?", purpose="Lead", cites_hit=True, same_channel=True
)


def test_a_complete_inquiry_lacks_nothing_and_an_empty_one_everything() -> None:
    assert missing(completeness(COMPLETE)) == []
    assert len(missing(completeness(InquiryFacts()))) == 5


@pytest.mark.parametrize(
    ("verdict", "consent", "may_cite", "may_use"),
    [(True, True, True, True), (True, None, True, False), (True, False, True, False), (None, None, False, False)],
)
def test_a_hit_is_cited_only_when_judged_and_used_only_with_consent(
    verdict: bool | None, consent: bool | None, may_cite: bool, may_use: bool
) -> None:
    hit = CitedHit("h1", verdict, consent)
    assert (missing(judged([hit])) == []) is may_cite
    assert (missing(consented([hit])) == []) is may_use
