"""Names of the built style and script, from the manifest that Vite writes."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MANIFEST = Path(__file__).parent / "static" / "dist" / "manifest.json"
ENTRY = "src/app.ts"


class AssetsMissingError(Exception):
    """The style and script were not built yet; the message says how to build them."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Paths below the static URL: one script, its styles."""

    script: str
    styles: tuple[str, ...]


@cache
def built() -> Assets:
    """What the last build made. Read once a process: a new build needs a new process."""
    try:
        entry = json.loads(MANIFEST.read_text("utf-8"))[ENTRY]
    except FileNotFoundError:
        raise AssetsMissingError("The web assets are not built. Run: make setup") from None
    return Assets(f"dist/{entry['file']}", tuple(f"dist/{style}" for style in entry.get("css", ())))
