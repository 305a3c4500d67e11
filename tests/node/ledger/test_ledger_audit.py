"""`palermo ledger audit` names the first entry that does not fit; expired entries leave the log whole."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from palermo.cli.main import app
from palermo.config import commands
from palermo.node.directory import actions as directory_actions
from palermo.node.ledger import actions, notes, queries
from palermo.node.ledger.actions.signing import sign
from palermo.node.ledger.models import Cosignature, Entry, Log, Tile, WitnessedTile
from palermo.node.office.errors import NotFoundError
from palermo.sealing import merkle
from palermo.sealing.checkpoint import parse_checkpoint, sign_checkpoint
from palermo.sealing.cosignature import CosignerKey, cosign
from palermo.sealing.directory import TrustRoot, content_digest
from palermo.sealing.errors import SealingError
from palermo.sealing.ledger_export import verify_export
from palermo.sealing.witnessing import CosignAnswer, CosignRequest

BB, CC = "BB-POL", "CC-FIU"


@pytest.fixture
def log(witnessed_network):
    """A log of 300 entries signed at 128 and 300, cosigned at 300 by both partners, whose logs it witnesses."""
    now = witnessed_network.now
    for number in range(300):
        fields = {"case": f"C-{number}"}
        actions.append(kind="sent.test", counterparty=BB, fields=fields, now=now + number * timedelta(minutes=1))
    sign(128, now)
    text = sign(300, now)
    for code in (BB, CC):
        lines = cosign(text, f"palermo/{code}", witnessed_network.members[code].cosigner, now)
        actions.take_answer(code, CosignAnswer(300, lines, text), now=now)
    hashes = [bytes([place]) * 32 for place in range(20)]
    theirs = sign_checkpoint(f"palermo/{BB}", 20, merkle.root(hashes), witnessed_network.members[BB].signing)
    actions.cosign(BB, CosignRequest(theirs, 0, b"".join(hashes)), now=now)
    return witnessed_network


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The command, in this process: Django is set up already."""
    from palermo.config.commands import ledger

    monkeypatch.setattr(ledger, "enter", lambda home: None)
    assert commands.enter is not ledger.enter

    def call(*arguments: object):
        result = CliRunner().invoke(app, ["ledger", "audit", "--home", str(tmp_path), *map(str, arguments)])
        return result.exit_code, result.output

    return call


def audited(run, *arguments) -> tuple[int, dict]:
    code, output = run("--json", *arguments)
    return code, json.loads(output)


def flip(data: bytes, place: int = -1) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def test_a_whole_log(log, run):
    code, found = audited(run)
    assert (code, found["whole"], found["entries"], found["checkpoints"]) == (0, True, 300, 2)
    assert found["first"] is found["against"] is None
    code, said = run()
    assert code == 0 and "The log is whole." in said


@pytest.mark.parametrize("index", [0, 255, 256])
@pytest.mark.parametrize("column", ["leaf", "leaf_hash", "fields", "kind", "recorded_at"])
def test_the_first_entry_that_does_not_fit_is_named(log, run, index, column):
    entry = Entry.objects.get(index=index)
    changed = {
        "leaf": flip(bytes(entry.leaf)),
        "leaf_hash": flip(bytes(entry.leaf_hash)),
        "fields": [["kind", "x", "00" * 32], *entry.fields[1:]],
        "kind": "other",
        "recorded_at": entry.recorded_at + timedelta(seconds=1),
    }
    Entry.objects.filter(index__in=(index, 299)).update(**{column: changed[column]})
    code, found = audited(run)
    assert (code, found["first"]["entry"], found["first"]["where"]) == (1, index, f"entry {index}")


@pytest.mark.parametrize("place", [0, 41, 255])
def test_a_bit_of_a_tile_names_the_entry_whose_hash_it_was(log, run, place):
    tile = Tile.objects.get(level=0, number=0)
    Tile.objects.filter(pk=tile.pk).update(hashes=flip(bytes(tile.hashes), place * 32))
    code, found = audited(run)
    assert (code, found["first"]["entry"], found["first"]["where"]) == (1, place, "tile 0/0")


def test_an_entry_that_was_rewritten_whole_is_named_all_the_same(log, run):
    other = Entry.objects.get(index=41)
    Entry.objects.filter(index=42).update(fields=other.fields, leaf=other.leaf, leaf_hash=other.leaf_hash)
    code, found = audited(run)
    assert (code, found["first"]["entry"]) == (1, 42) and len(found["faults"]) > 1


