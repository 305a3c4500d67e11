"""The answer of ``palermo node why``, as text and as JSON."""

import json
from dataclasses import asdict
from datetime import datetime

from palermo.node.exchange.queries import Explanation
from palermo.sealing.records import format_time


def as_text(found: Explanation) -> str:
    """The answer for a person at a terminal."""
    way = {"out": f"to {found.partner}", "in": f"from {found.partner}", "refused": f"to {found.partner or 'nobody'}"}
    lines = [f"Message {found.message_id} {way[found.direction]}: {found.stage}", found.summary, ""]
    for event in found.events:
        lines.append(f"{format_time(event.at)}  {event.what:<20}  by {event.by}")
        if event.reason:
            lines.append(f"    {event.reason}")
    if found.attempts:
        lines.append(f"Attempts: {found.attempts}")
    if found.last_error:
        lines.append(f"Last error: {found.last_error}")
    if found.next:
        lines.append(f"Next: {found.next}" + (f" ({format_time(found.next_at)})" if found.next_at else ""))
    if found.limit_at:
        lines.append(f"Time limit of this step: {format_time(found.limit_at)}")
    if found.advice:
        lines += ["What you can do:", *(f"- {sentence}" for sentence in found.advice)]
    return "\n".join(lines)


def as_json(found: Explanation) -> str:
    """The answer for a machine; times in UTC."""
    return json.dumps({"found": True, **asdict(found)}, default=_written, indent=2, ensure_ascii=False)


def unknown_as_json(message_id: str, sentence: str) -> str:
    """The answer on an id that the node never saw."""
    return json.dumps({"found": False, "message_id": message_id, "summary": sentence}, indent=2, ensure_ascii=False)


def _written(value: object) -> str:
    return format_time(value) if isinstance(value, datetime) else str(value)
