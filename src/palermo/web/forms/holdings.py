"""Forms of holdings."""

from django import forms
from django.utils.translation import gettext_lazy as _

from palermo.intake import formats
from palermo.node.directory import queries as directory
from palermo.node.holdings.states import HandlingCode, HitReveals, ProtectionReason, Tlp
from palermo.node.office import queries as office
from palermo.web import wording
from palermo.web.forms.rendering import Checkboxes, DateParts, ManyFilesField, PageForm, Radios

HANDLING_HINTS = {
    "H0": _("For preventing and combating crime."),
    "H1": _("Not in court without our permission."),
    "H2": _("Not passed on without our permission."),
    "H3": _("Other restrictions, which the caveats name."),
}


class HoldingEditForm(PageForm):
    """What a holding is, and who may match against it."""

    name = forms.CharField(label=_("Name"), max_length=200)
    source = forms.CharField(label=_("Source"), help_text=_("Where the data come from."))
    purpose = forms.CharField(label=_("Purpose"), help_text=_("What we keep it for: nothing else may be done with it."))
    retention_date = forms.DateField(
        label=_("Keep until"), widget=DateParts, help_text=_("The holding ends by itself on this day.")
    )
    partners = forms.MultipleChoiceField(
        label=_("Who may match against it"),
        required=False,
        widget=Checkboxes,
        help_text=_("Partners chosen here may find out, item by item, what both hold. Nobody else learns anything."),
    )
    hit_reveals = forms.ChoiceField(
        label=_("What a confirmed match reveals"),
        choices=[(code.value, wording.REVEALS[code]) for code in HitReveals],
        widget=Radios,
    )
    contact_point = forms.CharField(label=_("Contact point"), help_text=_("Whom a partner asks about a hit."))
    handling_code = forms.ChoiceField(
        label=_("Handling code"),
        choices=[(code.value, code.value) for code in HandlingCode],
        widget=Radios(hints=HANDLING_HINTS),
    )
    tlp = forms.ChoiceField(label=_("Traffic Light Protocol"), choices=[(mark.value, mark.value) for mark in Tlp])
    caveats = forms.CharField(
        label=_("Caveats"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("They travel with every hit."),
    )
    duty_unit = forms.ChoiceField(
        label=_("Duty unit"),
        required=False,
        help_text=_("Its officers learn of hits. Without one, supervisors do, and add whom it concerns."),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["duty_unit"].choices = [("", _("Supervisors")), *office.units().items()]  # type: ignore[attr-defined]
        self.fields["partners"].choices = [(row.code, f"{row.name} ({row.code})") for row in directory.partners()]  # type: ignore[attr-defined]


class HoldingForm(HoldingEditForm):
    """A new holding."""

    code = forms.CharField(
        label=_("Code"),
        help_text=_("Lower-case letters, digits and hyphens, such as fraud-2026. It cannot be changed later."),
    )
    field_order = ("code",)


class LoadForm(PageForm):
    """Files that replace what a holding holds."""

    format = forms.ChoiceField(label=_("Format"))
    file = ManyFilesField(
        label=_("Files"),
        help_text=_("The files replace what the holding holds now. Choose all files of the format together."),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].choices = [  # type: ignore[attr-defined]
            (row.code, f"{row.title} – {row.files}") for row in formats().values()
        ]


class ProtectForm(PageForm):
    """Items that are never published or confirmed."""

    entity_ids = forms.CharField(
        label=_("Items"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One id a line, as the holding has them."),
    )
    reason = forms.ChoiceField(
        label=_("Reason"), choices=[(code.value, wording.PROTECTION[code]) for code in ProtectionReason], widget=Radios
    )

    def clean_entity_ids(self) -> list[str]:
        """The ids, one a line."""
        return [line.strip() for line in self.cleaned_data["entity_ids"].splitlines() if line.strip()]