def test_what_is_missing_or_too_much_is_named(log, run):
    Entry.objects.filter(index=200).delete()
    assert audited(run)[1]["first"]["entry"] == 200
    Entry.objects.filter(index__gte=200).delete()
    Log.objects.update(size=200)
    code, found = audited(run)
    assert code == 1 and found["first"]["entry"] is not None


def test_what_witnesses_signed_and_what_is_kept_of_their_logs(log, run):
    row = Cosignature.objects.get(witness=BB)
    Cosignature.objects.filter(pk=row.pk).update(lines=flip(row.lines.encode(), -8).decode())
    code, found = audited(run)
    assert (code, found["first"]["where"], found["first"]["entry"]) == (1, "cosignature of BB-POL at size 300", None)
    Cosignature.objects.filter(pk=row.pk).update(lines=row.lines)
    tile = WitnessedTile.objects.get()
    WitnessedTile.objects.update(hashes=flip(bytes(tile.hashes), 7))
    assert audited(run)[1]["first"]["where"] == "log of BB-POL at size 20"


# --- against a checkpoint from outside ------------------------------------------------------


def test_against_a_checkpoint_of_this_log_with_and_without_cosignatures(log, run, tmp_path):
    note = tmp_path / "note"
    for text, quorum in ((queries.newest_checkpoint(), False), (queries.newest_cosigned().note, True)):
        note.write_text(text, "utf-8")
        code, found = audited(run, "--against", note)
        assert (code, found["against"]["consistent"], found["against"]["quorum"]) == (0, True, quorum)
    note.write_text(sign(77, log.now), "utf-8")
    assert audited(run, "--against", note)[0] == 0


@pytest.mark.parametrize(("size", "said"), [(128, "two histories"), (77, "two histories"), (900, "entry 300")])
def test_against_a_checkpoint_of_another_history(log, run, tmp_path, size, said):
    note = tmp_path / "note"
    text = sign_checkpoint("palermo/AA-POL", size, b"x" * 32, log.members["AA-POL"].signing)
    note.write_text(text, "utf-8")
    code, found = audited(run, "--against", note)
    assert (code, found["whole"], found["faults"]) == (1, False, [])
    assert said in found["against"]["detail"]
    assert said in run("--against", note)[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "no checkpoint\n",
        lambda text: text[:-1],
        lambda text: text + "\n",
        lambda text: text + text.splitlines()[-1] + "\n",
        lambda text: text.replace("palermo/AA-POL", "palermo/BB-POL"),
        lambda text: text.replace("\n300\n", "\n301\n"),
        lambda text: text + "— palermo/ZZ AAAA\n— palermo/ZZ AAAA\n",
    ],
)
def test_what_is_no_checkpoint_of_this_log_is_no_argument(log, run, tmp_path, change):
    note = tmp_path / "note"
    note.write_text(change(queries.newest_checkpoint()), "utf-8")
    code, said = run("--against", note)
    assert code == 2 and "checkpoint" in said
    assert run("--against", tmp_path / "absent")[0] == 2


def test_a_forged_cosignature_beneath_it_is_refused(log):
    note = queries.newest_cosigned().note
    with pytest.raises(SealingError):
        notes.read_outside(flip(note.encode(), -8).decode())


# --- the end of retention -------------------------------------------------------------------


def test_what_has_expired_is_destroyed_and_every_proof_stands(log, run, make_officer):
    auditor = make_officer("auditor", "auditor")
    salts = [field.salt.hex() for field in queries.opened(3)]
    proof = queries.inclusion(3)
    assert actions.destroy([3, 4, 5, 9], under="a test rule", now=log.now) == 4
    assert actions.destroy([3, 4, 5, 9], under="a test rule", now=log.now) == 0
    assert audited(run)[0] == 0
    row = queries.entry(auditor, 3)
    assert (row.kind, row.counterparty, row.fields, row.destroyed_under) == ("destroyed", "", (), "a test rule")
    assert (row.recorded_at.hour, row.recorded_at.minute) == (0, 0)
    with pytest.raises(NotFoundError):
        queries.opened(3)
    assert not any(salt in str(Entry.objects.get(index=3).__dict__) for salt in salts)
    assert queries.inclusion(3) == proof
    assert queries.entries(auditor)[0].kind == "ledger.destroyed"
    assert dict(queries.entries(make_officer("s", "supervisor"))[0].fields)["entries"] == "3-5 9"


