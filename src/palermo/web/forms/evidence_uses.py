"""Forms of what binds the use of evidence: consents, notices, recalls, retention."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from palermo.node.evidence.grounds import Ground, all_grounds
from palermo.node.evidence.uses import LONGEST_TARGET, Use
from palermo.web.forms.evidence import UseFields
from palermo.web.forms.rendering import DateParts, MomentParts, PageForm, Radios


def _area(rows: int = 3) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


def _asked(ground: Ground) -> Promise:
    """What a ground asks for, as a hint."""
    return format_lazy("{source}. {name} {asks}.", source=ground.source, name=_("Name"), asks=ground.asks)


class AskForm(UseFields):
    """A question for consent to one use of an item."""

    intended = forms.CharField(label=_("What is intended"), widget=_area(), max_length=2000)
    legal_basis = forms.CharField(label=_("Legal basis"), max_length=200, initial="UNTOC Art. 18(19)")
    reasons = forms.CharField(
        label=_("Why it is needed"), widget=_area(), max_length=2000, help_text=_("The provider decides by it.")
    )


class DecideForm(PageForm):
    """The answer to a partner's question for consent."""

    outcome = forms.ChoiceField(
        label=_("Decision"), choices=(("granted", _("Grant")), ("refused", _("Refuse"))), widget=Radios
    )
    reasons = forms.CharField(
        label=_("Reasons"), widget=_area(), max_length=2000, help_text=_("They go to the partner, signed.")
    )
    conditions = forms.CharField(label=_("Conditions (with a grant)"), required=False, widget=_area(2), max_length=2000)
    until = forms.DateTimeField(label=_("When the consent ends (optional)"), required=False, widget=MomentParts)


class ReasonsForm(PageForm):
    """Reasons that go to the partner."""

    reasons = forms.CharField(label=_("Reasons"), widget=_area(), max_length=2000)


class EndConsentForm(PageForm):
    """The letter by which a provider withdrew a consent."""

    because = forms.CharField(
        label=_("The letter that withdraws it"),
        widget=_area(2),
        max_length=2000,
        help_text=_("Its date, its author, its file number, and what it says."),
    )


class ExportForm(PageForm):
    """What an item is taken out for."""

    use = forms.ChoiceField(
        label=_("Use"),
        widget=Radios,
        choices=((Use.COURT.value, _("Before a court")), (Use.EXPORT.value, _("For another purpose"))),
    )
    purpose = forms.CharField(
        label=_("For what"),
        max_length=LONGEST_TARGET,
        help_text=_("The court and its proceedings, or the purpose: in the words of the consent, where one is needed."),
    )


class NoticeForm(PageForm):
    """Notice of the disclosure of something exculpatory."""

    why = forms.CharField(label=_("Why it is exculpatory"), widget=_area(), max_length=2000)
    proceedings = forms.CharField(
        label=_("To whom, and in which proceedings"), max_length=500, help_text=_("The court and its file number.")
    )
    planned_at = forms.DateTimeField(
        label=_("When it is disclosed, at the earliest"), required=False, widget=MomentParts
    )
    exceptional = forms.CharField(
        label=_("Why advance notice was not possible (exceptional case)"),
        required=False,
        widget=_area(2),
        max_length=2000,
        help_text=_("Only where the disclosure takes place now. The provider is told of it at once."),
    )
    letter = forms.CharField(
        label=_("Letter to the provider"),
        required=False,
        max_length=200,
        help_text=_("Where the exchange does not reach it: date and file number of the letter that told it."),
    )


class ConsultForm(PageForm):
    """One step of a consultation."""

    kind = forms.ChoiceField(label=_("What you write"), widget=Radios)
    text = forms.CharField(label=_("Text"), widget=_area(5), max_length=5000)

    def __init__(self, *args: Any, kinds: Sequence[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]


class RecallForm(PageForm):
    """The recall of an item from one package."""

    package = forms.ChoiceField(label=_("From whom"), widget=Radios)
    reason = forms.CharField(label=_("Reason"), widget=_area(), max_length=2000)

    def __init__(self, *args: Any, packages: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["package"].choices = packages  # type: ignore[attr-defined]


class KeepForm(PageForm):
    """The legal ground on which a recalled item is kept."""

    ground = forms.ChoiceField(
        label=_("Legal ground"),
        choices=[(ground.code, ground.says) for ground in all_grounds().values()],
        widget=Radios(hints={ground.code: _asked(ground) for ground in all_grounds().values()}),
    )
    provision = forms.CharField(label=_("Provision or order"), max_length=500)
    reasons = forms.CharField(label=_("Reasons"), widget=_area(), max_length=2000)


class RetentionForm(PageForm):
    """Until when the items of a case are kept."""

    until = forms.DateField(label=_("Kept until"), widget=DateParts)
    rule = forms.CharField(label=_("By which rule"), max_length=300, help_text=_("The provision of law."))


class HoldForm(PageForm):
    """The legal ground that holds an item back from the end of its retention."""

    ground = forms.CharField(
        label=_("Legal ground"),
        required=False,
        max_length=1000,
        widget=_area(2),
        help_text=_("The provision or the order. Leave empty to lift the hold."),
    )
