"""The United Nations Security Council consolidated list, XML (one INDIVIDUAL or ENTITY a record).

Reference numbers (``QDi.001``) are permanent and become the ids: ``un-QDi.001``.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from palermo.intake.errors import IntakeError, Reject, RowError
from palermo.intake.formats import Format
from palermo.intake.grouping import SeenIds
from palermo.intake.model import Draft
from palermo.intake.prose.dates import partial_dates, year_range
from palermo.intake.prose.enumerations import items
from palermo.intake.prose.names import is_latin, listed_names, names_in_note
from palermo.intake.prose.numbers import document_number
from palermo.intake.records import Element, xml_records
from palermo.intake.rows import MAX_CELL_CHARACTERS, ignore_progress
from palermo.subjects.entities import Entity

_RECORDS = frozenset({"INDIVIDUAL", "ENTITY"})
_REFERENCE = re.compile(r"[A-Z]{2}[a-z]\.\d{1,4}")
_NAME_PARTS = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")


def read(
    paths: Sequence[Path],
    on_reject: Callable[[Reject], None],
    on_progress: Callable[[int], None] = ignore_progress,
) -> Iterator[Entity]:
    """Yield a Person an INDIVIDUAL and an Organization an ENTITY."""
    if not paths:
        raise IntakeError("un-sc wants at least one XML file")
    with closing(SeenIds()) as seen:
        for path in paths:
            for record in xml_records(path, "CONSOLIDATED_LIST", _RECORDS, on_progress):
                try:
                    entity = _entity(record)
                    seen.add(entity.id, record.line)
                except RowError as error:
                    on_reject(Reject.of(path, record.line, error, record.brief()))
                    continue
                yield entity


def _entity(record: Element) -> Entity:
    if record.longest() > MAX_CELL_CHARACTERS:
        raise RowError(f"an element of more than {MAX_CELL_CHARACTERS} characters")
    person = record.tag == "INDIVIDUAL"
    draft = Draft(f"un-{_reference(record)}", "Person" if person else "Organization")
    _add_name(draft, record, person)
    _add_listing(draft, record)
    for address in record.all(f"{record.tag}_ADDRESS"):
        _add_address(draft, address)
    if person:
        _add_life(draft, record)
        for document in record.all("INDIVIDUAL_DOCUMENT"):
            _add_document(draft, document)
    for alias in record.all(f"{record.tag}_ALIAS"):
        _add_alias(draft, alias, person)
    return draft.entity()


def _reference(record: Element) -> str:
    """The reference number, its third letter in lower case (2016 has one ``TAI.017``)."""
    given = record.get("REFERENCE_NUMBER")
    reference = given[:2] + given[2:3].lower() + given[3:]
    if not _REFERENCE.fullmatch(reference):
        raise RowError(f"{given[:40]!r} is no reference number such as QDi.001" if given else "no reference number")
    return reference


def _add_name(draft: Draft, record: Element, person: bool) -> None:
    full = " ".join(part for tag in _NAME_PARTS if (part := record.get(tag)))
    draft.add("name", full)
    for name in [] if person else listed_names(full, person=False):
        draft.add(name.property, name.text)
    draft.each("name", record.texts("NAME_ORIGINAL_SCRIPT"))


def _add_alias(draft: Draft, alias: Element, person: bool) -> None:
    note = alias.get("NOTE")
    weak = alias.get("QUALITY") == "Low"
    former = alias.get("QUALITY") == "f.k.a." or "listed as" in note.lower()
    for name in listed_names(alias.get("ALIAS_NAME"), person=person, weak=weak):
        draft.add("previousName" if former else name.property, name.text)
    if note:
        draft.each("weakAlias" if weak else "alias", names_in_note(note))
        draft.note(f"{alias.get('ALIAS_NAME')}: {note}")
    if person:
        draft.each("birthDate", partial_dates(alias.get("DATE_OF_BIRTH")))


def _add_listing(draft: Draft, record: Element) -> None:
    draft.add("topics", "sanction")
    draft.add("program", record.get("UN_LIST_TYPE"))
    draft.each("createdAt", partial_dates(record.get("LISTED_ON")))
    updates = sorted(day for text in record.values("LAST_DAY_UPDATED") for day in partial_dates(text))
    draft.each("modifiedAt", updates[-1:])
    draft.each("notes", record.texts("COMMENTS1"))


def _add_address(draft: Draft, address: Element) -> None:
    parts = [address.get(tag) for tag in ("STREET", "CITY", "STATE_PROVINCE", "ZIP_CODE", "COUNTRY")]
    draft.add("address", ", ".join(part for part in parts if part))
    draft.country("country", address.get("COUNTRY"))
    if note := address.get("NOTE"):
        draft.note(f"address: {note}")


def _add_life(draft: Draft, record: Element) -> None:
    for birth in record.all("INDIVIDUAL_DATE_OF_BIRTH"):
        phrases = [birth.get("DATE") or birth.get("YEAR")]
        draft.each("birthDate", (day for phrase in phrases for day in partial_dates(phrase)))
        draft.each("birthDate", year_range(birth.get("FROM_YEAR"), birth.get("TO_YEAR")))
        if note := birth.get("NOTE"):
            draft.note(f"born: {note}")
    for place in record.all("INDIVIDUAL_PLACE_OF_BIRTH"):
        parts = [place.get(tag) for tag in ("STREET", "CITY", "STATE_PROVINCE", "COUNTRY")]
        draft.add("birthPlace", ", ".join(part for part in parts if part))
        draft.country("birthCountry", place.get("COUNTRY"))
    for text in (*record.values("NATIONALITY"), *record.texts("NATIONALITY2")):
        for item in items(text):
            draft.country("nationality", item)
    draft.each("gender", (text for text in record.texts("GENDER") if text.lower() in ("male", "female")))
    draft.each("title", (item for text in record.values("TITLE") for item in items(text)))
    draft.each("position", (item for text in record.values("DESIGNATION") for item in items(text)))


def _add_document(draft: Draft, document: Element) -> None:
    """A number stands in NUMBER, or within the words of the second type or the note."""
    kind = document.get("TYPE_OF_DOCUMENT")
    words = [document.get(tag) for tag in ("NUMBER", "TYPE_OF_DOCUMENT2", "NOTE")]
    if not kind and not words[0]:
        return
    number = next((found for text in words if text and (found := document_number(text))), None)
    passport = "pass" in kind.lower() or "pasa" in kind.lower()
    draft.add("passportNumber" if passport else "idNumber", number)
    described = ", ".join(word for word in (kind, *words) if word and is_latin(word[:1]))
    draft.note(described)


FORMAT = Format(
    code="un-sc",
    title="UN Security Council consolidated list, XML",
    source="https://main.un.org/securitycouncil/en/content/un-sc-consolidated-list",
    files="one or more XML files",
    read=read,
)
