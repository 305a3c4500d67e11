"""A furnished node behind a real web server, and Debian's Chromium."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from palermo.config import node_file
from palermo.config.serve import commands

HERE = Path(__file__).resolve().parent
FURNISHING = HERE.parent / "web" / "furnishing.py"
AXE = HERE.parents[1] / "islands" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = "/usr/bin/chromium"
PASSWORD = "correct horse battery staple"
DESKTOP, PHONE = (1280, 900), (360, 740)


def load(name: str) -> ModuleType:
    """A module of this folder, once for all tests here."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


walking, *_ = [load(name) for name in ("walking", "watching", "keyboard", "desks")]


@dataclass
class Site:
    """A node's address, what is in it, and its officers' second-factor secrets."""

    url: str
    objects: dict[str, str]
    secrets: dict[str, str]
    token: str
    home: Path

    def address(self, path: str) -> str:
        """A path with the names of objects filled in."""
        return self.url + path.format(**self.objects)


def clean_environment() -> dict[str, str]:
    """The environment without what points the tests' own process at its home."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PALERMO", "DJANGO"))}


def start(part: str, home: Path) -> subprocess.Popen:
    """Start a part of a node as a process."""
    environment = clean_environment() | {
        "PALERMO_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "palermo.config.settings",
    }
    return subprocess.Popen(commands(node_file.read(home))[part], env=environment)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server stopped by itself"
        try:
            if httpx.get(f"{url}/healthz").text == "ok\n":
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[Site]:
    """The web server of a furnished node, as a process on a free port."""
    folder, port = tmp_path_factory.mktemp("browser"), free_port()
    clean = clean_environment()
    made = subprocess.run(
        [sys.executable, str(FURNISHING), str(folder), str(port)],
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    furnished = json.loads(made.stdout)
    process = start("web server", Path(furnished["home"]))
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(url, process)
        yield Site(url, furnished["objects"], furnished["secrets"], furnished["token"], Path(furnished["home"]))
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, gone after each file: while Playwright's loop runs, Django refuses to touch a database."""
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is absent: apt-get install chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sessions(site) -> dict[str, dict]:
    """Signed-in sessions by officer, filled as they are needed: each officer signs in once."""
    return {}


@pytest.fixture
def open_as(site, chromium, sessions) -> Iterator:
    """``open_as("investigator", size=PHONE)``: a page of this officer's browser; strict about console errors."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(officer: str = "", size: tuple[int, int] = DESKTOP, *, javascript: bool = True) -> Page:
        if officer and officer not in sessions:
            context = chromium.new_context()
            page = context.new_page()
            username = officer.replace("_", ".")
            walking.sign_in(page, site.url, username, PASSWORD, site.secrets[officer])
            sessions[officer] = context.storage_state()
            context.close()
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            storage_state=sessions.get(officer),
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        # A page policy that refuses something of ours says so here.
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    unexpected = [text for text in complaints if "the server responded with a status of" not in text]
    assert not unexpected, unexpected


@pytest.fixture(scope="session")
def screenshots() -> Path | None:
    """The folder for pictures of pages, if ``PALERMO_SCREENSHOTS`` names one."""
    if not os.environ.get("PALERMO_SCREENSHOTS"):
        return None
    folder = Path(os.environ["PALERMO_SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def worker(site):
    """``worker()`` starts the node's worker; the test ends it."""
    return lambda: start("worker", site.home)


@pytest.fixture(name="walking", scope="session")
def walking_fixture():
    """What a person does on the pages."""
    return walking


@pytest.fixture(scope="session")
def axe() -> str:
    """Source of axe-core."""
    assert AXE.is_file(), "axe-core is not installed: make setup"
    return AXE.read_text("utf-8")
