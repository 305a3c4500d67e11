"""Files from outside, read strictly into entities: formats, one file each, and the run that writes the result.

from palermo.intake import format_of
for entity in format_of("un-sc").read([Path("consolidated.xml")], print): ...
"""

from palermo.intake.errors import IntakeError, Reject, RowError
from palermo.intake.formats import Format, format_of, formats
from palermo.intake.run import Summary, intake

__all__ = ["Format", "IntakeError", "Reject", "RowError", "Summary", "format_of", "formats", "intake"]
