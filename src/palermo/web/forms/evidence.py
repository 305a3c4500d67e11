"""Forms of evidence."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from palermo.node.evidence.marks import HandlingCode, InformationGrade, Origin, SourceGrade, Tlp
from palermo.node.evidence.uses import LONGEST_TARGET, Use
from palermo.sealing.custody import Verb
from palermo.web.forms.rendering import Checkboxes, MomentParts, PageForm, Radios

ORIGIN = (
    (Origin.OWN.value, _("Our own: this authority collected it")),
    (Origin.INTELLIGENCE.value, _("It came by police or FIU channel (intelligence)")),
)
SOURCE = (
    (SourceGrade.A.value, _("A – no doubt")),
    (SourceGrade.B.value, _("B – mostly reliable")),
    (SourceGrade.C.value, _("C – mostly unreliable")),
    (SourceGrade.X.value, _("X – cannot be judged")),
)
INFORMATION = (
    (InformationGrade.CERTAIN.value, _("1 – certain")),
    (InformationGrade.KNOWN_TO_SOURCE.value, _("2 – known to the source itself")),
    (InformationGrade.CORROBORATED.value, _("3 – hearsay, but corroborated")),
    (InformationGrade.UNKNOWN.value, _("4 – cannot be judged")),
)


class ItemForm(PageForm):
    """An item of evidence and how it was collected."""

    content = forms.FileField(
        label=_("File"), help_text=_("Its bytes are kept as they are; their digests are the item's name.")
    )
    origin = forms.ChoiceField(
        label=_("Where it comes from"),
        choices=ORIGIN,
        widget=Radios,
        help_text=_("Intelligence is not evidence: it is sealed or cited with its originator's consent alone."),
    )
    originator = forms.CharField(
        label=_("Who gave it (for intelligence)"),
        required=False,
        help_text=_("The authority, by its code or its name. Leave empty for what is our own."),
    )
    what = forms.CharField(label=_("What it is"), help_text=_("Such as: statement of account, 1 to 31 March 2026."))
    collected_by = forms.CharField(label=_("Collected by"), help_text=_("Name and office."))
    how = forms.CharField(label=_("How it was collected"), widget=forms.Textarea(attrs={"rows": 3}))
    collected_at = forms.DateTimeField(label=_("When it was collected"), widget=MomentParts)
    where = forms.CharField(label=_("Where it was collected"))
    use_limit = forms.CharField(
        label=_("Use limit"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What the law allows it to be used for. It stays with the item (UNTOC 18(19))."),
    )
    tlp = forms.ChoiceField(
        label=_("Traffic Light Protocol"), choices=[(mark.value, mark.value.upper()) for mark in Tlp]
    )
    handling_code = forms.ChoiceField(
        label=_("Handling code"), choices=[(code.value, code.value) for code in HandlingCode]
    )
    source_grade = forms.ChoiceField(label=_("Reliability of the source"), choices=SOURCE)
    information_grade = forms.ChoiceField(label=_("Accuracy of the information"), choices=INFORMATION)


class SealForm(PageForm):
    """Items that go, sealed, to one partner."""

    items = forms.MultipleChoiceField(label=_("Items"), widget=Checkboxes)
    recipient = forms.ChoiceField(label=_("Recipient"))
    request_reference = forms.CharField(
        label=_("Request"), help_text=_("Reference of the request that the package answers. Its purpose binds the use.")
    )

    def __init__(
        self,
        *args: Any,
        choices: Sequence[tuple[str, str]],
        partners: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["items"].choices = choices  # type: ignore[attr-defined]
        self.fields["recipient"].choices = partners  # type: ignore[attr-defined]


USES = (
    (Use.CASE.value, _("In another case of ours")),
    (Use.COURT.value, _("Before a court")),
    (Use.EXPORT.value, _("Taken out of this node for another purpose")),
    (Use.CITE.value, _("Cited to another authority, in a request or an answer")),
    (Use.SHARE.value, _("Shared on with another authority")),
)


class UseFields(PageForm):
    """One use of an item, exactly."""

    use = forms.ChoiceField(label=_("Use"), choices=USES, widget=Radios)
    target = forms.CharField(
        label=_("For what"),
        max_length=LONGEST_TARGET,
        help_text=_(
            "The case or the request, by its reference; otherwise the court and its proceedings, or the purpose."
        ),
    )
    recipient = forms.CharField(
        label=_("Which authority would learn of it"),
        required=False,
        help_text=_("Its code, where the item would be cited to it or shared on with it. Otherwise leave empty."),
    )


class ConsentForm(UseFields):
    """The provider's consent to one use of an item, given by letter."""

    given_by = forms.CharField(label=_("Given by"), help_text=_("Name and office at the providing authority."))
    statement = forms.CharField(label=_("What it says"), widget=forms.Textarea(attrs={"rows": 3}))
    conditions = forms.CharField(label=_("Conditions"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    document = forms.CharField(label=_("The letter"), help_text=_("Its date, its author and its file number."))
    reason = forms.CharField(
        label=_("Why it did not come through the exchange"), help_text=_("Such as: the provider has no node.")
    )
    expires_at = forms.DateTimeField(label=_("When the consent ends (optional)"), required=False, widget=MomentParts)


VERBS = (
    (Verb.IMAGED.value, _("Imaged: a forensic copy was made")),
    (Verb.OPENED.value, _("Opened")),
    (Verb.COPIED.value, _("Copied")),
    (Verb.TRANSFERRED.value, _("Transferred: handed to someone else")),
    (Verb.RETURNED.value, _("Returned to whom it came from")),
    (Verb.RECEIVED.value, _("Received")),
)


class StepForm(PageForm):
    """A step of custody taken outside the node."""

    verb = forms.ChoiceField(label=_("What was done"), choices=VERBS, widget=Radios)
    by = forms.CharField(label=_("By whom"), help_text=_("Name and office. You sign that it was recorded so."))
    at = forms.DateTimeField(label=_("When"), widget=MomentParts)
    where = forms.CharField(label=_("Where"))
    how = forms.CharField(label=_("How, and to whom"), widget=forms.Textarea(attrs={"rows": 3}))


class CourtCopyForm(PageForm):
    """A copy of a package in clear, for a court."""

    court = forms.CharField(label=_("Court"), help_text=_("To which the copy is handed."))
    proceedings = forms.CharField(
        label=_("Proceedings"), help_text=_("File number. The evidence may be used for the stated proceedings alone.")
    )


class UseForm(PageForm):
    """Another case that is to use a received item."""

    case = forms.CharField(
        label=_("Case"), help_text=_("By its reference. The provider's consent for it has to be in force.")
    )
