"""Records of a large XML file, one at a time, from a source that may be hostile.

No document type, no entity but the five predefined, no outside reference (defusedxml), and bounds on depth, on the
length of any single token, on the text and on the number of elements of one record. Each breach refuses the file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from palermo.intake.errors import IntakeError
from palermo.intake.rows import ignore_progress, opened

MAX_DEPTH = 16
MAX_TOKEN_BYTES = 1 << 20
MAX_RECORD_CHARACTERS = 1 << 20
MAX_RECORD_ELEMENTS = 20_000
_CHUNK_BYTES = 1 << 16


@dataclass(slots=True)
class Element:
    """An element: its tag, its own text with runs of space made one, its children. Attributes aren't kept."""

    tag: str
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> list["Element"]:
        """Children of that tag."""
        return [child for child in self.children if child.tag == tag]

    def texts(self, tag: str) -> list[str]:
        """Texts, not blank, of the children of that tag."""
        return [child.text for child in self.all(tag) if child.text]

    def get(self, tag: str) -> str:
        """Text of the first child of that tag, or nothing."""
        return next(iter(self.texts(tag)), "")

    def values(self, tag: str) -> list[str]:
        """Texts of the VALUE elements below the children of that tag."""
        return [text for child in self.all(tag) for text in child.texts("VALUE")]

    def longest(self) -> int:
        """Length of the longest text, here or below, in characters."""
        return max(len(self.text), *(child.longest() for child in self.children), 0)

    def brief(self) -> str:
        """The element on one line, for a report."""
        inner = self.text + "".join(child.brief() for child in self.children)
        return f"<{self.tag}>{inner}</{self.tag}>"


class _Builder:
    """Target of the parser: builds the elements below the record's tag and drops everything else."""

    def __init__(self, root: str, record_tags: frozenset[str]) -> None:
        self.done: list[Element] = []
        self.line: Callable[[], int] = lambda: 0
        self._root = root
        self._record_tags = record_tags
        self._depth = 0
        self._open: list[Element] = []
        self._text: list[list[str]] = []
        self._characters = 0
        self._elements = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise IntakeError(f"elements nested deeper than {MAX_DEPTH}")
        if self._depth == 1 and tag != self._root:
            raise IntakeError(f"the root element is <{tag[:100]}>, not <{self._root}>: another format?")
        if not self._open and tag not in self._record_tags:
            return
        if not self._open:
            self._characters = self._elements = 0
        self._elements += 1
        if self._elements > MAX_RECORD_ELEMENTS:
            raise IntakeError(f"a record of more than {MAX_RECORD_ELEMENTS} elements")
        self._open.append(Element(tag, self.line()))
        self._text.append([])

    def data(self, text: str) -> None:
        if not self._open:
            return
        self._characters += len(text)
        if self._characters > MAX_RECORD_CHARACTERS:
            raise IntakeError(f"a record of more than {MAX_RECORD_CHARACTERS} characters")
        self._text[-1].append(text)

    def end(self, tag: str) -> None:
        self._depth -= 1
        if not self._open:
            return
        element = self._open.pop()
        element.text = " ".join("".join(self._text.pop()).split())
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.done.append(element)

    def close(self) -> None:
        """Nothing is handed back at the end: records were taken as they came."""


def xml_records(
    path: Path, root: str, record_tags: frozenset[str], on_progress: Callable[[int], None] = ignore_progress
) -> Iterator[Element]:
    """Yield the elements named in `record_tags`, whole, in the file's order.

    Raises `IntakeError` if the file is missing, empty, not well-formed XML, has another root, or breaks a bound.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, ParseError

    builder = _Builder(root, record_tags)
    parser: Any = DefusedXMLParser(target=builder, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    builder.line = lambda: int(parser.parser.CurrentLineNumber)
    with opened(path) as file:
        try:
            yield from _fed(parser, builder, iter(lambda: file.read(_CHUNK_BYTES), b""), on_progress)
            parser.close()
            yield from builder.done
        except IntakeError as error:
            raise IntakeError(error.fault, path, builder.line()) from error
        except DefusedXmlException as error:
            raise IntakeError("declares a document type or entities, which is refused", path) from error
        except (ParseError, ValueError, LookupError) as error:
            raise IntakeError(f"not well-formed XML: {error}", path) from error


def _fed(
    parser: Any, builder: _Builder, chunks: Iterator[bytes], on_progress: Callable[[int], None]
) -> Iterator[Element]:
    fed = 0
    for chunk in chunks:
        parser.feed(chunk)
        fed += len(chunk)
        on_progress(len(chunk))
        if fed - parser.parser.CurrentByteIndex > MAX_TOKEN_BYTES:
            raise IntakeError(f"a tag or comment of more than {MAX_TOKEN_BYTES} bytes")
        done, builder.done = builder.done, []
        yield from done
