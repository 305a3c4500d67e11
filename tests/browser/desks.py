"""The officers of several nodes, each at a browser of their own that is watched."""

import secrets
from dataclasses import dataclass, field

import walking
from playwright.sync_api import Browser, Page
from watching import Watch

from palermo.cli.demo.person import LogIn

DESKTOP = {"width": 1280, "height": 900}


@dataclass
class Desk:
    """One officer's browser at one node."""

    url: str
    username: str
    page: Page
    password: str = field(default_factory=lambda: secrets.token_hex(9))
    secret: str = ""

    def join(self, link: str) -> None:
        """Use the one-time link, then sign in from the page with the recovery codes."""
        self.secret = walking.join(self.page, link, self.password)
        self.sign_in()

    def sign_in_as(self, log_in: LogIn) -> None:
        """Sign in as someone who joined elsewhere."""
        self.password, self.secret = log_in.password, log_in.secret
        self.sign_in()

    def sign_in(self) -> None:
        """Sign in with both factors."""
        walking.sign_in(self.page, self.url, self.username, self.password, self.secret)


@dataclass
class Offices:
    """Every desk, by node and username. ``urls``: where each node is."""

    browser: Browser
    watch: Watch
    urls: dict[str, str]
    desks: dict[tuple[str, str], Desk] = field(default_factory=dict)

    def furnish(self, node: str, username: str) -> Desk:
        """A new browser for an officer."""
        context = self.browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
        page = context.new_page()
        self.watch.listen(page)
        walking.watch(page, self.watch.look)
        self.desks[node, username] = Desk(self.urls[node], username, page)
        return self.desks[node, username]

    def at(self, node: str, username: str) -> tuple[Page, str]:
        """An officer's page and the address of the node: what every step of :mod:`walking` begins with."""
        desk = self.desks[node, username]
        return desk.page, desk.url

    def close(self) -> None:
        """Look at the pages that are still open, then close the browsers."""
        for desk in self.desks.values():
            walking.leave(desk.page)
            desk.page.context.close()
