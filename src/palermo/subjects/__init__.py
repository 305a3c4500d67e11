"""What identifies a person, a company, an account, a phone: entities, names and selectors.

The lowest floor: nothing here reads a file but its own arguments, and nothing imports another room. Importing this
package is quick; what is heavy (ICU, phone number tables) is loaded by the first call that needs it.
"""

from palermo.subjects.entities import Entity, EntityError, SubjectsError, read_entities, write_entities

__all__ = ["Entity", "EntityError", "SubjectsError", "read_entities", "write_entities"]
