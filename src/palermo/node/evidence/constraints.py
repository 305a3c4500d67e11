"""Constraints that several tables of this room share."""

from collections.abc import Sequence

from django.db import models


def one_of(field: str, values: Sequence[str], name: str) -> models.CheckConstraint:
    """A constraint that a column holds one of these values."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": list(values)}), name=name)
