"""Numbers of documents, telephones, ships and addresses of mail, out of the sentences that hold them."""

import re

_NUMBER = re.compile(r"(?<![\w/-])(?:[A-Z]{1,2}[ -]{1,2})?(?:[A-Z]{0,8}\d|[A-Z0-9]+[./-])[A-Z0-9./-]*(?![\w/])")
_TAIL = re.compile(
    r"(?:,|\.)?\s*\b(?:issued|issue|expir\w*|valid|under|born|dated?|delivered|on \d|since|in the name"
    r"|fraudulently)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_DATE = re.compile(
    r"\b(?:\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}-\d\d-\d\d|(?:\d{1,2}\s+)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
    r"[a-z]*\.?\s+\d{4})\b"
)
_LABEL = re.compile(r"\b(?:no|nos|number|numbers|num|ID|NI)\b\.?\s*:?\s*", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_TELEPHONE = re.compile(
    r"\b(?:tel(?:ephone)?|phone|mob(?:ile)?)\b[^+\d(]{0,20}([+(\d][\d\s()+,;/-]*(?:and[\d\s()+,;/-]*)*)", re.IGNORECASE
)
_IMO = re.compile(r"\bIMO\b[^\d;]{0,12}(\d{7})\b")
MIN_DIGITS = 3


def document_number(text: str) -> str | None:
    """The number in a phrase about one document, spaces and all, or None.

    "Afghan passport number SE 012820, issued in Kabul" gives "SE 012820"; dates of issue and expiry are no numbers.
    """
    phrase = _TAIL.sub("", " ".join(_LABEL.sub(" ", " ".join(text.split())).split()))
    phrase = _DATE.sub(" ", phrase)
    for match in _NUMBER.finditer(phrase):
        number = " ".join(match[0].split()).strip(" .-/")
        if sum(character.isdigit() for character in number) >= MIN_DIGITS:
            return number
    return None


def email_addresses(text: str) -> list[str]:
    """Mail addresses in running text."""
    return [match.rstrip(".-") for match in _EMAIL.findall(text)]


def imo_numbers(text: str) -> list[str]:
    """Seven-digit numbers that the text calls IMO numbers."""
    return _IMO.findall(text)


def telephone_numbers(text: str) -> list[str]:
    """Numbers that the text calls telephone numbers, in international form where they carry a country code."""
    runs = [match[1] for match in _TELEPHONE.finditer(text)]
    return [number for run in runs for piece in re.split(r"[,;/]|\band\b", run) if (number := international(piece))]


def international(text: str) -> str | None:
    """A telephone number with its country code as ``+`` and digits, or None without enough digits.

    OFAC writes ``(98)(21)(66153220)``, the UK ``850-2-18111``: both lead with the country code. A leading zero says
    that there is none, and then nothing can be made of it.
    """
    if not re.fullmatch(r"[\d\s()+.-]+", text.strip()):
        return None
    digits = "".join(character for character in text if character.isdigit()).removeprefix("00")
    return f"+{digits}" if len(digits) >= 8 and not digits.startswith("0") else None
