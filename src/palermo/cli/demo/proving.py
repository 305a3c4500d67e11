"""Last part of the road: what a court and an auditor do."""

from collections.abc import Iterator

from palermo.cli.demo.nodes import DemoError, run_palermo
from palermo.cli.demo.person import Person
from palermo.cli.demo.stage import Outcome, Stage, until


def verify(stage: Stage) -> Outcome:
    """What a court does, without a node; then the same with no root, with a stranger's root, and with a flipped bit."""
    root = stage.network.trust_root
    trusted = run_palermo("evidence", "verify", stage.package, "--trust", root)
    run_palermo("evidence", "verify", stage.package, expect=3)
    stranger = stage.folder / "stranger"
    if not stranger.exists():
        run_palermo("directory", "found", stranger, "--network", "Another network")
    run_palermo("evidence", "verify", stage.package, "--trust", stranger / "trust-root.json", expect=1)
    damaged = stage.folder / "damaged.palermo.zip"
    content = bytearray(stage.package.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    run_palermo("evidence", "verify", damaged, "--trust", root, expect=1)
    checks = sum(line.strip()[:1].isdigit() for line in trusted.splitlines())
    return Outcome({"checks": checks, "refused": 3}, {"court": "the evidence is whole, and whose it is"})


def ledgers(stage: Stage) -> Outcome:
    """For every message, the entry at the sender and the entry at the recipient; then each node checks itself."""
    messages = sum(_compare_ledgers(stage, code) for code in stage.network.nodes)
    for node in stage.network.nodes.values():
        run_palermo("node", "check", "--home", node.home)
    learned = {"auditors": "who was told what kind of thing, when; never the content"}
    return Outcome({"messages": messages, "nodes_checked": len(stage.network.nodes)}, learned)


def _compare_ledgers(stage: Stage, sender: str) -> int:
    auditor = stage.person(sender, "auditor")
    until(lambda: not _unsettled(auditor), f"receipts at {sender}")
    codes = {node.authority.name: code for code, node in stage.network.nodes.items()}
    count = 0
    for message in _sent(auditor):
        ours = auditor.get(f"/messages/{message}/")
        theirs = stage.person(codes[ours.fact("Partner")], "auditor").get(f"/messages/{message}/")
        if theirs.fact("Our ledger entry") != ours.fact("Their ledger entry"):
            raise DemoError(f"message {message}: the receipt at {sender} names another entry than the partner's ledger")
        count += 1
    return count


def _sent(auditor: Person) -> Iterator[str]:
    """Ids of everything that a node sent."""
    for page in auditor.pages("/messages/"):
        yield from (row.attributes["data-ref"] for row in page.rows("/messages/"))


def _unsettled(auditor: Person) -> bool:
    rows = auditor.get("/messages/").rows("/messages/")
    return any(row.attributes["data-state"] in ("queued", "unknown") for row in rows)
