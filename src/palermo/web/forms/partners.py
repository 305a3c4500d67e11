"""Forms of the directory."""

from django import forms
from django.utils.translation import gettext_lazy as _

from palermo.web.forms.rendering import PageForm

MAX_DIRECTORY_BYTES = 4 * 2**20


class DirectoryForm(PageForm):
    """A signed directory."""

    file = forms.FileField(
        label=_("Signed directory"), help_text=_("The founders sign it. One that they did not sign is refused.")
    )

    def clean_file(self) -> bytes:
        """The file's bytes."""
        file = self.cleaned_data["file"]
        if file.size > MAX_DIRECTORY_BYTES:
            raise forms.ValidationError(_("This is too large for a directory."))
        content: bytes = file.read()
        return content
