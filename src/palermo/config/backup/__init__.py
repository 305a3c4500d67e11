"""Back-up and restore of a whole node: a consistent snapshot of its database, then its home's files and keys."""
