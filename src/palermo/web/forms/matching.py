"""Forms of match runs and judgements."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from palermo.node.matching.states import Verdict
from palermo.subjects.selectors import KINDS
from palermo.web.forms.rendering import Checkboxes, PageForm, Radios
from palermo.web.wording import SELECTOR_KINDS

VERDICTS = (
    (Verdict.SAME.value, _("Same")),
    (Verdict.DIFFERENT.value, _("Different")),
    (Verdict.UNSURE.value, _("Unsure")),
)
VERDICT_HINTS = {
    Verdict.SAME.value: _("Both entries are the same person, company or thing. The hit becomes intelligence."),
    Verdict.DIFFERENT.value: _("They only share a value, or look alike."),
    Verdict.UNSURE.value: _("More must be known first. You can judge again."),
}


class RunForm(PageForm):
    """What to match, against whom, on what basis."""

    partner = forms.ChoiceField(
        label=_("Partner"), help_text=_("Those that have published for us and can be asked now.")
    )
    inputs = forms.ChoiceField(
        label=_("What of ours"),
        widget=Radios,
        help_text=_("The partner learns nothing of what it does not hold itself."),
    )
    kinds = forms.MultipleChoiceField(
        label=_("Kinds of selectors"),
        required=False,
        widget=Checkboxes(attrs={"small": True}),
        choices=[(kind, SELECTOR_KINDS.get(kind, kind)) for kind in KINDS],
        help_text=_("None chosen means all."),
    )
    legal_basis = forms.ChoiceField(
        label=_("Legal basis"),
        help_text=_("It is sent to the partner, which serves no run on a basis that it does not recognise."),
    )

    def __init__(
        self,
        *args: object,
        partners: Sequence[tuple[str, str]],
        inputs: Sequence[tuple[str, str]],
        bases: Sequence[tuple[str, str]],
        tiers: Sequence[tuple[str, str]] = (),
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)
        if tiers:
            self.fields["tier"] = forms.ChoiceField(
                label=_("Sharing tier"), choices=tiers, help_text=_("A partner has published to you in several tiers.")
            )
        self.fields["partner"].choices = partners  # type: ignore[attr-defined]
        self.fields["inputs"].choices = inputs  # type: ignore[attr-defined]
        self.fields["legal_basis"].choices = bases  # type: ignore[attr-defined]

    def clean_kinds(self) -> list[str] | None:
        """The chosen kinds; None for all."""
        return self.cleaned_data["kinds"] or None


class JudgementForm(PageForm):
    """A person's judgement on one hit."""

    verdict = forms.ChoiceField(
        label=_("Is it the same?"),
        choices=VERDICTS,
        widget=Radios(hints=VERDICT_HINTS),
        help_text=_("A hit decides nothing: you do. What both hold stands above."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What made you decide so. It is kept with your name."),
    )
