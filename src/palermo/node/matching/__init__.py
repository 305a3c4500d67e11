"""Blind match runs of a case, the hits they find, and a person's judgement on each."""
