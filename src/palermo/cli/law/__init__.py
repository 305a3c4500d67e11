"""``palermo law``: what the treaties say between two States, without node or network."""
