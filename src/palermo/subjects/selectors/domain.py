"""An internet domain name.

Rule: RFC 1035 section 2.3.1 for labels, RFC 5890 and 5891 (IDNA 2008) with the mapping of Unicode TS #46 for other
scripts; the canonical form is the ASCII one (A-labels) in lower case. A web address is another spelling of its host;
a leading ``www.`` is dropped, a trailing dot too. Top-level names alone and IP addresses are no domains.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import found, plain

_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.\-]*://)?(?:[^\s/?#@]*@)?([^\s/?#@:]+)(?::\d{1,5})?(?:[/?#]\S*)?", re.IGNORECASE
)
_TOP = re.compile(r"[a-z]{2,63}|xn--[a-z0-9\-]{1,59}")


def host(name: str) -> str | None:
    """ASCII form of a host name with at least two labels, or None."""
    import idna

    try:
        ascii_name = idna.encode(name.rstrip("."), uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        return None
    top = ascii_name.rpartition(".")[2]
    return ascii_name if "." in ascii_name and _TOP.fullmatch(top) else None


def parse(text: str, *, country: str | None = None) -> str | None:
    """Host name such as ``example.org``."""
    match = _ADDRESS.fullmatch(plain(text))
    name = host(match[1]) if match and "@" not in text.split("://")[-1].split("/")[0] else None
    while name and name.startswith("www.") and name.count(".") > 1:
        name = name.removeprefix("www.")
    return name


def of_entity(entity: Entity) -> Iterator[str]:
    """Hosts of ``website``."""
    return found(parse(text) for text in entity.all("website"))


KIND = Kind(
    code="domain",
    title="Internet domain",
    source="RFC 1035 section 2.3.1; RFC 5891 (IDNA 2008); Unicode TS #46",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example(
            "example.org", ("EXAMPLE.org.", "https://www.example.org/path?x=1", "www.example.org", "example.org:8080")
        ),
        Example("xn--bcher-kva.example", ("bücher.example", "BÜCHER.example", "http://Bücher.example/")),
    ),
    garbage=(
        "",
        "localhost",
        "192.0.2.1",
        "exa mple.org",
        "-a.example",
        "a..example",
        "someone@example.org",
        "http://",
    ),
)
