"""The OFAC list of Specially Designated Nationals: three CSV files without a header, joined by ``ent_num`` (the uid).

Columns are those of OFAC's data specification (``dat_spec.txt``): SDN has 12, ALT (aliases) 5, ADD (addresses) 6;
``-0-`` is null. The files are told apart by their shape, so they may come in any order and under any name; ALT and ADD
may be absent. The id of an entity is ``ofac-`` and its uid; a wallet's adds currency and address.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from palermo.intake.errors import IntakeError, Reject, RowError
from palermo.intake.formats import Format
from palermo.intake.formats.ofac_sdn.remarks import Wallet, add_remarks
from palermo.intake.grouping import RowGroups, SeenIds
from palermo.intake.model import Draft
from palermo.intake.prose.names import natural_order
from palermo.intake.rows import csv_rows, ignore_progress
from palermo.subjects.entities import Entity

_KIND_BY_COLUMNS = {12: "sdn", 5: "alt", 6: "add"}
_SCHEMAS = {"individual": "Person", "vessel": "Vessel", "aircraft": "Airplane", "": "Organization"}
_ALIAS_TYPES = {"aka": "alias", "nka": "alias", "fka": "previousName"}


def read(
    paths: Sequence[Path],
    on_reject: Callable[[Reject], None],
    on_progress: Callable[[int], None] = ignore_progress,
) -> Iterator[Entity]:
    """Yield the entities of SDN in its order, each followed by its wallets."""
    files = _recognised(paths)
    with ExitStack() as stack:
        aliases, addresses = (stack.enter_context(closing(RowGroups())) for _ in range(2))
        seen = stack.enter_context(closing(SeenIds()))
        for kind, groups in (("alt", aliases), ("add", addresses)):
            if kind in files:
                _collect(files[kind], kind, groups, on_reject, on_progress)
        for line, row in _rows(files["sdn"], "sdn", on_reject, on_progress):
            try:
                entities = _entities(row, aliases.take(row[0]), addresses.take(row[0]))
                seen.add(entities[0].id, line)
            except RowError as error:
                on_reject(Reject.of(files["sdn"], line, error, ",".join(row)))
                continue
            yield from entities
        for kind, groups in (("alt", aliases), ("add", addresses)):
            for line, row in groups.left():
                orphan = RowError(f"no entry of the SDN file has the uid {row[0]!r}")
                on_reject(Reject.of(files[kind], line, orphan, ",".join(row)))


def _recognised(paths: Sequence[Path]) -> dict[str, Path]:
    """Which file is which, by the number of columns of its first readable row with a uid."""
    files: dict[str, Path] = {}
    for path in paths:
        kind = next((kind for _, row in csv_rows(path, lambda _: None) if (kind := _kind_of(row))), None)
        if kind is None:
            raise IntakeError("none of OFAC's files: no row has a uid and 12, 5 or 6 columns", path)
        if kind in files:
            raise IntakeError(f"both this file and {files[kind]} have the shape of {kind}.csv", path)
        files[kind] = path
    if "sdn" not in files:
        raise IntakeError("ofac-sdn wants the SDN file (12 columns), with ALT and ADD beside it if there are any")
    return files


def _kind_of(row: list[str]) -> str | None:
    return _KIND_BY_COLUMNS.get(len(row)) if row[0].isascii() and row[0].isdigit() else None


def _rows(
    path: Path, kind: str, on_reject: Callable[[Reject], None], on_progress: Callable[[int], None]
) -> Iterator[tuple[int, list[str]]]:
    """Rows of the right shape, stripped, with ``-0-`` made empty."""
    for line, row in csv_rows(path, on_reject, on_progress):
        if _kind_of(row) != kind:
            error = RowError(f"not a row of {kind}.csv: {len(row)} columns, uid {row[0][:20]!r}")
            on_reject(Reject.of(path, line, error, ",".join(row)))
            continue
        fields = [field.strip() for field in row]
        yield line, ["" if field == "-0-" else field for field in fields]


def _collect(
    path: Path,
    kind: str,
    groups: RowGroups,
    on_reject: Callable[[Reject], None],
    on_progress: Callable[[int], None],
) -> None:
    for line, row in _rows(path, kind, on_reject, on_progress):
        groups.add(row[0], line, row)


def _entities(row: list[str], aliases: list[list[str]], addresses: list[list[str]]) -> list[Entity]:
    """The entry itself, then its wallets."""
    uid, name, kind, programs, title, call_sign, vessel_type, tonnage, grt, flag, owner, remarks = row
    if kind not in _SCHEMAS:
        raise RowError(f"unknown type of entry {kind[:40]!r}: individual, vessel, aircraft or -0- expected")
    draft = Draft(f"ofac-{int(uid)}", _SCHEMAS[kind])
    _add_name(draft, "name", name)
    for _, _, alias_type, alias, alias_remarks in aliases:
        _add_name(draft, _ALIAS_TYPES.get(alias_type.lower(), "alias"), alias)
        draft.note(alias_remarks)
    for _, _, street, city, country, address_remarks in addresses:
        draft.add("address", ", ".join(part for part in (street, city, country) if part))
        draft.country("country", country)
        draft.note(address_remarks)
    draft.add("topics", "sanction")
    draft.each("program", programs.replace("[", "").split("] "))
    if title:
        draft.add("position", title)
    if kind == "vessel":
        _add_vessel(draft, call_sign, vessel_type, tonnage, grt, flag, owner)
    wallets = add_remarks(draft, remarks)
    return [draft.entity(), *(_wallet(int(uid), wallet) for wallet in wallets)]


def _add_name(draft: Draft, name: str, text: str) -> None:
    """Individuals are listed "FAMILY, Given"; both parts are also kept by themselves."""
    if draft.schema_name != "Person":
        draft.add(name, text)
        return
    draft.add(name, natural_order(text))
    if name == "name" and "," in text:
        family, given = text.split(",", 1)
        draft.add("lastName", family)
        draft.add("firstName", given)


def _add_vessel(draft: Draft, call_sign: str, vessel_type: str, tonnage: str, grt: str, flag: str, owner: str) -> None:
    draft.add("callSign", call_sign)
    draft.add("type", vessel_type)
    draft.add("deadweightTonnage", tonnage.replace(",", ""))
    draft.add("grossRegisteredTonnage", grt.replace(",", ""))
    draft.country("flag", flag)
    if owner:
        draft.note(f"owner: {owner}")


def _wallet(uid: int, wallet: Wallet) -> Entity:
    draft = Draft(f"ofac-{uid}-{wallet.currency}-{wallet.address}", "CryptoWallet")
    draft.add("name", f"{wallet.currency} {wallet.address}")
    draft.add("cryptoAddress", wallet.address)
    draft.add("currencySymbol", wallet.currency)
    draft.add("holder", f"ofac-{uid}")
    draft.add("topics", "sanction")
    return draft.entity()


FORMAT = Format(
    code="ofac-sdn",
    title="OFAC Specially Designated Nationals, CSV",
    source="https://ofac.treasury.gov/specially-designated-nationals-list-data-formats-data-schemas",
    files="sdn.csv, and alt.csv and add.csv of the same day",
    read=read,
)
