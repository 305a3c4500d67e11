"""The certificate of a verification: one page, the same bytes for the same input, and no text that acts as markup."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typst

from palermo.sealing import verification_certificate
from palermo.sealing.verification_certificate import Examined, certificate
from palermo.sealing.verify import Check, Report, Verdict, verify_package

AT = datetime(2026, 3, 5, 10, 0, tzinfo=UTC)
HOSTILE = "#panic[x] *bold* $x$ \\ // @here <there> \n\x1b[2J\u202e " * 12


@pytest.fixture(scope="module")
def report(package_file: Path, network: Any) -> Report:
    return verify_package(package_file, network.trust_root, AT)


def pages(report: Report, examined: Examined) -> int:
    """How many pages a certificate takes."""
    contents = json.dumps(verification_certificate._contents(report, examined, AT))
    template = verification_certificate._TEMPLATE.read_bytes()
    images = typst.compile(template, format="png", ppi=12, sys_inputs={"certificate": contents})
    return len(images) if isinstance(images, list) else 1


def test_the_same_report_at_the_same_time_gives_the_same_page(report: Report, package_file: Path) -> None:
    examined = Examined.of(package_file)
    pdf = certificate(report, examined, AT)
    assert pdf.startswith(b"%PDF-")
    assert b"/FontFile" in pdf
    assert certificate(report, examined, AT) == pdf
    assert certificate(report, examined, datetime(2026, 3, 6, tzinfo=UTC)) != pdf


def test_it_says_file_root_and_each_check(report: Report, package_file: Path) -> None:
    examined = Examined.of(package_file)
    said = json.dumps(verification_certificate._contents(report, examined, AT), ensure_ascii=False)
    assert report.fingerprint is not None
    for text in (examined.sha256, report.fingerprint, "BO-PKG-2026-000001", "2026-03-05T10:00:00Z", "witnesses"):
        assert text in said


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("text", [HOSTILE, "证" * 600, "Ж" * 600, "ا" * 600])
def test_whatever_a_package_says_it_is_one_page_of_text(report: Report, verdict: Verdict, text: str) -> None:
    assert report.manifest is not None
    marks = dataclasses.replace(report.manifest.marks, use_limit=text)
    manifest = dataclasses.replace(report.manifest, case_reference=text, request_reference=text, marks=marks)
    checks = tuple(Check(check.number, check.name, None, text, True) for check in report.checks)
    worst = dataclasses.replace(report, checks=checks, verdict=verdict, manifest=manifest)
    examined = Examined(text, 2**40, "f" * 64)
    assert pages(worst, examined) == 1
    assert pages(dataclasses.replace(worst, manifest=None, fingerprint=None), examined) == 1
    assert certificate(worst, examined, AT).startswith(b"%PDF-")


def test_a_folder_has_no_digest(tmp_path: Path) -> None:
    assert Examined.of(tmp_path) == Examined(tmp_path.name, None, "")
