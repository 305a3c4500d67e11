"""Writes of blind match: epochs and manifests, runs of ours, runs of partners, and judgements."""

from palermo.node.matching.actions.epochs import close_due_epochs, open_epoch
from palermo.node.matching.actions.hits import judge
from palermo.node.matching.actions.runs import release_reviewed, settle, start_run

__all__ = ["close_due_epochs", "judge", "open_epoch", "release_reviewed", "settle", "start_run"]
