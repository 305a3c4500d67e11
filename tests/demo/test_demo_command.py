"""The demo's folder and lists: nothing of anybody's is emptied, and a missing list is named."""

from pathlib import Path

import pytest
import typer

from palermo.cli.demo import command, lists
from palermo.cli.demo.lists import Comparison, ListHolding
from palermo.cli.demo.nodes import DemoError, run_palermo
from palermo.cli.demo.stage import until

MARKER = "made-by-palermo-demo"


def test_a_folder_with_other_things_is_never_emptied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.txt").write_text("mine", "utf-8")
    with pytest.raises(typer.Exit) as stopped:
        command._fresh_folder(tmp_path)
    assert stopped.value.exit_code == 2
    assert "Choose an empty folder" in capsys.readouterr().err
    assert (tmp_path / "letter.txt").read_text("utf-8") == "mine"


def test_a_folder_of_an_earlier_demo_is_emptied(tmp_path: Path) -> None:
    folder = command._fresh_folder(tmp_path / "demo")
    (folder / "XV-POL").mkdir()
    assert [path.name for path in command._fresh_folder(folder).iterdir()] == [MARKER]


def test_an_empty_and_an_absent_folder_are_taken(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "absent/below"):
        assert [path.name for path in command._fresh_folder(tmp_path / name).iterdir()] == [MARKER]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", "utf-8")
    with pytest.raises(typer.Exit):
        command._fresh_folder(tmp_path / "file")
    assert (tmp_path / "file").read_text("utf-8") == "mine"


def make_lists(folder: Path, *without: str) -> Path:
    names = ("un/un_2018-06.xml", "un/un_2025-04.xml", "ofac/2025_sdn.csv", "uk/conlist_2018-06.csv")
    for name in names:
        if name not in without:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
    return folder


@pytest.mark.parametrize("name", ["ofac/2025_sdn.csv", "uk/conlist_2018-06.csv"])
def test_a_missing_list_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(DemoError, match=f"has no {name.partition('/')[0]}/"):
        lists.comparisons(make_lists(tmp_path, name))


def test_lists_are_paired_by_their_time(tmp_path: Path) -> None:
    newest, earlier = lists.comparisons(make_lists(tmp_path))
    assert (newest.name, earlier.name) == ("un-ofac", "un-uk")
    assert [path.name for path in newest.ours.files] == ["un_2025-04.xml"]
    assert [path.name for path in newest.theirs.files] == ["2025_sdn.csv", "2025_alt.csv", "2025_add.csv"]
    assert [path.name for path in earlier.ours.files] == ["un_2018-06.xml"]


class Holding(ListHolding):
    """A list of the persons named here."""

    def people(self) -> set[str]:
        return {path.name for path in self.files}


def test_recall_is_held_against_the_known_pairs_of_what_was_loaded(tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    truth.mkdir()
    rows = ["src_a,id_a,src_b,id_b,type", "un,1,ofac,1,P", "un,2,ofac,2,P", "un,3,ofac,3,P", "un,9,ofac,9,P"]
    rows += ["un,1,uk_2018,1,P", "un,4,ofac,4,E"]
    (truth / "cross_list_pairs.csv").write_text("\n".join(rows), "utf-8")
    ours = Holding("N", "un-newest", "", "", "un-sc", tuple(Path(f"un-{n}") for n in (1, 2, 3, 5)))
    theirs = Holding("N", "ofac-sdn", "", "", "ofac-sdn", tuple(Path(f"ofac-{n}") for n in (1, 2, 3, 5)))
    pairs = {("un-1", "ofac-1"), ("un-2", "ofac-2"), ("un-5", "ofac-5"), ("un-4", "ofac-4")}
    counts = lists.recall(tmp_path / "lists", Comparison(ours, theirs), pairs)
    assert counts == {
        "pairs": 4,
        "person_pairs": 3,
        "known": 3,
        "found": 2,
        "recall_percent": 66,
        "not_in_truth": 1,
    }


def test_a_command_that_ends_otherwise_says_how(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"ended with 2: .* does not exist"):
        run_palermo("node", "check", "--home", tmp_path / "absent")


def test_what_does_not_come_is_named() -> None:
    assert until(lambda: "here", "it") == "here"
    with pytest.raises(DemoError, match="the package: nothing came within 0 seconds"):
        until(lambda: "", "the package", seconds=0.0)
