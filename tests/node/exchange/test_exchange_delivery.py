"""The post: order, pauses, receipts, and a partner that is dead, slow, or lies."""

import gzip
import random
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from palermo.node.exchange import actions, delivery, leases, posting, queries
from palermo.node.exchange.models import Outgoing, Peer
from palermo.node.ledger import queries as ledger
from palermo.node.office import queries as office
from palermo.node.office.errors import AccessDeniedError
from palermo.sealing.checkpoint import sign_checkpoint
from palermo.sealing.envelope import envelope_digest
from palermo.sealing.keys import SigningKey
from palermo.sealing.receipt import ReceiptStatus

DEAD = httpx.ConnectError("refused")
BB, CC = "bb-pol.invalid", "cc-fiu.invalid"


@pytest.fixture
def send(network, notes):
    def _send(recipient: str = "BB-POL", **changes):
        values = {"payload": b"hello", "case_reference": "C-1", "purpose": "test", "now": network.now}
        return actions.send(recipient=recipient, payload_type="palermo/test.note+v1", **{**values, **changes})

    return _send


@pytest.fixture
def deliver(network, line):
    def _deliver(after: timedelta = timedelta(0)) -> int:
        with line.client() as client:
            return delivery.deliver_due(network.now + after, client, rng=random.Random(7))

    return _deliver


def states() -> dict[str, str]:
    return dict(Outgoing.objects.order_by("pk").values_list("message_id", "state"))


def test_messages_go_out_in_order_and_receipts_are_kept(send, deliver, line, make_officer):
    sent = [send(code, message_id=f"{code}.{number}") for number in range(3) for code in ("BB-POL", "CC-FIU")]
    assert deliver() == 6
    assert set(states().values()) == {"accepted"}
    for host, code in ((BB, "BB-POL"), (CC, "CC-FIU")):
        posted = [envelope_digest(envelope) for at, envelope in line.posts if at == host]
        assert posted == [row.digest for row in sent if row.partner == code]
    assert deliver() == 0 and len(line.posts) == 6
    row = queries.message("BB-POL.0")
    assert (row.partner_index, row.attempts, row.settled_at) == (0, 1, row.created_at)
    auditor = make_officer("auditor", "auditor")
    assert queries.receipt(auditor, "BB-POL.0") == bytes(Outgoing.objects.get(message_id="BB-POL.0").receipt)
    assert {peer.waiting for peer in queries.peers(auditor)} == {0}
    assert queries.check() == []


def test_a_dead_partner_holds_up_nobody_else(send, deliver, line, make_officer):
    line.answers[BB] = DEAD
    for number in range(3):
        send("BB-POL", message_id=f"b{number}")
        send("CC-FIU", message_id=f"c{number}")
    assert deliver() == 3
    assert states() == {"b0": "queued", "b1": "queued", "b2": "queued", **dict.fromkeys(("c0", "c1", "c2"), "accepted")}
    assert [host for host, _ in line.posts].count(BB) == 1  # the rest of its post waits behind the first
    (dead,) = [peer for peer in queries.peers(make_officer("auditor", "auditor")) if peer.code == "BB-POL"]
    assert (dead.waiting, dead.failures) == (3, 1) and "No answer" in dead.last_error


def test_a_slow_partner_holds_up_nobody_else(send, deliver, line, partner):
    def slow(envelope):
        assert others_done.wait(60), "the others waited for the slow one"
        return partner.receipt(envelope)

    def quick(envelope):
        answered.append(envelope)
        if len(answered) == 5:
            others_done.set()
        return answer(envelope)

    others_done, answered = threading.Event(), []
    answer = line.answers[CC]
    line.answers[BB], line.answers[CC] = slow, quick
    send("BB-POL")
    for _ in range(5):
        send("CC-FIU")
    assert deliver() == 6


