"""Blind match: two authorities find what both hold, and disclose nothing else.

RFC 9497 VOPRF (ristretto255-SHA512), binary fuse filters, two-sided confirmation. The steps of a run, by name:

=====  =========  ==========================================  ==============================================
step   who        call                                        what crosses
=====  =========  ==========================================  ==============================================
0      holder     :func:`publish`                             manifest (signed), filters (sealed to the tier)
1      querier    :meth:`Querier.start`                       request: commitment root, blinded elements
2      holder     :func:`evaluate`                            evaluation: evaluated elements, proofs
3, 4   querier    :meth:`Querier.finalize`                    confirm: locators and MACs of filter positives
5      holder     :func:`confirm`                             answer: a MAC, or none, for each locator
6      querier    :meth:`Querier.conclude`                    nothing: hits exist where both MACs verify
=====  =========  ==========================================  ==============================================

Time and randomness are arguments; nothing here opens a connection, signs or encrypts: the node does. Why it is
built so, and what still leaks: ``docs/explanation/blind-match.md``.
"""

from palermo.blind.errors import (
    AnswerError,
    BlindError,
    FilterError,
    GroupError,
    InputError,
    MalformedError,
    ManifestError,
    MismatchError,
    ProofError,
    RunStateError,
)
from palermo.blind.holder import Confirmation, HolderRun, Matched, RunSummary, confirm, evaluate
from palermo.blind.items import Item
from palermo.blind.keys import new_seed
from palermo.blind.manifest import Manifest
from palermo.blind.publication import Publication, publish
from palermo.blind.querier import Hit, Querier

__all__ = [
    "AnswerError",
    "BlindError",
    "Confirmation",
    "FilterError",
    "GroupError",
    "Hit",
    "HolderRun",
    "InputError",
    "Item",
    "MalformedError",
    "Manifest",
    "ManifestError",
    "Matched",
    "MismatchError",
    "ProofError",
    "Publication",
    "Querier",
    "RunStateError",
    "RunSummary",
    "confirm",
    "evaluate",
    "new_seed",
    "publish",
]
