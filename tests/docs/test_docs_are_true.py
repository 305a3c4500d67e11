"""What the prose promises exists: links, commands, targets; and the repository names no registry and no machine."""

import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from palermo.cli.main import COMMANDS, app, load

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^|[\s`(/])palermo ([a-z]+(?: [a-z]+(?:-[a-z]+)*)?)", re.MULTILINE)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def commands() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, entry in COMMANDS.items():
        found[name] = set(getattr(load(name, entry), "commands", {}))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    dead = [link for link in LINK.findall(text) if "://" not in link and not (page.parent / link).exists()]
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    known = commands()
    for block in re.findall(r"```[a-z]*\n(.*?)```|`(palermo [^`]+)`", page.read_text("utf-8"), flags=re.DOTALL):
        for words in COMMAND.findall("\n".join(block)):
            name, _, sub = words.strip().partition(" ")
            assert name in known, f"{page.name}: palermo {words}"
            if sub and known[name]:
                assert sub in known[name], f"{page.name}: palermo {words}"


def test_the_reference_lists_every_command() -> None:
    text = (ROOT / "docs/reference/commands.md").read_text("utf-8")
    for name, subcommands in commands().items():
        for full in [f"{name} {sub}" for sub in subcommands] or [name]:
            assert f"palermo {full}" in text, full


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"^make ([a-z]+)|`make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE):
            assert set(filter(None, target)) <= targets, f"{page.name}: make {target}"


def test_make_alone_lists_each_target_in_one_line() -> None:
    printed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    named = {line.split()[1] for line in printed}
    assert {"demo", "test", "setup", "check", "docs", "bench", "clean"} <= named


def test_locks_have_a_hash_for_everything_and_name_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text("utf-8")
        blocks = re.split(r"\n(?=[a-z0-9])", text)
        assert all("--hash=sha256:" in block for block in blocks if "==" in block), lock.name
        assert "://" not in text and "--index" not in text, lock.name
    assert "resolved" not in (ROOT / "islands/package-lock.json").read_text("utf-8")


def test_no_file_names_a_registry_or_this_machine() -> None:
    hosts = ["py" + "pi.org", "pythonhosted" + ".org", "registry.npm" + "js", "deb.debian" + ".org"]
    paths = [str(ROOT), "/ro" + "ot/"]
    for file in tracked():
        if file.suffix in {".png"}:
            continue
        text = file.read_text("utf-8", errors="replace")
        for word in [*hosts, *paths]:
            assert word not in text, f"{file.relative_to(ROOT)} names {word}"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert len(result.output) > 100
