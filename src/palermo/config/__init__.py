"""Settings, URLs and the wiring of what must react to a later room's event."""
