"""Law: what the treaties demand, as facts in TOML and pure rules in Python. No I/O but its own facts."""
