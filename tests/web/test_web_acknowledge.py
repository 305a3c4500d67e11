"""What was put before a person leaves the queue when that person says so, on the page that the task leads to."""

from datetime import timedelta

from palermo.node.exchange import actions as exchange
from palermo.node.ledger import actions as ledger
from palermo.node.office import queries as office
from palermo.node.office.models import AuditRow
from palermo.sealing import directory as sealed
from palermo.sealing.checkpoint import sign_checkpoint
from palermo.sealing.keys import SigningKey


def test_a_lost_message_is_acknowledged_on_its_page(node, browser):
    supervisor, link = browser("supervisor"), f"/messages/{node['message']}/"
    assert b"I have looked into this" not in supervisor.get(link).content
    exchange.expire(now=node.now + timedelta(days=8))
    assert link in {task.link for task in office.work_queue(node.officers["supervisor"])}
    page = supervisor.get(link).content.decode()
    assert "I have looked into this" in page and f'action="{link}acknowledge/"' in page
    assert supervisor.post(f"{link}acknowledge/")["Location"] == link
    assert link not in {task.link for task in office.work_queue(node.officers["supervisor"])}
    assert "I have looked into this" not in supervisor.get(link).content.decode()
    row = AuditRow.objects.get(verb="message.acknowledged")
    assert (row.officer_id, row.target) == (node.officers["supervisor"].pk, node["message"])
    assert supervisor.post("/messages/nothing/acknowledge/").status_code == 404


def test_a_second_history_is_acknowledged_on_the_partners_page(node, browser, monkeypatch):
    key, link = SigningKey.generate(), "/partners/BB-POL/"
    monkeypatch.setattr("palermo.node.directory.queries.verify_keys", lambda code, at=None: [key.public])
    for root in (b"a", b"b"):
        ledger.witness("BB-POL", sign_checkpoint("palermo/BB-POL", 5, root * 32, key), now=node.now)
    monkeypatch.undo()
    auditor = browser("auditor")
    assert "I have looked into this" in auditor.get(link).content.decode()
    assert auditor.post(f"{link}acknowledge/")["Location"] == link
    assert "I have looked into this" not in auditor.get(link).content.decode()
    assert auditor.post("/partners/CC-FIU/acknowledge/").status_code == 404


def test_the_auditor_downloads_the_log_and_it_verifies(node, browser):
    from palermo.sealing.ledger_export import verify_export

    auditor = browser("auditor")
    assert "/ledger/export" in auditor.get("/ledger/").content.decode()
    response = auditor.get("/ledger/export")
    assert response["Content-Disposition"] == 'attachment; filename="ledger.jsonl"'
    lines = b"".join(response).splitlines(keepends=True)
    root = sealed.TrustRoot.from_bytes((node.home / "trust-root.json").read_bytes())
    report = verify_export(lines, root)
    assert (report.verdict, report.counts.total()) == ("proven", len(lines) - 1)
    part = b"".join(auditor.get("/ledger/export?from=1&to=2")).splitlines(keepends=True)
    assert verify_export(part, root).heading.start == 1 and len(part) == 2
    for query, status in [("?from=x", 422), ("?from=1&to=1", 422), ("?to=99999", 409), ("?from=-1", 422)]:
        assert auditor.get(f"/ledger/export{query}").status_code == status
