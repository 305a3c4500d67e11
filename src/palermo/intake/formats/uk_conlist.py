"""The consolidated list of financial sanctions targets of the UK's OFSI, CSV.

A line with the date of the list, a line of column names, then one row for every combination of name, address and
birth date of a target, sorted by name: the rows of one ``Group ID``, wherever they stand, make one entity, ``uk-6965``.
Columns are found by name, so that lists before and after the change of 2022 both read.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from palermo.intake.errors import IntakeError, Reject, RowError
from palermo.intake.formats import Format
from palermo.intake.grouping import RowGroups
from palermo.intake.model import Draft
from palermo.intake.prose.dates import partial_dates
from palermo.intake.prose.enumerations import items
from palermo.intake.prose.names import listed_names, referred_names
from palermo.intake.prose.numbers import document_number, email_addresses, imo_numbers, telephone_numbers
from palermo.intake.rows import csv_rows, ignore_progress
from palermo.subjects.entities import Entity

_REQUIRED = ("Name 6", "Name 1", "Group Type", "Alias Type", "Group ID")
_GIVEN_NAMES = tuple(f"Name {number}" for number in range(1, 6))
_ADDRESS = (*(f"Address {number}" for number in range(1, 7)), "Post/Zip Code", "Country")
_SCHEMAS = {"individual": "Person", "entity": "Organization", "ship": "Vessel"}
_HEADER_WITHIN_ROWS = 5
_SHIP = re.compile(r"\s*\(?(?:UN and EU listing\.\s*)?IMO\b")
MAX_GROUP_ROWS = 20_000

Row = dict[str, str]


def read(
    paths: Sequence[Path],
    on_reject: Callable[[Reject], None],
    on_progress: Callable[[int], None] = ignore_progress,
) -> Iterator[Entity]:
    """Yield one entity a Group ID, in the order in which the ids first appear."""
    if len(paths) != 1:
        raise IntakeError("uk-conlist wants exactly one CSV file")
    (path,) = paths
    rows = csv_rows(path, on_reject, on_progress, legacy=True)
    header = _header(path, rows)
    with closing(RowGroups()) as groups:
        for line, row in rows:
            try:
                groups.add(_group_id(header, row), line, row)
            except RowError as error:
                on_reject(Reject.of(path, line, error, ",".join(row)))
        for line, members in groups.groups():
            try:
                entity = _entity([dict(zip(header, row, strict=True)) for row in members])
            except RowError as error:
                on_reject(Reject.of(path, line, error, "\n".join(",".join(row) for row in members)))
                continue
            yield entity


def _header(path: Path, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    for _, row in islice(rows, _HEADER_WITHIN_ROWS):
        names = [name.strip() for name in row]
        if all(name in names for name in _REQUIRED):
            return names
    raise IntakeError(f"no OFSI list: its first rows don't name the columns {', '.join(_REQUIRED)}", path)


def _group_id(header: list[str], row: list[str]) -> str:
    if len(row) != len(header):
        raise RowError(f"{len(row)} columns where the header names {len(header)}")
    group_id = row[header.index("Group ID")].strip()
    if not (group_id.isascii() and group_id.isdigit()):
        raise RowError(f"{group_id[:40]!r} is no Group ID" if group_id else "no Group ID")
    return group_id


def _entity(rows: list[Row]) -> Entity:
    if len(rows) > MAX_GROUP_ROWS:
        raise RowError(f"more than {MAX_GROUP_ROWS} rows with the Group ID {rows[0]['Group ID'].strip()}")
    # What goes with the prime name comes first, whichever row the alphabet put first.
    rows = sorted(rows, key=lambda row: row["Alias Type"].strip() != "Prime Alias")
    draft = Draft(f"uk-{rows[0]['Group ID'].strip()}", _schema(rows))
    for row in rows:
        _add_names(draft, row)
    for row in _distinct(rows, _ADDRESS):
        draft.add("address", ", ".join(part for name in _ADDRESS if (part := row.get(name, "").strip(" ,"))))
        for item in items(row.get("Country", "")):
            draft.country("country", item)
    _add_listing(draft, rows)
    if draft.schema_name == "Person":
        _add_life(draft, rows)
    return draft.entity()


def _schema(rows: list[Row]) -> str:
    kind = rows[0]["Group Type"].strip()
    if kind.lower() not in _SCHEMAS:
        raise RowError(f"unknown Group Type {kind[:40]!r}: Individual, Entity or Ship expected")
    # Until 2022 the list had no type for ships: their remarks start with the IMO number.
    if kind.lower() == "entity" and any(_SHIP.match(row.get("Other Information", "")) for row in rows):
        return "Vessel"
    return _SCHEMAS[kind.lower()]


def _add_names(draft: Draft, row: Row) -> None:
    """Name 6 is the family name, or the whole name of an entity; Name 1 to 5 are given names in their order."""
    person = draft.schema_name == "Person"
    family = row["Name 6"].strip()
    full = " ".join([*(row.get(name, "").strip() for name in _GIVEN_NAMES), family]).strip()
    prime = row["Alias Type"].strip() == "Prime Alias" or row["Alias Type"].strip().lower() == "primary name"
    former = row["Alias Type"].strip() in ("FKA", "Primary name variation (FKA)")
    weak = row.get("Alias Quality", "").strip().lower() == "low"
    for number, name in enumerate(listed_names(full, person=person, weak=weak)):
        property_name = "previousName" if former else "name" if prime and number == 0 else name.property
        draft.add(property_name, name.text)
    if prime and person:
        draft.add("lastName", family)
        draft.add("firstName", row["Name 1"])
    draft.add("alias", row.get("Name Non-Latin Script"))


def _add_listing(draft: Draft, rows: list[Row]) -> None:
    draft.add("topics", "sanction")
    for row in rows:
        draft.add("program", row.get("Regime"))
        draft.each("createdAt", partial_dates(row.get("Listed On", "")))
    updates = sorted(day for row in rows for day in partial_dates(row.get("Last Updated", "")))
    draft.each("modifiedAt", updates[-1:])
    for row in _distinct(rows, ("Other Information",)):
        _add_remarks(draft, row.get("Other Information", ""))


def _add_remarks(draft: Draft, remarks: str) -> None:
    draft.note(remarks)
    draft.each("weakAlias", referred_names(remarks, person=draft.schema_name == "Person"))
    if draft.has("email"):
        draft.each("email", email_addresses(remarks))
        draft.each("phone", telephone_numbers(remarks))
    if draft.has("imoNumber"):
        draft.each("imoNumber", imo_numbers(remarks))
    if draft.has("mmsi"):
        draft.each("mmsi", re.findall(r"\bMMSI:?\s*(\d{9})\b", remarks))


def _add_life(draft: Draft, rows: list[Row]) -> None:
    for row in rows:
        draft.each("title", items(row.get("Title", "")))
        draft.each("birthDate", partial_dates(row.get("DOB", "")))
        draft.each("birthPlace", items(row.get("Town of Birth", "")))
        for item in items(row.get("Country of Birth", "")):
            draft.country("birthCountry", item)
        for item in items(row.get("Nationality", "")):
            draft.country("nationality", item)
        draft.each("position", items(row.get("Position", "")))
    for row in _distinct(rows, ("Passport Details", "Passport Number")):
        _add_documents(draft, "passportNumber", [row.get("Passport Number", ""), row.get("Passport Details", "")])
    for row in _distinct(rows, ("NI Number", "National Identification Number", "National Identification Details")):
        names = ("NI Number", "National Identification Number", "National Identification Details")
        _add_documents(draft, "idNumber", [row.get(name, "") for name in names])


def _add_documents(draft: Draft, property_name: str, cells: list[str]) -> None:
    for item in (item for cell in cells for item in items(cell)):
        draft.add(property_name, document_number(item))
        draft.note(f"{property_name}: {item}")


def _distinct(rows: list[Row], columns: tuple[str, ...]) -> list[Row]:
    """Rows that differ in these columns, the first of each: most rows only repeat."""
    return list({tuple(row.get(name, "") for name in columns): row for row in reversed(rows)}.values())[::-1]


FORMAT = Format(
    code="uk-conlist",
    title="UK OFSI consolidated list of financial sanctions targets, CSV",
    source="https://www.gov.uk/government/publications/financial-sanctions-consolidated-list-of-targets",
    files="one CSV file",
    read=read,
)
