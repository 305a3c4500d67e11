"""The bell of the worker: it rings when something was written, by anyone, and never is a change missed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from palermo.config.bell import Bell
from palermo.node.office.models import AuditRow

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def write() -> None:
    """Commit a row from another thread, as the web server does from another process."""

    def act() -> None:
        AuditRow.objects.create(at=NOW, verb="bell.rung", target="nothing")
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(act).result()


def test_a_commit_of_anyone_moves_the_mark() -> None:
    bell = Bell(threading.Event())
    before = bell._look()
    write()
    assert bell._look() != before


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's mark moves with all that its server does")
def test_a_look_does_not_move_the_mark() -> None:
    bell = Bell(threading.Event())
    write()
    before = bell._look()
    AuditRow.objects.count()
    assert bell._look() == before


def test_who_waits_is_woken_and_what_was_written_before_is_not_missed() -> None:
    stop = threading.Event()
    bell = Bell(stop)

    def listen() -> None:
        try:
            bell.listen()
        finally:
            connection.close()

    listening = threading.Thread(target=listen)
    listening.start()
    try:
        for _ in range(3):
            times = bell.times
            write()
            for _ in range(60):
                bell.wait(times)
            assert bell.times > times
    finally:
        stop.set()
        listening.join()


def test_everyone_waiting_is_let_go_when_the_worker_stops() -> None:
    stop = threading.Event()
    bell = Bell(stop)
    stop.set()
    bell.wait(bell.times)
    with transaction.atomic():
        bell.listen()
    assert bell.times == 1
