"""The whole road, step by step, as its officers walk it. Each step says what each party learned, and is verified.

Every press of a button goes through :meth:`Person.ensure`: it looks for the effect first, so that the road can go on
after a node was killed at any moment, with nothing lost and nothing doubled.
"""

import csv
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from palermo.cli.demo import story
from palermo.cli.demo.invention import World
from palermo.cli.demo.nodes import DemoError, Network, run_palermo
from palermo.cli.demo.person import Element, Person
from palermo.cli.demo.staff import ADMINISTRATOR, Staff

T = TypeVar("T")
Counts = dict[str, int]
JUDGED_AT_MOST = 12
ASKER, HOLDER = story.VICTIMS.code, story.MULES.code


@dataclass
class Outcome:
    """How a step came out. ``learned``: for each authority code, what it knows now that it did not know before."""

    counts: Counts
    learned: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the road: its name in reports, what a person calls it, and how it is walked."""

    name: str
    title: str
    walk: Callable[[], Outcome]


@dataclass
class Walked:
    """A step that was walked."""

    step: Step
    ok: bool
    seconds: float
    outcome: Outcome
    failure: str = ""


class Road:
    """The story over a running network."""

    def __init__(self, network: Network, world: World, folder: Path) -> None:
        self.network = network
        self.world = world
        self.folder = folder
        self.staff = Staff()
        self.case = self.run = self.hit = ""
        self.account = ""
        self.asked = self.confirmed = ""
        # Both hold this account, but the holder watches it in secret: the match must not show it.
        self.covert = next(pair for pair in reversed(world.same[ASKER, HOLDER]) if "account" in pair[0])
        self.package: Path = folder / "evidence.palermo.zip"

    def steps(self) -> list[Step]:
        """All steps in order."""
        return [
            Step("people", "Officers join with password and second factor", self.people),
            Step("holdings", "Each authority loads what it knows", self.holdings),
            Step("publish", "Each authority publishes sealed filters for its partners", self.publish),
            Step("match", f"{ASKER} finds what {HOLDER} holds too", self.match),
            Step("judge", "A person judges hits", self.judge),
            Step("confirm", "Police confirm a hit, and consent to its use", self.confirm),
            Step("request", "The central authority asks for bank records", self.request),
            Step("answer", "The requested authority executes, with sealed evidence", self.answer),
            Step("verify", "The package verifies offline, and only under its own trust root", self.verify),
            Step("ledgers", "Every disclosure stands in both ledgers", self.ledgers),
        ]

    def walk(self, steps: list[Step], before: Callable[[Step], None] = lambda step: None) -> Iterator[Walked]:
        """Walk the steps, stopping at the first that fails. ``before`` is called as each begins."""
        for step in steps:
            before(step)
            start = time.monotonic()
            try:
                outcome, failure = step.walk(), ""
            except DemoError as error:
                outcome, failure = Outcome({}), str(error)
            yield Walked(step, not failure, time.monotonic() - start, outcome, failure)
            if failure:
                return

    def _person(self, node: str, username: str) -> Person:
        return self.staff.person(node, username)

    # --- the steps --------------------------------------------------------------------------

    def people(self) -> Outcome:
        """Administrators join by their links and invite the others."""
        return Outcome({"officers": self.staff.enrol(self.network), "nodes": len(self.network.nodes)})

    def holdings(self) -> Outcome:
        """Each authority makes a holding, loads its file, and protects one item as covert."""
        files = self.world.write(self.folder)
        counts: Counts = {}
        for code in self.network.nodes:
            partners = [other for other in self.network.nodes if other != code]
            counts[code] = self.load(code, story.HOLDING | {"partners": partners}, "ftm", [files[code]])
        supervisor, path = self._person(HOLDER, "supervisor"), f"/holdings/{story.HOLDING_CODE}/protect/"
        covert = {"entity_ids": self.covert[1], "reason": "covert"}
        supervisor.ensure(lambda: supervisor.get(path).row_of("protected", self.covert[1]), path, covert)
        return Outcome(counts, dict.fromkeys(self.network.nodes, "nothing of the others"))

    def load(self, node: str, holding: dict[str, object], list_format: str, files: list[Path]) -> int:
        """Make a holding at a node and load files into it; returns how many entities it holds."""
        supervisor = self._person(node, "supervisor")
        path = f"/holdings/{holding['code']}/"
        supervisor.ensure(
            lambda: supervisor.get("/holdings/").row_of("holding", str(holding["code"])), "/holdings/new/", holding
        )
        uploads = [("file", file) for file in files]
        supervisor.ensure(
            lambda: supervisor.get(path).with_attribute("data-load"), path, {"format": list_format}, uploads
        )
        page = supervisor.wait(path, "kept")
        if page.value("data-load-state") != "done":
            raise DemoError(f"{node}{path}: the load is {page.value('data-load-state')!r}: {page.text[:800]}")
        return int(page.value("data-entities"))

    def publish(self) -> Outcome:
        """Each authority opens an epoch; the manifests reach the partners."""
        partners = len(self.network.nodes) - 1
        for code in self.network.nodes:
            self._open_epoch(self._person(code, ADMINISTRATOR))
        for code in self.network.nodes:
            self._await_manifests(self._person(code, ADMINISTRATOR), partners)
        learned = dict.fromkeys(self.network.nodes, "how much the others hold, in padded steps; nothing of it")
        return Outcome({"epochs": len(self.network.nodes), "manifests": partners * len(self.network.nodes)}, learned)

    def _open_epoch(self, administrator: Person) -> None:
        administrator.ensure(lambda: administrator.get("/matching/").state != "none", "/matching/", {})

    def _await_manifests(self, administrator: Person, partners: int) -> None:
        administrator.wait("/matching/", "open")
        _until(
            lambda: (
                len({row.attributes["data-partner"] for row in administrator.get("/matching/").rows_of("manifest")})
                == partners
            ),
            f"manifests at {administrator.log_in.node}",
        )

    def match(self) -> Outcome:
        """An investigator opens a case and runs a blind match of the own holding against a partner's."""
        investigator = self._person(ASKER, "investigator")
        self.case = investigator.ensure(
            lambda: investigator.get("/cases/").row_of("case", story.CASE_TITLE), "/cases/new/", story.CASE
        )
        self.run = self.start_run(investigator, self.case, HOLDER, story.HOLDING_CODE)
        page = investigator.wait(f"/runs/{self.run}/", "done")
        found = int(page.value("data-hits"))
        expected = len(self.world.same[ASKER, HOLDER])
        seen = {row[0] for row in hits_of(investigator, self.run)}
        if self.covert[0] in seen:
            raise DemoError(f"{self.covert[0]} was found, though {HOLDER} protects it as covert")
        missed = {ours for ours, _ in self.world.same[ASKER, HOLDER]} - seen - {self.covert[0]}
        if missed:
            raise DemoError(f"{len(missed)} of {expected} known overlaps were not found, such as {sorted(missed)[0]}")
        queries = int(page.value("data-selectors"))
        learned = {
            ASKER: f"{found} of its entries are known to {HOLDER}; nothing of the rest",
            HOLDER: f"{found} of its entries matter in a case of {ASKER}; none of the {queries:,} other queries",
        }
        return Outcome({"selectors": queries, "hits": found, "overlaps": expected, "covert": 1}, learned)

    def start_run(self, investigator: Person, case: str, partner: str, inputs: str) -> str:
        """Start a run of a case, once; returns its id."""
        facts = {"partner": partner, "inputs": inputs, "legal_basis": "UNTOC Art. 27"}
        return investigator.ensure(
            lambda: investigator.get(f"/cases/{case}/").row_of("run", partner, inputs),
            f"/cases/{case}/runs/new/",
            facts,
        )

    def judge(self) -> Outcome:
        """The investigator judges hits: same where an account agrees, unsure where only a name does."""
        investigator = self._person(ASKER, "investigator")
        rows = investigator.get(f"/runs/{self.run}/").rows_of("hit")
        rows.sort(key=lambda row: "account" not in row.attributes["data-selectors"])
        verdicts = [self._judge(investigator, row) for row in rows[:JUDGED_AT_MOST]]
        if not self.hit:
            raise DemoError("no hit on an account among those judged")
        learned = {ASKER: "which hits a person takes for the same, and why", HOLDER: "nothing"}
        waiting = int(investigator.get(f"/runs/{self.run}/").value("data-waiting"))
        return Outcome(
            {"same": verdicts.count("same"), "unsure": verdicts.count("unsure"), "waiting": waiting}, learned
        )

    def _judge(self, investigator: Person, row: Element) -> str:
        """Judge one hit; remember the first on an account for the request."""
        hit, kinds = row.attributes["data-ref"], set(row.attributes["data-selectors"].split())
        path = f"/hits/{hit}/"
        verdict = "same" if kinds - {"person"} else "unsure"
        reason = "The number itself agrees." if verdict == "same" else "Only name and birth date agree: more is needed."
        judgement = {"verdict": verdict, "reason": reason}
        investigator.ensure(lambda: investigator.get(path).state != "waiting", path, judgement)
        if "account" in kinds and not self.hit:
            self.hit, self.account = hit, investigator.get(path).value("data-selector-account")
        return verdict

    def confirm(self) -> Outcome:
        """Police ask police to confirm the hit; the answer carries the consent to cite it."""
        investigator, supervisor = self._person(ASKER, "investigator"), self._person(ASKER, "supervisor")
        facts = story.CONFIRMATION | {"partner": HOLDER, "hits": self.hit}
        self.confirmed = self._draft(investigator, "hit_confirmation", facts)
        self._send(investigator, supervisor, supervisor, self.confirmed)
        answering = self._person(HOLDER, "investigator")
        theirs = _until(
            lambda: answering.get("/requests/").row_of("request", ASKER, "hit_confirmation"),
            "the inquiry at the partner",
        )
        self._gates(self._person(HOLDER, "supervisor"), theirs)
        self._answer(
            answering,
            theirs,
            "executed",
            {
                "consent": "yes",
                "conditions": "For the proceedings named in the inquiry.",
                "reasons": "The account is held at our bank, opened in January, and in use.",
            },
        )
        investigator.wait(f"/requests/{self.confirmed}/", "executed")
        learned = {
            ASKER: "the account is in use, and the hit may be cited (intelligence, by police channel)",
            HOLDER: "what the investigation is about",
        }
        return Outcome({"requests": 1, "answers": 1, "consents": 1}, learned)

    def request(self) -> Outcome:
        """The central authority asks for records under UNTOC Art. 18, on the police file."""
        investigator = self._person(ASKER, "investigator")
        asking, approving = self._person(ASKER, "central-1"), self._person(ASKER, "central-2")
        self._join_team(investigator, self.case, "Cleo Example")
        bank, _, number = self.account.partition(":")
        facts = story.ASSISTANCE | {"partner": HOLDER, "hits": self.hit, "accounts": f"{bank.title()}, {number}"}
        self.asked = self._draft(asking, "bank_records", facts)
        incomplete = [
            e
            for e in asking.get(f"/requests/{self.asked}/").with_attribute("data-finding")
            if e.attributes["data-finding"] == "missing"
        ]
        if incomplete:
            raise DemoError(f"the request is incomplete: {[' '.join(e.text.split()) for e in incomplete]}")
        findings = len(asking.get(f"/requests/{self.asked}/").with_attribute("data-finding"))
        self._send(asking, approving, asking, self.asked)
        learned = {HOLDER: "what UNTOC 18(15) lists: who asks, why, what, for which purpose", ASKER: "nothing yet"}
        return Outcome({"requests": 1, "demands_checked": findings, "approvals": 1}, learned)

    def answer(self) -> Outcome:
        """The other central authority accepts, adds the records as evidence, seals them and answers."""
        officer = self._person(HOLDER, "central-1")
        theirs = _until(lambda: officer.get("/requests/").row_of("request", ASKER, "bank_records"), "the request")
        self._gates(officer, theirs)
        self._answer(officer, theirs, "accepted", {}, then=("accepted", "executed"))
        case = officer.get(f"/requests/{theirs}/").value("data-case")
        records = self.folder / "statement-of-account.csv"
        records.write_text(story.RECORDS, "utf-8")
        item = officer.ensure(
            lambda: officer.get(f"/cases/{case}/").row_of("item", story.ITEM["what"]),
            f"/cases/{case}/evidence/new/",
            story.ITEM,
            [("content", records)],
        )
        sealed = officer.ensure(
            lambda: officer.get(f"/cases/{case}/").row_of("package"),
            f"/cases/{case}/packages/new/",
            {"items": item, "recipient": ASKER, "request_reference": theirs},
        )
        self._answer(officer, theirs, "executed", {"package": sealed, "conditions": "For the proceedings named."})
        asking = self._person(ASKER, "central-1")
        asking.wait(f"/requests/{self.asked}/", "executed")
        received = _until(lambda: asking.get(f"/cases/{self.case}/").row_of("package"), "the package")
        self.package.write_bytes(asking.download(f"/packages/{received}/download"))
        learned = {ASKER: "the records, sealed, for the purpose stated", HOLDER: "that they arrived"}
        return Outcome({"items": 1, "packages": 1, "bytes": self.package.stat().st_size}, learned)

    def verify(self) -> Outcome:
        """What a court does: no node, no network; then with no root, and with another network's root."""
        trusted = run_palermo("evidence", "verify", self.package, "--trust", self.network.trust_root)
        run_palermo("evidence", "verify", self.package, expect=3)
        stranger = self.folder / "stranger"
        if not stranger.exists():
            run_palermo("directory", "found", stranger, "--network", "Another network")
        run_palermo("evidence", "verify", self.package, "--trust", stranger / "trust-root.json", expect=1)
        damaged = self.folder / "damaged.palermo.zip"
        content = bytearray(self.package.read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
        run_palermo("evidence", "verify", damaged, "--trust", self.network.trust_root, expect=1)
        checks = sum(line.strip()[:1].isdigit() for line in trusted.splitlines())
        return Outcome({"checks": checks, "refused": 3}, {"court": "the evidence is whole, and whose it is"})

    def ledgers(self) -> Outcome:
        """For every message, the entry at the sender and the entry at the recipient; then each node checks itself."""
        messages = 0
        for sender in self.network.nodes:
            auditor = self._person(sender, "auditor")
            _await_receipts(auditor)
            for recipient, message, theirs in _sent(auditor):
                other = self._person(recipient, "auditor")
                seen = other.get(f"/messages/{message}/")
                if seen.value("data-ledger-index") != theirs:
                    raise DemoError(
                        f"message {message}: {sender}'s receipt names another entry than {recipient}'s ledger"
                    )
                other.get(f"/ledger/{theirs}/")
                messages += 1
        for node in self.network.nodes.values():
            run_palermo("node", "check", "--home", node.home)
        return Outcome(
            {"messages": messages, "nodes_checked": len(self.network.nodes)},
            {"auditors": "who was told what kind of thing, when; never the content"},
        )

    # --- what several steps do ------------------------------------------------------------------

    def _draft(self, officer: Person, code: str, facts: dict[str, str]) -> str:
        """Draft a request of the case, once; returns its reference."""
        path = f"/cases/{self.case}/"
        return officer.ensure(lambda: officer.get(path).row_of("request", code), f"{path}requests/new/{code}/", facts)

    def _send(self, drafter: Person, approver: Person, gatekeeper: Person, reference: str) -> None:
        """Safeguards, completeness, a second person's approval, sending."""
        path = f"/requests/{reference}/"
        self._gates(gatekeeper, reference)
        drafter.ensure(lambda: drafter.get(path).state != "draft", f"{path}submit/", {})
        if drafter.get(path).state == "awaiting approval":
            approval = _until(lambda: approver.get("/").row_of("approval", reference), "the task to approve").partition(
                ":"
            )[2]
            decision = {"approved": "yes", "reason": "Complete, and within the treaty."}
            page = f"/approvals/{approval}/"
            approver.ensure(lambda: approver.get(page).state != "asked", page, decision)
        drafter.ensure(lambda: drafter.get(path).state not in ("awaiting approval", "approved"), f"{path}send/", {})

    def _gates(self, officer: Person, reference: str) -> None:
        """Answer every safeguard that is open."""
        path = f"/requests/{reference}/"
        for gate in officer.get(path).rows_of("gate"):
            self._gate(officer, path, gate.attributes["data-ref"])

    def _gate(self, officer: Person, path: str, code: str) -> None:
        officer.ensure(lambda: not officer.get(path).row_of("gate", code, "open"), f"{path}gates/{code}/", story.GATE)

    def _answer(
        self, officer: Person, reference: str, outcome: str, facts: dict[str, str], then: tuple[str, ...] = ()
    ) -> None:
        """Answer a request, once."""
        path = f"/requests/{reference}/"
        officer.ensure(
            lambda: officer.get(path).state in (then or (outcome,)), f"{path}answer/", {"outcome": outcome, **facts}
        )

    def _join_team(self, officer: Person, case: str, name: str) -> None:
        """Put an officer on the case's team."""
        path = f"/cases/{case}/members/"
        page = officer.get(path)
        if not page.row_of("member", name):
            officer.ensure(
                lambda: officer.get(path).row_of("member", name), path, {"member": page.option("member", name)}
            )


def hits_of(person: Person, run: str) -> list[list[str]]:
    """The rows of a run's hits as CSV: ours, theirs, selectors, judgement."""
    text = person.download(f"/runs/{run}/hits.csv").decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))[1:]


def _sent(auditor: Person) -> Iterator[tuple[str, str, str]]:
    """(recipient, message id, entry at the recipient) of everything that a node sent."""
    for number in range(1, 1000):
        rows = auditor.get(f"/messages/?page={number}").rows_of("message")
        for row in rows:
            page = auditor.get(f"/messages/{row.attributes['data-ref']}/")
            yield row.attributes["data-partner"], row.attributes["data-ref"], page.value("data-partner-index")
        if not rows:
            return


def _await_receipts(auditor: Person) -> None:
    def settled() -> bool:
        rows = auditor.get("/messages/").rows_of("message")
        return all(row.attributes["data-row-state"] not in ("queued", "unknown") for row in rows)

    _until(settled, f"receipts at {auditor.log_in.node}")


def _until(seen: Callable[[], T], what: str, seconds: float = 120.0) -> T:
    """Look until there is something to see."""
    deadline = time.monotonic() + seconds
    while not (effect := seen()):
        if time.monotonic() > deadline:
            raise DemoError(f"{what}: nothing came within {seconds:.0f} seconds")
        time.sleep(0.2)
    return effect
