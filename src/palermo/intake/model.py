"""The FollowTheMoney model, loaded on first use (it takes two seconds), and drafts of entities that satisfy it."""

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from palermo.intake.errors import RowError
from palermo.intake.prose.places import bare_countries
from palermo.subjects.entities import MAX_LINE_BYTES, NAME_PROPERTIES, Entity, EntityError

_REMEMBERED_VALUES = 16_384  # lists repeat countries, dates, programmes and addresses from row to row
MAX_ENTITY_CHARACTERS = MAX_LINE_BYTES // 5
"""Text of one entity; a character takes at most four bytes, so the written line stays readable for everyone."""


@cache
def schema_of(name: str) -> Any:
    """The model's schema of that name. Raises `RowError` for a name that it doesn't know, or an abstract one."""
    from followthemoney import model

    schema = model.get(name)
    if schema is None:
        raise RowError(f"FollowTheMoney has no schema {name!r}")
    if schema.abstract:
        raise RowError(f"the FollowTheMoney schema {name!r} is abstract: name one that extends it")
    return schema


def property_of(schema_name: str, name: str) -> Any:
    """A schema's property. Raises `RowError` if the schema has none of that name."""
    prop = schema_of(schema_name).get(name)
    if prop is None or prop.stub:
        raise RowError(f"a {schema_name} has no property {name!r}")
    return prop


@lru_cache(maxsize=_REMEMBERED_VALUES)
def cleaned(schema_name: str, name: str, value: str, *, hint: str | None = None) -> str | None:
    """A value in the model's normal form (country code, ISO date, E.164 number …), or None if it is none.

    `hint` is what the model needs to read it: for a telephone number in national form, its country.
    """
    from followthemoney.exc import InvalidData

    prop = property_of(schema_name, name)
    try:
        text = prop.type.clean(value, format=hint or prop.format)
    except InvalidData:
        return None
    return text if text is not None and len(text) <= prop.max_length else None


class Draft:
    """An entity being put together from a list's words.

    A value that the model refuses for its property (a country that no longer exists, a phone number without its
    country) isn't lost: it becomes a note that says which property it was meant for.
    """

    def __init__(self, entity_id: str, schema_name: str) -> None:
        self.schema_name = schema_name
        self._id = entity_id
        self._schema = schema_of(schema_name)
        self._values: dict[str, dict[str, None]] = {}
        self._size = 0

    def has(self, name: str) -> bool:
        """Whether this kind of thing has such a property at all."""
        prop = self._schema.get(name)
        return prop is not None and not prop.stub

    def add(self, name: str, *values: str | None) -> None:
        """Add values to a property; blanks are passed over, repetitions kept once."""
        for value in values:
            if value is None or not value.strip():
                continue
            text = cleaned(self.schema_name, name, value) if self.has(name) else None
            if text is None and name != "notes":
                self.note(f"{name}: {' '.join(value.split())}")
            elif text is not None:
                self._keep(name, text)

    def country(self, name: str, text: str) -> None:
        """Add a country; words around it ("Kuwait (at time of listing)", "possibly Palestinian") become a note."""
        if not text.strip():
            return
        known = next((bare for bare in bare_countries(text) if cleaned(self.schema_name, name, bare)), text)
        self.add(name, known)
        if known != text and known.strip() != text.strip():
            self.note(f"{name}: {' '.join(text.split())}")

    def note(self, *texts: str | None) -> None:
        """Keep words that fit no property."""
        self.add("notes", *texts)

    def each(self, name: str, values: Iterable[str | None]) -> None:
        """`add` for an iterable."""
        self.add(name, *values)

    def _drop_repeated_names(self) -> None:
        """A name stands under the strongest property that lists give it."""
        stronger: set[str] = set()
        for name in NAME_PROPERTIES:
            values = self._values.pop(name, {})
            if kept := {text: None for text in values if text not in stronger}:
                self._values[name] = kept
            stronger |= kept.keys()

    def _keep(self, name: str, text: str) -> None:
        self._size += len(text)
        if self._size > MAX_ENTITY_CHARACTERS:
            raise RowError(f"{self._id} holds more than {MAX_ENTITY_CHARACTERS} characters")
        self._values.setdefault(name, {})[text] = None

    def entity(self) -> Entity:
        """The finished entity, properties in alphabetical order. Raises `RowError` if it has no name or a bad id."""
        if not self._values.get("name"):
            raise RowError(f"{self._id} has no name")
        self._drop_repeated_names()
        entity = Entity(self._id, self.schema_name, {name: tuple(self._values[name]) for name in sorted(self._values)})
        try:
            return Entity.from_json(entity.to_json())
        except EntityError as error:
            raise RowError(error.fault) from error
