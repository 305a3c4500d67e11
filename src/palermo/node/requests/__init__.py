"""Requests: what one authority asks of another, and the answer, each under a treaty's rules."""
