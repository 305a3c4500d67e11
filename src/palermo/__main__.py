"""``python -m palermo``: the same as the ``palermo`` command."""

from palermo.cli.main import main

main()
