"""The officers of the demo: invited, enrolled with both factors, kept as people with sessions. All are fictitious."""

import secrets
from dataclasses import dataclass, field

from palermo.cli.demo.nodes import Network
from palermo.cli.demo.page import Page
from palermo.cli.demo.person import LogIn, Person

ADMINISTRATOR = "admin"
OFFICERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "investigator": ("Ina Example", ("investigator",)),
    "supervisor": ("Sol Example", ("supervisor",)),
    "central-1": ("Cleo Example", ("central_authority",)),
    "central-2": ("Curt Example", ("central_authority",)),
    "auditor": ("Aud Example", ("auditor",)),
}


@dataclass
class Staff:
    """Everyone who can sign in, by node and username."""

    people: dict[tuple[str, str], Person] = field(default_factory=dict)

    def person(self, node: str, username: str) -> Person:
        """One officer."""
        return self.people[node, username]

    @property
    def log_ins(self) -> list[LogIn]:
        """What the person at the keyboard needs to sign in as anyone."""
        return [person.log_in for person in self.people.values()]

    def enrol(self, network: Network) -> int:
        """Let the administrators in by their links; they invite everyone else. Returns how many can sign in."""
        for code, node in network.nodes.items():
            administrator = self._add(code, node.url, ADMINISTRATOR, ("administrator",))
            administrator.join(network.links[code])
            for username, (full_name, roles) in OFFICERS.items():
                person = self._add(code, node.url, username, roles)
                person.join(_invite(administrator, username, full_name, roles))
        return len(self.people)

    def leave(self) -> None:
        """Everyone closes their connections."""
        for person in self.people.values():
            person.leave()

    def _add(self, node: str, url: str, username: str, roles: tuple[str, ...]) -> Person:
        log_in = LogIn(node, username, roles, "-".join(secrets.token_hex(3) for _ in range(3)))
        self.people[node, username] = Person(url, log_in)
        return self.people[node, username]


def _invite(administrator: Person, username: str, full_name: str, roles: tuple[str, ...]) -> str:
    """Make an officer and return the one-time link; where the page with the link was lost, ask for a new link."""
    facts = {"username": username, "full_name": full_name, "roles": roles, "time_zone": "UTC"}
    page = administrator.try_once("/officers/new/", facts)
    if page is None and not _is_listed(administrator.get("/officers/"), username):
        return _invite(administrator, username, full_name, roles)
    while page is None:
        page = administrator.try_once(f"/officers/{username}/invite/", {})
    return page.value("data-invitation")


def _is_listed(page: Page, username: str) -> bool:
    return username in [row.attributes["data-ref"] for row in page.rows()]
