"""Envelopes out and in, and the signed receipts that prove what became of them."""
