"""The ``palermo`` command. Holds no rule: each command calls the room that does the work."""
