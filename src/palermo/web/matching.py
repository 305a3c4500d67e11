"""Pages of blind match: epochs and manifests, runs of a case, hits and a person's judgement on each."""

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.holdings import queries as holdings
from palermo.node.holdings.states import HoldingState
from palermo.node.matching import actions, bases, queries
from palermo.node.matching.rows import ManifestRow
from palermo.node.matching.states import EpochState, RunState, Verdict
from palermo.node.office import policy
from palermo.node.office.queries import officer_names
from palermo.web.access import Request
from palermo.web.csv_export import download
from palermo.web.forms.matching import JudgementForm, RunForm
from palermo.web.forms.rendering import attempt
from palermo.web.paging import Slice, asked_page, slice_of

RUN_ENDED = frozenset({RunState.DONE, RunState.FAILED})


@require_http_methods(["GET", "POST"])
def overview(request: Request) -> HttpResponse:
    """Our epochs and the partners' manifests; a POST opens an epoch."""
    now = timezone.now()
    if request.method == "POST":
        actions.open_epoch(request.user, now=now)
        messages.success(request, _("The epoch is being published. Partners get their manifests when it is done."))
        return redirect("matching")
    epochs = queries.epochs(request.user)
    may_read_messages = policy.allows(request.user, "message.read")
    publishing = any(epoch.state is EpochState.PUBLISHING for epoch in epochs)
    is_open = any(epoch.state is EpochState.OPEN for epoch in epochs)
    context = {
        "epochs": epochs[:10],
        "manifests": slice_of(request, queries.manifests(request.user, now=now)),
        "held_runs": queries.held_runs(request.user)[:20] if may_read_messages else [],
        "names": directory.names(),
        "may_open": policy.allows(request.user, "epoch.open"),
        "publishing": publishing,
        "state": "publishing" if publishing else "open" if is_open else "none",
    }
    return render(request, "palermo/matching/overview.html", context)


@require_http_methods(["GET", "POST"])
def new_run(request: Request, reference: str) -> HttpResponse:
    """Start a run of a case."""
    now = timezone.now()
    case = cases.case(request.user, reference)
    manifests = queries.live_manifests(request.user, reference, now=now)
    known = bases.recognise(case.legal_basis)
    form = RunForm(
        request.POST or None,
        partners=_partners([manifest.partner for manifest in manifests]),
        inputs=_inputs(request, case.subjects),
        tiers=_tiers(manifests),
        bases=[(basis.name, basis.name) for basis in bases.offered()],
        initial={"legal_basis": known.name if known else "", "inputs": "subjects"},
    )
    if request.method == "POST":
        run = attempt(form, lambda: actions.start_run(request.user, case=reference, **form.cleaned_data, now=now))
        if run is not None:
            return redirect("run", run.run_id)
    context = {"case": case, "form": form, "manifests": manifests, "state": case.state.value}
    return render(request, "palermo/matching/new_run.html", context, status=422 if form.errors else 200)


def _partners(codes: list[str]) -> list[tuple[str, str]]:
    names = directory.names()
    return [(code, f"{names.get(code, code)} ({code})") for code in sorted(set(codes))]


def _tiers(manifests: list[ManifestRow]) -> list[tuple[str, str]]:
    """The tiers to choose from, where a partner offers more than one."""
    if len({manifest.partner for manifest in manifests}) == len(manifests):
        return []
    return [(manifest.tier, f"{manifest.partner}: {manifest.tier}") for manifest in manifests]


def _inputs(request: Request, subjects: int) -> list[tuple[str, str]]:
    """The subjects of the case, or one of our holdings."""
    choices = [("subjects", _("The subjects of this case (%(count)d)") % {"count": subjects})]
    if policy.allows(request.user, holdings.READ):
        kept = [row for row in holdings.holdings(request.user) if row.state is HoldingState.KEPT]
        choices += [
            (row.code, _("Our holding %(name)s (%(count)d entries)") % {"name": row.name, "count": row.entities})
            for row in kept
        ]
    return choices


@require_safe
def run(request: Request, run_id: str) -> HttpResponse:
    """One run: where it stands, and its hits."""
    row = queries.run(request.user, run_id)
    wanted = request.GET.get("verdict", "all")
    verdict = Verdict("" if wanted == "waiting" else wanted) if wanted in _VERDICTS else None
    found = queries.hits(request.user, run_id, page=asked_page(request), verdict=verdict)
    context = {
        "run": row,
        "hits": Slice(found.hits, found.page, found.pages, found.page < found.pages),
        "total": found.total,
        "wanted": wanted if verdict is not None else "all",
        "partner_name": directory.names().get(row.partner, row.partner),
        "names": officer_names([row.officer]),
        "under_way": row.state not in RUN_ENDED,
        "state": row.state.value,
    }
    return render(request, "palermo/matching/run.html", context)


_VERDICTS = frozenset({"waiting", "same", "different", "unsure"})


@require_safe
def hits_csv(request: Request, run_id: str) -> StreamingHttpResponse:
    """All hits of a run as CSV."""
    lines = queries.compare_report(request.user, run_id)
    head = (_("ours"), _("theirs"), _("selectors"), _("judgement"))
    rows = (
        (
            line.our_id,
            line.their_id,
            "; ".join(f"{kind.kind}={kind.value}" for kind in line.selectors),
            line.verdict.value,
        )
        for line in lines
    )
    return download(f"hits-{run_id}.csv", head, rows)


@require_http_methods(["GET", "POST"])
def hit(request: Request, hit_id: str) -> HttpResponse:
    """One hit: what both hold, and the judgement form."""
    row = queries.hit(request.user, hit_id)
    form = JudgementForm(request.POST or None)
    if request.method == "POST":
        judged = attempt(form, lambda: actions.judge(request.user, hit_id, **form.cleaned_data, now=timezone.now()))
        if judged is not None:
            messages.success(request, _("Your judgement is kept."))
            return redirect("hit", hit_id)
    history = queries.judgements(request.user, hit_id)
    context = {
        "hit": row,
        "form": form,
        "history": history,
        "names": officer_names([judgement.officer for judgement in history]),
        "partner_name": directory.names().get(row.partner, row.partner),
        "may_judge": policy.allows(request.user, "hit.judge", cases.members(row.case)),
        "state": row.verdict.value or "waiting",
    }
    return render(request, "palermo/matching/hit.html", context, status=422 if form.errors else 200)
