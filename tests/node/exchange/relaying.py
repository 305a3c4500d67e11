"""Networks with relays, and a line on which this process plays every node itself, one after the other."""

from concurrent.futures import Future
from dataclasses import replace

from palermo.node.directory import actions as directory_actions
from palermo.node.directory import queries
from palermo.sealing import directory as sealed
from palermo.sealing.directory import Role

RELAY_ROLES = (Role.POLICE, Role.RELAY)


def with_entries(network, changes: dict[str, dict], without: tuple[str, ...] = ()) -> None:
    """Import the next version of the directory, in which every member speaks version 2 and some entries differ."""
    version = queries.directory_version()
    entries = tuple(
        replace(member.entry(network.now), **{"protocol": 2, **changes.get(code, {})})
        for code, member in network.members.items()
        if code not in without
    )
    directory = sealed.Directory(
        network="test network",
        version=version + 1,
        created_at=network.now,
        founders=(network.founder.key_id,),
        entries=entries,
        previous_digest=sealed.content_digest(queries.directory_bytes()),
    )
    network.directory = sealed.sign_directory(directory, network.founder)
    directory_actions.import_directory(network.directory, now=network.now)


class InTurn:
    """An executor without threads: a test's transaction belongs to one."""

    def __init__(self, *_, **__) -> None:
        pass

    def __enter__(self) -> "InTurn":
        return self

    def __exit__(self, *_) -> None:
        pass

    def submit(self, work, *arguments) -> Future:
        future = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future
