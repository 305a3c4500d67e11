"""The form of a file that a courier brought."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from palermo.web.forms.rendering import PageForm

MAX_UPLOAD_BYTES = 256 * 2**20


class CourierForm(PageForm):
    """A courier file."""

    file = forms.FileField(
        label=_("Courier file"),
        help_text=_("It ends in .courier. Importing it twice changes nothing; a damaged part costs that part alone."),
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        """The file, while a browser may wait for it."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_UPLOAD_BYTES:
            raise forms.ValidationError(
                _("This file is too large for a browser. Your administrator imports it: palermo courier import FILE")
            )
        return file
