"""Forms of the administrator."""

from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from palermo.node.office.policy import Role
from palermo.web.forms.rendering import Checkboxes, PageForm, Radios

ROLE_HINTS = {
    Role.INVESTIGATOR.value: _("Works on the cases whose team they are on."),
    Role.SUPERVISOR.value: _("Answers for all cases, and is the second person for approvals."),
    Role.CENTRAL_AUTHORITY.value: _("Issues and answers formal requests under a treaty."),
    Role.AUDITOR.value: _("Reads ledger and audit trail; never a case."),
    Role.ADMINISTRATOR.value: _("Manages officers and the directory; never reads a case."),
}


class RolesForm(PageForm):
    """What an officer may do."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=[(role.value, role.label) for role in Role], widget=Checkboxes(hints=ROLE_HINTS)
    )
    active = forms.TypedChoiceField(
        label=_("May sign in"),
        choices=(("yes", _("Yes")), ("no", _("No"))),
        coerce=lambda answer: answer == "yes",
        widget=Radios,
    )


class OfficerForm(PageForm):
    """A new officer. They set password and second factor themselves, with a one-time link."""

    username = forms.CharField(label=_("Username"), help_text=_("Letters, digits, dots and hyphens."), max_length=150)
    full_name = forms.CharField(label=_("Full name"), help_text=_("It stands in records and requests."), max_length=200)
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=[(role.value, role.label) for role in Role], widget=Checkboxes(hints=ROLE_HINTS)
    )
    unit = forms.CharField(label=_("Unit"), required=False, max_length=32)
    time_zone = forms.ChoiceField(label=_("Time zone"), initial="UTC", help_text=_("In which times are shown to them."))

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].choices = [(name, name) for name in sorted(available_timezones())]  # type: ignore[attr-defined]
