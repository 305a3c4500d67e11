"""Rows that the evidence app hands out: frozen, plain, safe to pass to a page."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from palermo.node.evidence.marks import HandlingCode, InformationGrade, Origin, SourceGrade, Tlp
from palermo.node.evidence.states import Direction, NoticeState, PackageState, QuestionState, RecallState
from palermo.node.evidence.uses import Use


@dataclass(frozen=True, slots=True)
class CustodyRow:
    """One step of an item's custody: who did what, when and where, and the SHA-256 seen then.

    ``recorded_by`` of ``authority`` signed it; ``digest`` is that of the signed step, "" where nobody signed.
    """

    verb: str
    by: str
    at: datetime
    where: str
    detail: str
    sha256: str
    recorded_by: str
    authority: str
    recorded_at: datetime | None
    digest: str
    package: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item of evidence with its marks. ``package`` is the package that brought it ("" for our own).

    ``provider``: who gave it, ``given_for`` what for, ``article`` the provision that binds it ("" for our own).
    ``recall``: the recall that stopped its use; ``hold``: the ground on which it is kept all the same.
    """

    reference: str
    case: str
    what: str
    collected_by: str
    how: str
    collected_at: datetime
    where: str
    name: str
    media_type: str
    size: int
    sha256: str
    sha512: str
    origin: Origin
    tlp: Tlp
    handling_code: HandlingCode
    source_grade: SourceGrade
    information_grade: InformationGrade
    use_limit: str
    package: str
    added_at: datetime
    provider: str
    given_for: str
    article: str
    copy_of: str
    recall: str
    hold: str
    retention_date: date | None
    retention_rule: str
    destroyed_at: datetime | None
    custody: tuple[CustodyRow, ...]


@dataclass(frozen=True, slots=True)
class CitationRow:
    """An item as one request, or one answer, to one authority would cite it: named and described, not enclosed.

    ``provider``: who gave it, "" for our own. ``consent``: the question, or the letter, by which its provider consented
    to exactly this ("" where none is needed, or none is here), ``conditions`` on which. ``problem``: why it may not be
    cited now, in a sentence that says what to do next; "" where it may. ``gone``: recalled or destroyed, so that no
    consent helps. ``pk``: the item's, to keep what was chosen.
    """

    pk: int
    reference: str
    what: str
    sha256: str
    origin: Origin
    provider: str
    consent: str = ""
    conditions: str = ""
    problem: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class PackageFile:
    """Where a package of ours lies, its case, and what its file was when it was sealed (``size`` in bytes)."""

    reference: str
    case: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PackageRow:
    """A sealed package. ``direction`` is "out" (we made it) or "in" (a partner did, and it verified on arrival).

    ``waits_for``: in words, while it is not sealed yet, at most until ``wait_until``. ``lacking``: names of the checks
    that it cannot show.
    """

    reference: str
    direction: str
    case: str
    partner: str
    request_reference: str
    file_name: str
    size: int
    sha256: str
    manifest_digest: str
    use_limit: str
    ledger_index: int
    made_at: datetime
    state: PackageState
    waits_for: tuple[str, ...]
    wait_until: datetime | None
    lacking: str
    items: tuple[ItemRow, ...]


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A provider's consent to one use of an item. ``question``: by which it was asked ("" for one by letter)."""

    pk: int
    item: str
    use: Use
    recipient: str
    target: str
    given_by: str
    statement: str
    conditions: str
    question: str
    document: str
    reason: str
    recorded_by: str
    recorded_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_because: str


@dataclass(frozen=True, slots=True)
class UseRow:
    """One use of an item: free, or open by the consents in force now, each for its own target."""

    use: Use
    free: bool
    consents: tuple[ConsentRow, ...]


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question for consent and where it stands. ``digest``: SHA-256 of the answer's bytes that were proposed.

    ``item`` is ours: the one we hold (out), or the one we gave (in).
    """

    reference: str
    direction: Direction
    partner: str
    item: str
    case: str
    what: str
    package: str
    use: Use
    recipient: str
    target: str
    intended: str
    legal_basis: str
    reasons: str
    asked_by: str
    asked_at: datetime
    due_at: datetime
    state: QuestionState
    outcome: str
    conditions: str
    answer_reasons: str
    until: datetime | None
    decided_by: str
    decided_at: datetime | None
    digest: str


@dataclass(frozen=True, slots=True)
class ConsultationRow:
    """One step of a consultation. ``ours``: whether we wrote it; ``kind``: asked, said or ended."""

    ours: bool
    kind: str
    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice of exculpatory disclosure. ``item`` is ours: the one we hold (out), or the one we gave (in)."""

    reference: str
    direction: Direction
    partner: str
    item: str
    case: str
    what: str
    article: str
    why: str
    proceedings: str
    exceptional: str
    letter: str
    given_by: str
    given_at: datetime
    planned_at: datetime
    disclosed_by: str
    disclosed_at: datetime | None
    state: NoticeState
    consultation: tuple[ConsultationRow, ...]


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A deletion statement. ``authority``: who signed it. ``witnesses``: who cosigned the log over it, once proven."""

    reference: str
    authority: str
    recall: str
    cause: str
    rule: str
    items: tuple[tuple[str, str, int], ...]
    deleted_by: str
    deleted_at: datetime
    passed_on: tuple[str, ...]
    digest: str
    ledger_index: int
    witnesses: tuple[str, ...]
    proven_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecallRow:
    """A recall and what became of it. ``item`` is ours: the one we gave (out), or the one we hold (in).

    ``parent``: the recall that this one passes on. ``closed``: whether the item's bytes were ordered destroyed here.
    """

    reference: str
    direction: Direction
    partner: str
    item: str
    case: str
    what: str
    package: str
    sha256: str
    reason: str
    recalled_by: str
    recalled_at: datetime
    due_at: datetime
    state: RecallState
    ground: str
    provision: str
    reasons: str
    answered_by: str
    answered_at: datetime | None
    parent: str
    closed: bool
    passed_on: tuple[tuple[str, str, RecallState], ...]
    statements: tuple[StatementRow, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """A stored file that no longer says what it said: its path, and what does not fit."""

    what: str
    where: str
    detail: str
