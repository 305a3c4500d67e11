"""Lines, CSV rows and XML records within bounds; grouping on disk."""

from pathlib import Path

import pytest

from palermo.intake import records, rows
from palermo.intake.errors import MAX_ROW_CHARACTERS, IntakeError, Reject, RowError
from palermo.intake.grouping import RowGroups, SeenIds
from palermo.intake.records import xml_records
from palermo.intake.rows import csv_rows

RECORD = frozenset({"REC"})


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "input"
    path.write_bytes(content)
    return path


def read_rows(path: Path, **options: bool) -> tuple[list[tuple[int, list[str]]], list[Reject]]:
    rejects: list[Reject] = []
    return list(csv_rows(path, rejects.append, **options)), rejects


def test_rows_know_the_line_they_start_on(tmp_path: Path) -> None:
    found, rejects = read_rows(written(tmp_path, b'\xef\xbb\xbfa,b\r\n"x\ny",2\n\n3,4\n\x1a'))
    assert found == [(1, ["a", "b"]), (2, ["x\ny", "2"]), (5, ["3", "4"])]
    assert rejects == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"a\x00b,c\n", "NUL"),
        (b"caf\xe9,c\n", "no UTF-8"),
        (b'"a"b,c\n', "not CSV"),
        (b"x" * (rows.MAX_CELL_CHARACTERS + 1) + b",c\n", "characters"),
        (b"x" * (rows.MAX_LINE_BYTES + 5) + b",c\n", "bytes"),
    ],
)
def test_a_bad_row_is_rejected_and_the_rest_is_read(tmp_path: Path, bad: bytes, reason: str) -> None:
    found, rejects = read_rows(written(tmp_path, b"a,b\n" + bad + b"c,d\n"))
    assert [row for _, row in found] == [["a", "b"], ["c", "d"]]
    assert [(reject.line, reason in reject.reason) for reject in rejects] == [(2, True)]


def test_an_unclosed_quote_names_the_lines_it_swallowed(tmp_path: Path) -> None:
    found, rejects = read_rows(written(tmp_path, b'a,b\n"c,d\ne,f\n'))
    assert [row for _, row in found] == [["a", "b"]]
    assert "lines 2 to 3" in rejects[0].reason


def test_windows_1252_only_where_the_source_is_known_to_use_it(tmp_path: Path) -> None:
    found, _ = read_rows(written(tmp_path, b"caf\xe9,c\n\xe2\x82\xac,d\n"), legacy=True)
    assert [row[0] for _, row in found] == ["café", "€"]


def test_progress_adds_up_to_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\nc,d\n")
    steps: list[int] = []
    list(csv_rows(path, lambda _: None, steps.append))
    assert sum(steps) == path.stat().st_size


def test_a_long_row_is_cut_in_the_report() -> None:
    reject = Reject.of(Path("f"), 1, RowError("why"), "x" * (MAX_ROW_CHARACTERS + 1) + "\udcff")
    assert len(reject.row) == MAX_ROW_CHARACTERS + 1
    assert reject.row.endswith("…")


def read_records(path: Path) -> list[records.Element]:
    return list(xml_records(path, "ROOT", RECORD))


def test_records_carry_text_values_and_lines(tmp_path: Path) -> None:
    xml = (
        b"<ROOT>\n<SKIP><A>no</A></SKIP>\n<REC><A> x\n y </A><A/><B><VALUE>1</VALUE><VALUE>2</VALUE></B></REC>\n</ROOT>"
    )
    (record,) = read_records(written(tmp_path, xml))
    assert record.line == 3
    assert record.get("A") == "x y"
    assert record.texts("A") == ["x y"]
    assert record.values("B") == ["1", "2"]
    assert record.get("C") == ""
    assert record.brief() == "<REC><A>x y</A><A></A><B><VALUE>1</VALUE><VALUE>2</VALUE></B></REC>"


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]><ROOT><REC>&lol3;</REC></ROOT>"""
OUTSIDE = b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><ROOT><REC>&x;</REC></ROOT>'


@pytest.mark.parametrize(
    ("xml", "fault"),
    [
        (LAUGHS, "document type"),
        (OUTSIDE, "document type"),
        (b"<!DOCTYPE ROOT><ROOT/>", "document type"),
        (b"<ROOT><REC>&undefined;</REC></ROOT>", "not well-formed"),
        (b"<ROOT><REC></ROOT>", "not well-formed"),
        (b"<ROOT><REC>\x00</REC></ROOT>", "not well-formed"),
        (b"just words", "not well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><ROOT/>', "not well-formed"),
        (b"<OTHER/>", "root element"),
        (b"<ROOT>" + b"<d>" * 10_000, "deeper"),
        (b"<ROOT><REC>" + b"x" * (records.MAX_RECORD_CHARACTERS + 1) + b"</REC></ROOT>", "characters"),
        (b"<ROOT><REC>" + b"<a/>" * records.MAX_RECORD_ELEMENTS + b"</REC></ROOT>", "elements"),
        (b"<ROOT><!--" + b"x" * (records.MAX_TOKEN_BYTES + (1 << 18)), "bytes"),
    ],
)
def test_hostile_xml_is_refused(tmp_path: Path, xml: bytes, fault: str) -> None:
    with pytest.raises(IntakeError, match=fault) as caught:
        read_records(written(tmp_path, xml))
    assert caught.value.path == tmp_path / "input"


def test_ids_are_seen_once() -> None:
    seen = SeenIds()
    seen.add("a", 3)
    seen.add("b", 4)
    with pytest.raises(RowError, match="line 3"):
        seen.add("a", 9)
    seen.close()


def test_rows_group_in_the_order_their_keys_came() -> None:
    groups = RowGroups()
    for line, (key, value) in enumerate([("b", "1"), ("a", "2"), ("b", "3"), ("c", "4")], 1):
        groups.add(key, line, [key, value])
    assert list(groups.groups()) == [(1, [["b", "1"], ["b", "3"]]), (2, [["a", "2"]]), (4, [["c", "4"]])]
    assert groups.take("b") == [["b", "1"], ["b", "3"]]
    assert groups.take("b") == []
    assert list(groups.left()) == [(2, ["a", "2"]), (4, ["c", "4"])]
    groups.close()
