"""Forms of requests: one form made from each type's own description, and the steps that all types share."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from palermo.node.evidence.rows import CitationRow
from palermo.node.requests.rows import GroundRow, RequestRow
from palermo.node.requests.states import Outcome
from palermo.node.requests.types.form import FormField, Widget
from palermo.web.forms.rendering import Checkboxes, DateParts, PageForm, Radios


class FactsForm(PageForm):
    """The facts of a request. A draft may leave any of them open; the checks say what is still missing.

    ``hits``: (hit id, caption) of the case's confirmed hits.
    """

    template_name = "palermo/forms/sections.html"

    def __init__(
        self,
        *args: Any,
        questions: Sequence[FormField],
        hits: Sequence[tuple[str, str]],
        partners: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.questions = questions
        if partners:
            self.fields["partner"] = forms.ChoiceField(label=_("Requested authority"), choices=partners)
        for question in questions:
            control = self.fields[question.name] = _control(question, hits)
            control.needed_later = question.required  # type: ignore[attr-defined]

    def sections(self) -> Iterator[tuple[str, list[BoundField]]]:
        """The questions under their headings, in the form's order; "" heads those that stand under none."""
        headings = {question.name: question.section for question in self.questions}
        for heading, fields in groupby(self, lambda field: headings.get(field.name, "")):
            yield heading, list(fields)

    def facts(self) -> dict[str, str]:
        """Every answer as text; several hits joined with commas, dates in ISO form."""
        return {question.name: _as_text(self.cleaned_data.get(question.name)) for question in self.questions}


def _control(question: FormField, hits: Sequence[tuple[str, str]]) -> forms.Field:
    cited = f"{question.help} ({question.article})" if question.article else question.help
    shared: dict[str, Any] = {"label": question.label, "help_text": cited.strip(), "required": False}
    match question.widget:
        case Widget.RADIO:
            return forms.ChoiceField(choices=question.choices, widget=Radios, **shared)
        case Widget.DATE:
            return forms.DateField(widget=DateParts, **shared)
        case Widget.HITS:
            return forms.MultipleChoiceField(choices=hits, widget=Checkboxes, **shared)
        case Widget.TEXT:
            return forms.CharField(max_length=question.max_length, **shared)
        case _:
            area = forms.Textarea(attrs={"rows": 4})
            return forms.CharField(max_length=question.max_length, widget=area, **shared)


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return value.isoformat() if isinstance(value, date) else str(value or "")


def initial_facts(questions: Sequence[FormField], facts: Mapping[str, str]) -> dict[str, object]:
    """Stored facts as the form's controls want them."""
    return {
        question.name: facts.get(question.name, "").split(",")
        if question.widget is Widget.HITS
        else facts.get(question.name, "")
        for question in questions
    }


class GateForm(PageForm):
    """A person's answer to one safeguard. A gate asks; it never decides alone."""

    concern = forms.ChoiceField(
        label=_("Is there a concern?"),
        choices=(("no", _("No")), ("yes", _("Yes")), ("unknown", _("Not known"))),
        widget=Radios,
    )
    decision = forms.ChoiceField(
        label=_("What do you decide?"), choices=(("proceed", _("Proceed")), ("stop", _("Stop"))), widget=Radios
    )
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), help_text=_("It is kept with your name.")
    )


class CiteForm(PageForm):
    """The items of evidence that a request cites."""

    items = forms.MultipleChoiceField(label=_("Items"), required=False, widget=Checkboxes)

    def __init__(self, *args: Any, items: Sequence[CitationRow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["items"], items)


def _offer(field: forms.Field, items: Sequence[CitationRow]) -> None:
    """Offer items to be cited, each with what its provider says to it."""
    field.choices = [(row.reference, f"{row.reference} – {row.what}") for row in items]  # type: ignore[attr-defined]
    field.widget.hints = {row.reference: _standing(row) for row in items}


def _standing(row: CitationRow) -> Promise | str:
    if row.consent:
        return format_lazy(_("By consent of {provider}: {consent}"), provider=row.provider, consent=row.consent)
    if row.problem:
        return format_lazy(_("Needs the consent of {provider} first."), provider=row.provider or _("its provider"))
    return format_lazy(_("Given by {provider}"), provider=row.provider) if row.provider else _("Our own")


class AnswerForm(PageForm):
    """Our answer to a partner's request."""

    outcome = forms.ChoiceField(
        label=_("Answer"),
        choices=(
            (Outcome.ACCEPTED.value, _("Accept")),
            (Outcome.EXECUTED.value, _("Execute")),
            (Outcome.POSTPONED.value, _("Postpone")),
            (Outcome.REFUSED.value, _("Refuse")),
        ),
        widget=Radios(
            hints={
                "accepted": _("We will do it; what was asked comes later."),
                "executed": _("What was asked is done, and goes with this answer."),
                "postponed": _("Later, because it would interfere with our own proceeding (UNTOC 18(25))."),
                "refused": _("Refusal is a right. It names its ground and gives reasons (UNTOC 18(21), 18(23))."),
            }
        ),
    )
    ground = forms.ChoiceField(label=_("Ground"), required=False, help_text=_("For a refusal or a postponement."))
    reasons = forms.CharField(
        label=_("Reasons"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Reasons must be given for any refusal (UNTOC 18(23))."),
    )
    consultation = forms.CharField(
        label=_("Consultation"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "How both authorities talked about granting it under terms before refusing or postponing (UNTOC 18(26))."
        ),
    )
    package = forms.ChoiceField(
        label=_("Sealed package"), required=False, help_text=_("The evidence that goes with an executed request.")
    )
    cited = forms.MultipleChoiceField(
        label=_("Evidence that the answer cites"),
        required=False,
        widget=Checkboxes,
        help_text=_("It is named and described, not enclosed. What a partner gave needs its consent to this answer."),
    )
    conditions = forms.CharField(
        label=_("Conditions"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Limits on use beyond the purpose that was stated (UNTOC 18(19))."),
    )
    consent = forms.ChoiceField(
        label=_("May the hit be used in a formal request?"),
        required=False,
        choices=(("yes", _("Yes")), ("no", _("No"))),
        widget=Radios,
        help_text=_("Without the originator's consent, intelligence never becomes part of a request."),
    )

    def __init__(
        self,
        *args: Any,
        row: RequestRow,
        grounds: Sequence[GroundRow],
        packages: Sequence[tuple[str, str]],
        items: Sequence[CitationRow],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if items:
            _offer(self.fields["cited"], items)
        else:
            del self.fields["cited"]
        named = [(ground.code, f"{ground.article} – {ground.says}") for ground in grounds]
        self.fields["ground"].choices = [("", _("None")), *named]  # type: ignore[attr-defined]
        if row.intelligence:
            del self.fields["package"]
        else:
            del self.fields["consent"]
            self.fields["package"].choices = [("", _("None")), *packages]  # type: ignore[attr-defined]


class ReasonForm(PageForm):
    """A reason, where a step asks for one."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))


class ApprovalForm(PageForm):
    """A second person's decision."""

    approved = forms.TypedChoiceField(
        label=_("Your decision"),
        choices=(("yes", _("Approve")), ("no", _("Decline"))),
        coerce=lambda answer: answer == "yes",
        widget=Radios,
    )
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), help_text=_("It is kept with your name.")
    )
