"""Forms of cases."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from palermo.node.cases.states import Neutrality
from palermo.subjects.entities import Entity, EntityError
from palermo.web import wording
from palermo.web.forms.rendering import PageForm, Radios

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

NEUTRALITY = [("none", _("No")), *((flag.value, wording.NEUTRALITY[flag]) for flag in Neutrality if flag)]

SCHEMAS = (
    ("Person", _("Person")),
    ("Company", _("Company")),
    ("Organization", _("Other organisation")),
    ("BankAccount", _("Bank account")),
    ("CryptoWallet", _("Crypto wallet")),
    ("Vehicle", _("Vehicle")),
    ("Vessel", _("Vessel")),
)


class CaseForm(PageForm):
    """A new case. Everything that leaves the authority later rests on what stands here."""

    title = forms.CharField(label=_("Title"), help_text=_("Partners do not see it."), max_length=200)
    purpose = forms.CharField(
        label=_("Purpose"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Why this case is investigated. It goes with every match run: partners decide by it."),
        max_length=500,
    )
    legal_basis = forms.CharField(
        label=_("Legal basis"),
        help_text=_("The law or treaty that allows it, such as: UNTOC Art. 27."),
        max_length=300,
    )
    neutrality = forms.ChoiceField(
        label=_("Has the matter a political, military, religious or racial character?"),
        choices=NEUTRALITY,
        initial="none",
        required=False,
        widget=Radios,
        help_text=_(
            "If it has, a second officer must review what leaves this authority before it goes "
            "(the model is INTERPOL's Constitution, Art. 3)."
        ),
    )

    def clean_neutrality(self) -> str:
        """The flag as the room stores it."""
        answer: str = self.cleaned_data["neutrality"]
        return "" if answer == "none" else answer


# Properties of FollowTheMoney that the form asks for: name, question, help, whether one a line.
PROPERTIES: "tuple[tuple[str, StrPromise, StrPromise | str, bool], ...]" = (
    ("name", _("Name"), _("In any script."), False),
    ("alias", _("Other names"), _("One a line."), True),
    ("birthDate", _("Date of birth"), _("Such as 1984-05-17, or 1984 alone."), False),
    ("nationality", _("Nationality"), _("Country code of two letters."), False),
    ("phone", _("Telephone numbers"), _("One a line, with the country's prefix, such as +41 44 668 18 00."), True),
    ("email", _("E-mail addresses"), _("One a line."), True),
    ("passportNumber", _("Passport number"), "", False),
    ("idNumber", _("Identity number"), "", False),
    ("iban", _("IBAN"), "", False),
    ("accountNumber", _("Account number"), "", False),
    ("bankName", _("Bank"), _("Name or BIC: an account number needs its bank."), False),
    ("publicKey", _("Wallet address"), "", False),
    ("registrationNumber", _("Registration number"), "", False),
    ("imoNumber", _("IMO number of a vessel"), "", False),
    ("website", _("Website"), "", False),
    ("country", _("Country"), _("Country code of two letters."), False),
)


class SubjectForm(PageForm):
    """A subject by its properties, or as one FollowTheMoney entity."""

    schema = forms.ChoiceField(label=_("Kind"), choices=SCHEMAS, required=False)
    entity = forms.CharField(
        label=_("Or one FollowTheMoney entity"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "palermo-code"}),
        help_text=_("One line of JSON with id, schema and properties. It takes the place of the answers above."),
    )
    origin = forms.CharField(label=_("Where this is known from"), help_text=_("It stays with the case."))

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name, label, hint, many in PROPERTIES:
            widget = forms.Textarea(attrs={"rows": 2}) if many else forms.TextInput()
            self.fields[name] = forms.CharField(label=label, help_text=hint, required=False, widget=widget)
        self.order_fields(["schema", *(name for name, *_rest in PROPERTIES), "entity", "origin"])

    def clean(self) -> None:
        """Put the entity together, or read the one that was given."""
        given = self.cleaned_data.get("entity", "").strip()
        try:
            self.subject = Entity.from_json(given) if given else _composed(self.cleaned_data)
        except EntityError as error:
            self.add_error("entity", _("This is not one FollowTheMoney entity: %(fault)s") % {"fault": error.fault})


def _composed(answers: Mapping[str, str]) -> Entity:
    """An entity of the form's properties, under an id of this authority's own."""
    properties = {}
    for name, _label, _hint, many in PROPERTIES:
        text = answers.get(name, "")
        if kept := tuple(value.strip() for value in (text.splitlines() if many else [text]) if value.strip()):
            properties[name] = kept
    if not properties:
        raise EntityError("nothing was entered")
    return Entity(f"subject-{uuid4().hex[:12]}", answers.get("schema") or "Person", properties)


class NoteForm(PageForm):
    """A line for the time line."""

    text = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 3}), max_length=5000)


class FlagForm(PageForm):
    """The character of a case's matter."""

    neutrality = forms.ChoiceField(
        label=_("Has the matter a political, military, religious or racial character?"),
        choices=NEUTRALITY,
        widget=Radios,
        help_text=_("Anyone on the team says that it has. Only a supervisor who did not say so takes it back."),
    )
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=5000)

    def clean_neutrality(self) -> str:
        """The flag as the room stores it."""
        answer: str = self.cleaned_data["neutrality"]
        return "" if answer == "none" else answer


class CloseForm(PageForm):
    """The end of a case."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=5000)


class MemberForm(PageForm):
    """An officer who joins the team."""

    member = forms.TypedChoiceField(label=_("Officer"), coerce=int)

    def __init__(self, *args: object, officers: Mapping[int, str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["member"].choices = sorted(officers.items(), key=lambda pair: pair[1])  # type: ignore[attr-defined]
