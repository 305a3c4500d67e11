"""Where a node keeps what it has: every path of a node's home folder is built here.

::

    HOME/
      node.toml          who this node is and where it listens
      secret.key         Django's secret key, mode 0600
      db.sqlite3         the database, unless DATABASE_URL names another
      database-url       that other one, as it was named when the node was made, mode 0600
      keys/              signing and recipient keys, mode 0600
      trust-root.json    the founders' public keys of the network this node joined
      law/               the administrator's files on treaties (docs/reference/law-facts.md), often absent
      lake/              entities and selectors of the holdings (``palermo.lake.paths``)
      blobs/             evidence, content-addressed
      packages/          evidence packages, sent and received
      epochs/            seeds of the running epochs, mode 0600, destroyed when an epoch ends
      publications/      what was published for each epoch and tier
      transfers/         large files on their way, sealed and in pieces (``palermo.node.exchange.files.store``)
      uploads/           files waiting to be loaded
"""

from pathlib import Path

from django.conf import settings


def home() -> Path:
    """The node's home folder."""
    return Path(settings.PALERMO_HOME)


def _folder(name: str) -> Path:
    folder = home() / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def keys_folder() -> Path:
    """Private keys of this authority."""
    return _folder("keys")


def trust_root_file() -> Path:
    """The trust root of the network, given to the administrator out of band."""
    return home() / "trust-root.json"


def agreements_file() -> Path:
    """Agreements in force on which runs may rest, by name, one a line; written by the administrator, often absent."""
    return home() / "agreements.txt"


def lake_folder() -> Path:
    """Root of the lake."""
    return _folder("lake")


def blobs_folder() -> Path:
    """Content-addressed originals of evidence items."""
    return _folder("blobs")


def packages_folder() -> Path:
    """Evidence packages as sent or received."""
    return _folder("packages")


def epoch_seeds_folder() -> Path:
    """Seeds of the running epochs; a seed is destroyed when its epoch ends."""
    return _folder("epochs")


def publications_folder() -> Path:
    """Publications by epoch and tier."""
    return _folder("publications")


def transfers_folder() -> Path:
    """Large files that are being sent or are arriving."""
    return _folder("transfers")


def uploads_folder() -> Path:
    """Files received from an officer's browser that wait for their job."""
    return _folder("uploads")
