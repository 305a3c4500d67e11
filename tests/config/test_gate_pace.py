"""One address's pace: never more than its bucket and its rate allow, whoever else asks, and in bounded memory."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palermo.config.gate import Bounds, Gate
from palermo.config.gate_pace import Pace

asks = st.lists(
    st.tuples(st.floats(0, 3), st.sampled_from(["a", "b", "c"]), st.floats(0.1, 4)), min_size=1, max_size=200
)


@given(asks, st.floats(0.5, 20), st.floats(1, 30))
def test_no_key_has_more_than_its_bucket_and_its_rate(schedule, rate, burst) -> None:
    pace, now = Pace(rate, burst, most_keys=10), 0.0
    had: dict[str, float] = {}
    for pause, key, units in schedule:
        now += pause
        if not pace.wait(key, now):
            pace.charge(key, units, now)
            had[key] = had.get(key, 0.0) + units
    for units in had.values():
        assert units <= burst + rate * now + 4 + 1e-6  # one that was begun within bounds may end outside them


@given(asks, st.floats(0.5, 20), st.floats(1, 30))
def test_after_its_wait_a_key_may_ask(schedule, rate, burst) -> None:
    pace, now = Pace(rate, burst, most_keys=10), 0.0
    for pause, key, units in schedule:
        now += pause
        pace.charge(key, units, now)
        assert pace.wait(key, now + pace.wait(key, now) + 1e-6) == 0


def test_one_in_haste_delays_no_other() -> None:
    pace = Pace(rate=1, burst=3, most_keys=10)
    for _ in range(100):
        pace.charge("hasty", 1, 0.0)
    assert (pace.wait("hasty", 0.0), pace.wait("patient", 0.0)) == (97, 0)


def test_many_addresses_cost_no_memory() -> None:
    pace = Pace(rate=1, burst=3, most_keys=50)
    for number in range(10_000):
        pace.charge(number, 5, number / 1000)
        assert len(pace) <= 50


def _ask(gate: Gate, body: bytes = b"") -> tuple[int, dict[bytes, bytes]]:
    """One post through the gate: its status and headers."""
    said: list[dict] = []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/exchange/v2/parcels",
        "raw_path": b"/exchange/v2/parcels",
        "query_string": b"",
        "headers": [(b"content-length", str(len(body)).encode())],
        "client": ("127.0.0.9", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> dict:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict) -> None:
        said.append(message)

    async def one() -> None:
        await gate(scope, receive, send)

    asyncio.run(one())
    return said[0]["status"], dict(said[0]["headers"])


def _application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"read"]


@pytest.mark.parametrize(("body", "answered"), [(b"", 5), (bytes(4 << 20), 1)])
def test_the_gate_says_when_to_go_on(body: bytes, answered: int) -> None:
    """A rate so low that no time passes that counts: five small posts fill the bucket, or one large one."""
    gate = Gate(_application, Bounds(rate=0.001, burst=4.5), behind_proxy=False)
    statuses = [_ask(gate, body)[0] for _ in range(answered)]
    status, headers = _ask(gate, body)
    assert (statuses, status) == ([200] * answered, 429)
    assert int(headers[b"retry-after"]) > 60
