"""Evidence: items and their custody, sealed packages out and in, and what each may be used for."""
