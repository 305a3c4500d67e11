"""The auditor's page: every count opens to its entries, each entry to a proof that is checked without the node."""

import csv
import io
import re

import pytest
from django.utils import timezone

from palermo.node.ledger import actions, queries
from palermo.sealing.directory import TrustRoot
from palermo.sealing.ledger_export import verify_export


@pytest.fixture
def auditor(node, browser):
    return browser("auditor")


@pytest.fixture
def page(auditor) -> str:
    return auditor.get("/ledger/disclosures/").content.decode()


def test_every_count_opens_to_as_many_entries(auditor, page):
    rows = re.findall(r'data-number="(\d+)">.*?<a class="govuk-link" href="([^"]+)"', page, re.DOTALL)
    assert len(rows) > 1
    for number, link in rows:
        shown = auditor.get(link.replace("&amp;", "&")).content.decode()
        assert len(re.findall('<tr class="govuk-table__row" data-ref=', shown)) == int(number)
    total = int(re.search(r'data-total="(\d+)"', page)[1])
    assert total == sum(int(number) for number, _ in rows) < queries.size(), "padding is not counted"


def test_each_entry_opens_to_a_proof_that_is_checked_offline(auditor, node):
    page = auditor.get(f"/ledger/{node['entry']}/").content.decode()
    link = re.search(r'href="(/ledger/export[^"]+)"', page)[1].replace("&amp;", "&")
    root = TrustRoot.from_bytes((node.home / "trust-root.json").read_bytes())
    report = verify_export(b"".join(auditor.get(link)).splitlines(keepends=True), root)
    assert (report.verdict, report.counts.total()) == ("proven", 1)


def test_the_period_is_proven_whole_and_goes_to_a_spreadsheet(auditor, page, node):
    link = re.search(r'href="(/ledger/export[^"]+)"', page)[1].replace("&amp;", "&")
    root = TrustRoot.from_bytes((node.home / "trust-root.json").read_bytes())
    report = verify_export(b"".join(auditor.get(link)).splitlines(keepends=True), root)
    total = int(re.search(r'data-total="(\d+)"', page)[1])
    padding = sum(number for (kind, _), number in report.counts.items() if kind == "padding")
    assert (report.verdict, report.counts.total() - padding) == ("proven", total)
    table = re.search(r'href="(/ledger/disclosures\.csv[^"]+)"', page)[1].replace("&amp;", "&")
    text = b"".join(auditor.get(table)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == total and {row["Partner"] for row in rows} >= {"BB-POL"}


def test_another_period_is_empty_and_a_wrong_one_is_refused_in_words(auditor):
    assert (
        "Nothing was entered" in auditor.get("/ledger/disclosures/?since=2020-01-01&until=2020-01-31").content.decode()
    )
    for query in ("?since=2026-02-31", "?since=x", "?since=2026-03-02&until=2026-03-01", "?since=0001-01-01"):
        for address in ("/ledger/disclosures/", "/ledger/disclosures.csv", "/ledger/"):
            assert auditor.get(address + query).status_code == 422


def test_what_has_expired_is_counted_and_shown_as_such(auditor, node):
    today = timezone.localdate()
    actions.destroy([int(node["entry"])], under="a test rule", now=node.now)
    page = auditor.get(f"/ledger/disclosures/?since=2000-01-01&until={today}").content.decode()
    assert 'data-kind="destroyed"' in page and "expired" in page
    assert "a test rule" in auditor.get(f"/ledger/{node['entry']}/").content.decode()


def test_no_case_purpose_or_other_field_is_on_the_page(page, node):
    assert node["case"] not in page and "Test" not in page
