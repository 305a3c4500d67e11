"""The result of checking a package as one page (PDF), for a court's file. The same report and time give the same bytes.

It is a print of what the software found, not a signed document: whoever doubts it checks the package again.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from unicodedata import east_asian_width

import palermo
from palermo.sealing import records
from palermo.sealing.bagit import digest_of
from palermo.sealing.verify import Check, Report, Verdict, plain, summary

MAX_DETAIL = 200
"""How many characters of what a check says stand on the page (wide ones count twice): all checks must fit on one."""
_MAX_FACT = 160

_WORDS = {Verdict.PROVEN: "Proven", Verdict.UNPROVEN: "Not proven in full", Verdict.REFUSED: "Refused"}
_KINDS = {True: ("holds", "holds"), False: ("fails", "FAILS"), None: ("open", "–")}
_TEMPLATE = Path(__file__).with_name("verification_certificate.typ")


@dataclass(frozen=True)
class Examined:
    """What was checked: the file's (or folder's) name, and, for a file, its size in bytes and its SHA-256 in hex."""

    name: str
    size: int | None
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "Examined":
        """Of a path that is there."""
        if path.is_dir():
            return cls(path.name, None, "")
        digest = digest_of(path)
        return cls(path.name, digest.size, digest.sha256)


def certificate(report: Report, examined: Examined, at: datetime) -> bytes:
    """The page as PDF, with its fonts in it. ``at`` is when the package was checked (UTC)."""
    import typst  # 30 MB of fonts: only for who asks for a certificate

    text = json.dumps(_contents(report, examined, at), ensure_ascii=False)
    pdf = typst.compile(
        _TEMPLATE.read_bytes(), format="pdf", sys_inputs={"certificate": text}, timestamp=int(at.timestamp())
    )
    return bytes(pdf)


def _contents(report: Report, examined: Examined, at: datetime) -> dict[str, object]:
    when = records.format_time(at.replace(microsecond=0))
    return {
        "title": "Certificate of verification",
        "subtitle": "of a sealed evidence package, checked offline, without the help of whoever made or sent it",
        "version": palermo.__version__,
        "verdict": report.verdict.value,
        "word": _WORDS[report.verdict],
        "summary": summary(report),
        "facts": [[name, _short(text, _MAX_FACT), fixed] for name, text, fixed in _facts(report, examined, when)],
        "checks": [_row(check) for check in report.checks],
        "notes": _notes(examined),
        "foot": f"palermo {palermo.__version__} · {when} · A print of what the software found, not itself signed.",
    }


def _facts(report: Report, examined: Examined, when: str) -> list[tuple[str, str, bool]]:
    """Name, text and whether it is to be compared letter by letter."""
    size = "a folder" if examined.size is None else f"{examined.size:,} bytes"
    facts = [("File", f"{examined.name} ({size})", False), ("SHA-256 of the file", examined.sha256 or "–", True)]
    if (manifest := report.manifest) is not None:
        facts += [
            ("Package", f"{manifest.package_id}, with {len(manifest.items)} items", False),
            ("Given by", f"{manifest.provider} to {manifest.recipient}", False),
            ("For", f"request {manifest.request_reference}, case {manifest.case_reference}", False),
            ("Use limit", manifest.marks.use_limit, False),
        ]
    root = report.fingerprint or "none was given: nothing is said about who made the package"
    return [*facts, ("Trust root", root, report.fingerprint is not None), ("Checked at", when, False)]


def _row(check: Check) -> dict[str, str]:
    kind, word = _KINDS[check.ok]
    return {
        "number": str(check.number),
        "kind": kind,
        "word": word,
        "name": check.name,
        "detail": _short(check.detail, MAX_DETAIL),
    }


def _notes(examined: Examined) -> list[str]:
    return [
        "“–” means nothing to check, or that an earlier check failed. What that leaves open is said above.",
        "Compare the fingerprint of the trust root with the one that the network's founders read out to you.",
        f"Repeat this on any machine, offline: palermo evidence verify {_short(examined.name, 60)} --trust TRUST-ROOT",
        "It proves who gave the items and that they are unchanged, not that what they say is true.",
    ]


def _short(text: str, most: int) -> str:
    text = plain(text)
    widths = accumulate(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
    kept = sum(width <= most for width in widths)
    return text if kept == len(text) else f"{text[: kept - 1]}…"