def test_pauses_double_with_jitter_up_to_a_cap():
    rng = random.Random(7)
    for failures, longest in ((1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (4000, 300)):
        pauses = [delivery.backoff(failures, rng).total_seconds() for _ in range(200)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
        assert max(pauses) - min(pauses) > longest / 4


def test_a_failing_partner_is_left_alone_for_a_while(send, deliver, line, partner):
    send()
    line.answers[BB] = DEAD
    deliver()
    deliver(timedelta(seconds=0.4))
    assert len(line.posts) == 1
    deliver(timedelta(seconds=1))
    assert (len(line.posts), Peer.objects.get().failures) == (2, 2)
    line.answers[BB] = partner.receipt
    assert deliver(timedelta(seconds=3)) == 1
    peer = Peer.objects.get()
    assert (peer.failures, peer.next_attempt_at, peer.last_error) == (0, None, "")


def test_hearing_from_a_partner_ends_its_pause(send, deliver, line, partner, network):
    send()
    line.answers[BB] = DEAD
    deliver()
    actions.receive(partner.envelope(), now=network.now)
    line.answers[BB] = partner.receipt
    assert deliver(timedelta(seconds=0.1)) == 1


def test_who_writes_while_it_cannot_be_reached_is_not_left_alone_ever_longer(send, deliver, line, partner, network):
    send()
    line.answers[BB] = DEAD
    for number in range(6):
        deliver(timedelta(seconds=number))
        actions.receive(partner.envelope(message_id=f"b{number}"), now=network.now + timedelta(seconds=number))
    deliver(timedelta(seconds=6))
    assert len(line.posts) == 7
    line.answers[BB] = partner.receipt
    assert deliver(timedelta(seconds=7)) == 1


def test_a_lost_receipt_is_fetched_by_posting_again(send, deliver, line, partner):
    """The partner took the message in, but the line broke before its answer came back."""
    send(message_id="m1")
    given = []

    def take_in_and_break(envelope):
        given.append(partner.receipt(envelope))
        return httpx.ReadError("the line broke")

    line.answers[BB] = take_in_and_break
    assert deliver() == 0 and states() == {"m1": "queued"}
    line.answers[BB] = lambda envelope: given[0]
    assert deliver(timedelta(minutes=1)) == 1
    assert line.posts[0] == line.posts[1]
    assert queries.message("m1").attempts == 2
    assert bytes(Outgoing.objects.get().receipt) == given[0]


@pytest.mark.parametrize(
    "answer", [(503, b"Not yet"), (500, b""), (302, b""), (400, b"what\x00?\n"), (200, b""), (200, b"{}")]
)
def test_an_answer_that_is_no_receipt_settles_nothing(send, deliver, line, answer):
    send(message_id="m1")
    line.answers[BB] = answer
    assert deliver() == 0
    assert states() == {"m1": "queued"} and Peer.objects.get().failures == 1


def test_a_receipt_that_never_ends_is_cut_off(send, deliver, line):
    send(message_id="m1")
    line.answers[BB] = (200, b"x" * (65 * 1024))
    assert deliver() == 0 and "longer than it can be" in Peer.objects.get().last_error


def test_a_compressed_answer_is_not_unpacked(send, deliver, line):
    send(message_id="m1")
    line.answers[BB] = (200, gzip.compress(b"x" * 2**24), {"Content-Encoding": "gzip"})
    assert deliver() == 0 and "compressed" in Peer.objects.get().last_error


def test_a_partner_that_reads_too_slowly_is_given_up(send, deliver, line, monkeypatch):
    monkeypatch.setattr(posting, "POST_SECONDS", -1.0)
    send(message_id="m1")
    assert deliver() == 0 and "could not be within" in Peer.objects.get().last_error


@pytest.mark.parametrize(
    "change",
    [
        {"envelope_digest": "0" * 64},
        {"message_id": "other"},
        {"sender": "CC-FIU"},
        {"recipient": "CC-FIU"},
        {"message_id": "", "sender": ""},
        {"key": SigningKey.generate()},
        {"ledger_checkpoint": "no checkpoint"},
    ],
)
def test_a_receipt_for_another_message_or_by_another_hand_settles_nothing(send, deliver, line, partner, change):
    send(message_id="m1")
    line.answers[BB] = lambda envelope: partner.receipt(envelope, **change)
    assert deliver() == 0
    assert states() == {"m1": "queued"} and "not a receipt" in Peer.objects.get().last_error


def test_a_flipped_bit_in_a_receipt_settles_nothing(send, deliver, line, partner):
    send(message_id="m1")

    def damaged(envelope):
        receipt = bytearray(partner.receipt(envelope))
        receipt[len(receipt) // 2] ^= 1
        return bytes(receipt)

    line.answers[BB] = damaged
    assert deliver() == 0 and states() == {"m1": "queued"}


def test_the_receipts_checkpoint_is_witnessed(send, deliver, line, partner, make_officer):
    send()
    text = sign_checkpoint("palermo/BB-POL", 1, b"r" * 32, partner.member.signing)
    line.answers[BB] = lambda envelope: partner.receipt(envelope, ledger_checkpoint=text)
    assert deliver() == 1
    (seen,) = ledger.witnessed(make_officer("auditor", "auditor"), "BB-POL")
    assert (seen.size, seen.text) == (1, text)


@pytest.mark.parametrize("opened", [True, False])
def test_a_rejection_goes_before_a_person(send, deliver, line, partner, notes, make_officer, opened):
    """Also that of a recipient which could not open the envelope, and knows no more than its digest."""
    send(message_id="m1")
    names = {} if opened else {"message_id": "", "sender": ""}
    line.answers[BB] = lambda envelope: partner.receipt(
        envelope, ReceiptStatus.REJECTED, reason="Case closed.", ledger_index=None, **names
    )
    assert deliver() == 1
    row = queries.message("m1")
    assert (row.state, row.reason, row.partner_index) == ("rejected", "Case closed.", None)
    assert notes.undelivered == [("m1", "rejected")]
    (task,) = office.work_queue(make_officer("supervisor", "supervisor"))
    assert "Case closed." in task.title and task.link == "/messages/m1/"
    assert queries.check() == []


def test_a_person_takes_a_rejection_off_the_queue(send, deliver, line, partner, network, make_officer):
    send(message_id="m1")
    line.answers[BB] = lambda envelope: partner.receipt(envelope, ReceiptStatus.REJECTED, reason="no")
    deliver()
    supervisor, investigator = make_officer("supervisor", "supervisor"), make_officer("inv", "investigator")
    with pytest.raises(AccessDeniedError):
        actions.acknowledge(investigator, message_id="m1", now=network.now)
    assert len(office.work_queue(supervisor)) == 1
    actions.acknowledge(supervisor, message_id="m1", now=network.now)
    assert office.work_queue(supervisor) == []


def test_a_stored_receipt_is_never_overwritten(send, deliver, line, partner, network):
    send(message_id="m1")
    assert deliver() == 1
    row = Outgoing.objects.get()
    second = partner.receipt(bytes(row.envelope), ReceiptStatus.REJECTED, reason="on second thought")
    assert actions.settle(row.pk, second, now=network.now).state == "accepted"
    assert Outgoing.objects.get().receipt == row.receipt


def test_past_its_end_without_a_receipt_a_message_is_unknown(send, deliver, line, notes, make_officer):
    send(message_id="m1", not_after=None)
    line.answers[BB] = DEAD
    deliver()
    deliver(timedelta(days=7, seconds=-1))
    assert states() == {"m1": "queued"}
    deliver(timedelta(days=7))
    assert states() == {"m1": "unknown"}
    assert notes.undelivered == [("m1", "unknown")]
    (task,) = office.work_queue(make_officer("supervisor", "supervisor"))
    assert "may or may not have arrived" in task.title


@pytest.mark.parametrize("status", list(ReceiptStatus))
def test_a_late_receipt_settles_what_was_unknown(send, deliver, line, partner, make_officer, status):
    send(message_id="m1")
    line.answers[BB] = DEAD
    deliver(timedelta(days=7))
    line.answers[BB] = lambda envelope: partner.receipt(envelope, status)
    assert deliver(timedelta(days=8)) == 1
    assert states() == {"m1": str(status)}
    tasks = office.work_queue(make_officer("supervisor", "supervisor"))
    assert [task.kind for task in tasks] == (["exchange.rejected"] if status == "rejected" else [])


def test_what_stayed_unknown_is_asked_about_for_thirty_days(send, deliver, line, partner):
    send()
    line.answers[BB] = DEAD
    deliver(timedelta(days=36))
    posts = len(line.posts)
    deliver(timedelta(days=38))
    assert len(line.posts) == posts == 1


def test_an_unknown_message_does_not_hold_up_the_next(send, deliver, line, partner, network):
    send(message_id="m1", not_after=network.now + timedelta(hours=1))
    line.answers[BB] = DEAD
    deliver()
    send(message_id="m2")
    line.answers[BB] = lambda envelope: partner.receipt(
        envelope, ReceiptStatus.REJECTED if partner.open(envelope).header.message_id == "m1" else ReceiptStatus.ACCEPTED
    )
    assert deliver(timedelta(hours=2)) == 2
    assert states() == {"m1": "rejected", "m2": "accepted"}


def test_a_leased_partner_is_another_workers(send, deliver, line, network):
    send()
    until = network.now + leases.LEASE
    Peer.objects.update(lease="other", leased_until=until)
    assert deliver() == 0 and line.posts == []
    assert deliver(leases.LEASE) == 1  # a dead worker's lease ends


def test_a_new_worker_frees_a_dead_ones_leases(send, deliver, network):
    send()
    Peer.objects.update(lease="dead", leased_until=network.now + leases.LEASE)
    delivery.release_leases()
    assert deliver() == 1


class _Listener(BaseHTTPRequestHandler):
    """A partner on a real socket: reads the body by its stated length and answers, at once or drop by drop."""

    def do_POST(self):
        assert self.headers["Transfer-Encoding"] is None
        envelope = self.rfile.read(int(self.headers["Content-Length"]))
        receipt = self.server.answer(envelope)
        self.send_response(200)
        self.send_header("Content-Length", str(len(receipt)))
        self.end_headers()
        for place in range(0, len(receipt), self.server.drop):
            try:
                self.wfile.write(receipt[place : place + self.server.drop])
                self.wfile.flush()
            except OSError:
                return
            time.sleep(self.server.pause)

    def log_message(self, *_args):
        pass


@pytest.fixture
def socket(partner, monkeypatch):
    """BB-POL listens on a port of this machine, and the directory says so."""
    from palermo.node.directory.models import Authority

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Listener)
    server.answer, server.drop, server.pause = partner.receipt, 10_000, 0.0
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    Authority.objects.filter(code="BB-POL").update(endpoint=f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_a_real_socket(send, socket, network):
    send(message_id="m1", payload=bytes(3 * 2**20))
    with httpx.Client(trust_env=False) as client:
        assert delivery.deliver_due(network.now, client) == 1
    assert states() == {"m1": "accepted"}


def test_a_receipt_that_comes_drop_by_drop_is_given_up(send, socket, network, monkeypatch):
    monkeypatch.setattr(posting, "POST_SECONDS", 0.5)
    socket.drop, socket.pause = 20, 0.1
    send(message_id="m1")
    with httpx.Client(trust_env=False) as client:
        assert delivery.deliver_due(network.now, client) == 0
    assert "took longer" in Peer.objects.get().last_error


def test_a_partner_that_left_the_directory(send, deliver, network, line):
    from palermo.node.directory.models import Authority, PublicKey

    send()
    PublicKey.objects.filter(authority__code="BB-POL").delete()
    Authority.objects.filter(code="BB-POL").delete()
    assert deliver() == 0 and line.posts == []
    assert "does not list this partner" in Peer.objects.get().last_error


def test_an_error_of_our_own_is_shown_and_holds_up_nobody_else(send, deliver, line, partner, notes, caplog):
    def broken(message, *, now):
        raise RuntimeError("a bug of ours")

    notes.lost = broken
    from palermo.node.exchange import handlers

    handlers.register("palermo/test.note+v1", handlers.Handler(notes.effect, broken))
    line.answers[BB] = lambda envelope: partner.receipt(envelope, ReceiptStatus.REJECTED)
    send("BB-POL", message_id="b")
    send("CC-FIU", message_id="c")
    assert deliver() == 1
    assert states() == {"b": "queued", "c": "accepted"}
    assert "a bug of ours" in Peer.objects.get(code="BB-POL").last_error
    assert "a bug of ours" in caplog.text