def test_an_auditor_is_shown_expired_leaves_as_such_and_the_file_is_proven(log, make_officer):
    actions.destroy(range(3, 6), under="a test rule", now=log.now)
    actions.checkpoint(now=log.now)
    root = TrustRoot.from_bytes((log.members["AA-POL"].home / "trust-root.json").read_bytes())
    auditor = make_officer("auditor", "auditor")
    report = verify_export(queries.shown(auditor, 0, 300), root)
    assert (report.verdict, [check.ok for check in report.checks]) == ("proven", [True] * 6)
    assert report.expired == {"2026-03-02T09:00:00Z, a test rule": 3} and report.counts.total() == 297
    newer = verify_export(queries.shown(auditor, 0, 301), root)
    assert (newer.verdict, newer.checks[4].ok, newer.checks[4].lacking) == ("unproven", None, True)


def test_nobody_hides_a_disclosure_by_calling_it_expired(log, run):
    gone = {"kind": "destroyed", "counterparty": "", "fields": [], "destroyed_under": "x", "destroyed_at": log.now}
    Entry.objects.filter(index=7).update(**gone)
    code, found = audited(run)
    assert (code, found["first"]["entry"]) == (1, 7) and "no entry of the log says so" in found["first"]["detail"]
    actions.destroy([8], under="a test rule", now=log.now)
    Entry.objects.filter(index=8).update(fields=[["kind", "x", "00" * 32]])
    assert [fault["entry"] for fault in audited(run)[1]["faults"]] == [7, 8]


def test_retention_ends_by_itself_and_what_says_so_stays(log, run, settings):
    from dataclasses import replace

    settings.NODE = replace(settings.NODE, ledger_years=1)
    assert actions.destroy_due(log.now + timedelta(days=300)) == 0
    assert actions.destroy_due(log.now + timedelta(days=400)) == 300
    assert actions.destroy_due(log.now + timedelta(days=400)) == 0
    assert actions.destroy_due(log.now + timedelta(days=4000)) == 0, "the statement itself is kept"
    assert audited(run)[0] == 0
    assert parse_checkpoint(actions.checkpoint(now=log.now)).size > 300


# --- a witness changes its key --------------------------------------------------------------


def test_what_a_witness_signed_with_an_earlier_key_still_verifies(log, run, tmp_path, make_officer):
    note = tmp_path / "note.txt"
    note.write_text(queries.newest_cosigned().note, "utf-8")
    old, new = log.members[BB].cosigner, CosignerKey.generate()
    log.members[BB].cosigner = new
    previous = content_digest(log.directory)
    log.directory = log.sign_directory(3, previous=previous, witnesses=("AA-POL", BB, CC), protocol=2)
    directory_actions.import_directory(log.directory, now=log.now)
    assert audited(run)[0] == 0, "the versions of the directory say which keys it had"
    assert run("--against", note)[0] == 0
    root = TrustRoot.from_bytes((log.members["AA-POL"].home / "trust-root.json").read_bytes())
    report = verify_export(queries.shown(make_officer("auditor", "auditor"), 0, 300), root)
    assert (report.verdict, report.checks[4].lacking) == ("unproven", True), "who checks the file has the new key alone"

    actions.append(kind="sent.test", counterparty=BB, fields={}, now=log.now)
    text = sign(Log.objects.get().size, log.now)
    size = parse_checkpoint(text).size
    with pytest.raises(SealingError):
        lines = cosign(text, f"palermo/{BB}", old, log.now)
        actions.take_answer(BB, CosignAnswer(size, lines, text), now=log.now)
    assert not Cosignature.objects.filter(checkpoint__size=size).exists(), "nothing new is taken under the old one"
    actions.take_answer(BB, CosignAnswer(size, cosign(text, f"palermo/{BB}", new, log.now), text), now=log.now)
    assert audited(run)[0] == 0
    Cosignature.objects.filter(witness=BB).update(lines=cosign(text, f"palermo/{BB}", CosignerKey.generate(), log.now))
    assert audited(run)[0] == 1
