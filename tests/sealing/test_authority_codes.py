"""One rule for the codes of authorities, wherever they come in."""

from datetime import UTC, datetime, timedelta

import pytest

from palermo.sealing.directory import MAX_CODE, AuthorityEntry, Role
from palermo.sealing.envelope import Header
from palermo.sealing.errors import FormatError

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def _entry(**changes: object) -> AuthorityEntry:
    fields = {
        "code": "AA-POL",
        "name": "Bureau",
        "jurisdiction": "AA",
        "roles": (Role.POLICE,),
        "languages": ("en",),
        "endpoint": "http://aa.invalid",
        "contact_point": "desk",
        "log_origin": "palermo/AA-POL",
        "signing_keys": (),
    }
    return AuthorityEntry(**(fields | changes))


def _header(**changes: object) -> Header:
    fields = {
        "payload_type": "palermo/test+v1",
        "sender": "AA-POL",
        "recipient": "BB-POL",
        "recipient_key_id": "k" * 32,
        "message_id": "m" * 64,
        "sequence": 1,
        "created_at": NOW,
        "not_after": NOW + timedelta(days=1),
        "directory_version": 1,
    }
    return Header(**(fields | changes))


@pytest.mark.parametrize("code", ["", "x" * (MAX_CODE + 1), "a b", "a\0", "-a", "a/b", "ä"])
def test_a_code_that_no_node_could_keep_is_refused_everywhere(code):
    with pytest.raises(FormatError, match="code"):
        _entry(code=code)
    for name in ("sender", "recipient"):
        with pytest.raises(FormatError, match=name):
            _header(**{name: code})


def test_the_longest_code_is_taken_everywhere():
    code = "x" * MAX_CODE
    assert _entry(code=code).code == _header(sender=code, recipient=code).sender == code


@pytest.mark.parametrize(
    ("name", "longest"),
    [("name", 200), ("jurisdiction", 64), ("endpoint", 300), ("contact_point", 300), ("log_origin", 200)],
)
def test_texts_of_an_entry_are_bounded(name, longest):
    assert getattr(_entry(**{name: "ü" * longest}), name)
    for text in ("ü" * (longest + 1), "a\0"):
        with pytest.raises(FormatError, match=name):
            _entry(**{name: text})
