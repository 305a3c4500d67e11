"""The partners page says when the directory ends, and warns before and after."""

from datetime import timedelta

import pytest
from django.utils import timezone

from palermo.node.directory.models import DirectoryVersion


@pytest.mark.parametrize(
    ("days", "currency", "warning"),
    [(90, "current", ""), (3, "ending", "The directory ends soon"), (-1, "expired", "The directory has ended")],
)
def test_the_partners_page_says_when_the_directory_ends(node, browser, days, currency, warning):
    administrator = browser("administrator")
    assert "data-currency" not in administrator.get("/partners/").content.decode(), "the first networks' have no end"
    DirectoryVersion.objects.update(expires_at=timezone.now() + timedelta(days=days))
    page = administrator.get("/partners/").content.decode()
    assert f'data-currency="{currency}"' in page
    assert warning in page
    assert ("govuk-warning-text" in page) is bool(warning)
