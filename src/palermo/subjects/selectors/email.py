"""An electronic mail address.

Rule: RFC 5321 section 4.1.2 (dot-string local part of at most 64 octets), RFC 6531 for other scripts; the domain as in
`palermo.subjects.selectors.domain`. The local part is lowered: RFC 5321 lets a server tell ``Ann`` from ``ann``, no
large one does, and people write both. Quoted local parts and address literals are refused.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.domain import host
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import found, plain

_ATOM = r"[\w!#$%&*+/=?^`{|}~'\-]+"
_ADDRESS = re.compile(rf"(?:mailto:)?<?({_ATOM}(?:\.{_ATOM})*)@([^\s@<>]+?)>?", re.IGNORECASE)


def parse(text: str, *, country: str | None = None) -> str | None:
    """Address such as ``ann@example.org``."""
    match = _ADDRESS.fullmatch(plain(text))
    domain = host(match[2]) if match else None
    if not match or not domain:
        return None
    local = plain(match[1].lower())
    return f"{local}@{domain}" if 0 < len(local.encode("utf-8", "replace")) <= 64 else None


def of_entity(entity: Entity) -> Iterator[str]:
    """``email``."""
    return found(parse(text) for text in entity.all("email"))


KIND = Kind(
    code="email",
    title="E-mail address",
    source="RFC 5321 section 4.1.2; RFC 6531",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example(
            "ann.bee@example.org", ("Ann.Bee@Example.ORG", "mailto:ann.bee@example.org", " <ann.bee@example.org> ")
        ),
        Example("post@xn--bcher-kva.example", ("post@bücher.example", "POST@BÜCHER.example")),
    ),
    garbage=(
        "",
        "ann",
        "ann@",
        "@example.org",
        "a b@example.org",
        "a..b@example.org",
        "ann@example",
        "ann@@example.org",
    ),
)
