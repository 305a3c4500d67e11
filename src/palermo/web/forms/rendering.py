"""How every form looks: GOV.UK components through Django's form renderer, for our forms and for allauth's."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import DjangoTemplates
from django.forms.widgets import Input
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from palermo.node.office.errors import InvalidError

T = TypeVar("T")

_CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.Textarea, "govuk-textarea"),
    (forms.Select, "govuk-select"),
    (forms.FileInput, "govuk-file-upload"),
    (Input, "govuk-input"),
)
_WITHOUT_CLASS = (forms.RadioSelect, forms.CheckboxSelectMultiple, forms.CheckboxInput, forms.HiddenInput)


class PageField(BoundField):
    """A field with its component's classes, and the anchor that the error summary links to."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        """Add the component's class, and its error class where the field is at fault."""
        built = super().build_widget_attrs(attrs, widget)
        shown = widget or self.field.widget
        # Whether a field is needed, the server says in words; the browser's own bubbles cannot be styled or translated.
        built.pop("required", None)
        if isinstance(shown, _WITHOUT_CLASS):
            return built
        base = next((name for kind, name in _CLASSES if isinstance(shown, kind)), "")
        if base:
            classes = [base, shown.attrs.get("class", ""), f"{base}--error" if self.errors else ""]
            built["class"] = " ".join(filter(None, classes))
        return built

    @property
    def anchor(self) -> str:
        """Id of the first control, for the link in the error summary."""
        widget = self.field.widget
        if isinstance(widget, DateParts):
            return f"{self.auto_id}_day"
        if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
            return f"{self.auto_id}_0"
        return self.auto_id

    @property
    def is_lone_checkbox(self) -> bool:
        """Whether the label stands behind the control."""
        return isinstance(self.field.widget, forms.CheckboxInput)

    @property
    def shows_optional(self) -> bool:
        """Whether the label says that the field may stay empty: not where a draft may, but what is sent may not."""
        may_be_empty = not self.field.required and not getattr(self.field, "needed_later", False)
        return may_be_empty and not self.field.disabled and not self.is_lone_checkbox


class Renderer(DjangoTemplates):
    """Django's renderer with the design system's templates (setting ``FORM_RENDERER``)."""

    form_template_name = "palermo/forms/form.html"
    field_template_name = "palermo/forms/field.html"
    bound_field_class = PageField


class PageForm(forms.Form):
    """Base of every form here."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if field.error_messages.get("required") is forms.Field.default_error_messages["required"]:
                field.error_messages["required"] = _("Give an answer: %(question)s") % {"question": field.label or ""}


def attempt(form: forms.Form, action: Callable[[], T]) -> T | None:
    """Run a write with what ``form`` holds. None where form or action found problems: they stand in the form."""
    if not form.is_valid():
        return None
    try:
        return action()
    except InvalidError as error:
        for problem in error.problems:
            form.add_error(None, problem)
        return None


# --- controls -------------------------------------------------------------------------------


class _ChoiceHints(forms.RadioSelect):
    """Choices, each with a line of help; shared by radio buttons and checkboxes."""

    def __init__(self, *args: Any, hints: Mapping[str, Promise | str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hints = hints or {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """One choice, with its hint."""
        option = super().create_option(name, value, *args, **kwargs)
        option["hint"] = self.hints.get(str(value), "")
        return option


class Radios(_ChoiceHints):
    """Radio buttons: one of a few."""

    template_name = "palermo/forms/radios.html"


class Checkboxes(_ChoiceHints):
    """Checkboxes: any of a few."""

    allow_multiple_selected = True
    input_type = "checkbox"
    template_name = "palermo/forms/checkboxes.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Every ticked value."""
        return data.getlist(name) if hasattr(data, "getlist") else data.get(name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """A browser sends nothing for a box that is not ticked: that is an answer too."""
        return False


class Tick(forms.CheckboxInput):
    """One checkbox with its label behind it."""

    template_name = "palermo/forms/tick.html"


class Password(forms.PasswordInput):
    """A password, with a button that shows it."""

    template_name = "palermo/forms/password.html"


class DateParts(forms.DateInput):
    """A date as day, month and year, in three short fields; ``NAME=2026-11-22`` is understood as well."""

    template_name = "palermo/forms/date.html"
    use_fieldset = True
    parts = ("day", "month", "year")

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str | None:
        """The date in ISO form; what was typed, where it is none."""
        if data.get(name):
            return str(data[name])
        day, month, year = (str(data.get(f"{name}_{part}", "")).strip() for part in self.parts)
        if not (day or month or year):
            return None
        return f"{year.zfill(4)}-{month.zfill(2)}-{day.zfill(2)}"

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Whether nothing was sent for the field."""
        return name not in data and not any(f"{name}_{part}" in data for part in self.parts)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The three parts of what was typed or stored."""
        context = super().get_context(name, value, attrs)
        year, month, day = (*str(value or "").split("T")[0].split(" ")[0].split("-", 2), "", "", "")[:3]
        values = {"day": day.lstrip("0"), "month": month.lstrip("0"), "year": year.lstrip("0")}
        words = {"day": _("Day"), "month": _("Month"), "year": _("Year")}
        context["parts"] = [
            {
                "name": f"{name}_{part}",
                "id": f"{context['widget']['attrs'].get('id', name)}_{part}",
                "label": words[part],
            }
            | {"value": values[part], "width": 4 if part == "year" else 2}
            for part in self.parts
        ]
        context["at_fault"] = (attrs or {}).get("aria-invalid") == "true"
        return context


class MomentParts(DateParts):
    """A date and a time of day in the officer's time zone; ``NAME=2026-11-22T14:05+00:00`` is understood as well."""

    template_name = "palermo/forms/moment.html"

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str | None:
        """Date and time in ISO form."""
        if data.get(name):
            return str(data[name])
        on = super().value_from_datadict(data, files, name)
        at = str(data.get(f"{name}_time", "")).strip()
        return f"{on} {at}" if on else None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The parts, and the time of day."""
        context = super().get_context(name, value, attrs)
        text = value.strftime("%Y-%m-%d %H:%M") if hasattr(value, "strftime") else str(value or "")
        context["time"] = text.replace("T", " ").partition(" ")[2][:5]
        return context


class ManyFiles(forms.ClearableFileInput):
    """One or more files in one control."""

    allow_multiple_selected = True
    template_name = "palermo/forms/file.html"


class ManyFilesField(forms.FileField):
    """Cleans to a list of uploaded files."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Every file by itself; at least one where the field is required."""
        files = data if isinstance(data, list | tuple) else [data] if data else []
        if not files:
            super().clean(None, initial)
        return [super(ManyFilesField, self).clean(file, initial) for file in files]
