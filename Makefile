# `make` alone lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
BIN := .venv/bin
# mypy's Django plugin and makemigrations read the settings, and those need a node's home.
CHECK_HOME := build/check-home

.PHONY: help setup demo test test-slow test-postgresql check format types docs bench clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-16s %s\n", $$1, $$2}'

setup: ## Set up all that the other targets need (they call it themselves)
	@scripts/setup.sh dev

demo: ## Run the whole road over three nodes, then serve their sites until Ctrl-C (ARGS="--lists DIR")
	@scripts/setup.sh runtime
	@$(BIN)/palermo demo $(ARGS)

test: setup ## Run the tests in parallel, with branch coverage and its gate (ARGS="-k word")
	@rm -f .coverage .coverage.*
	@$(BIN)/pytest -n auto --dist worksteal -m "not slow" --cov --cov-report=term:skip-covered $(ARGS)

test-slow: setup ## Run the tests that take long: kills, large files, long searches, real lists in whole
	@$(BIN)/pytest -n auto --dist worksteal -m slow $(ARGS)

test-postgresql: setup ## Run the tests once more, on a PostgreSQL server that the run starts and stops
	@PALERMO_TEST_DATABASE=postgresql $(BIN)/pytest -n auto --dist worksteal -m "not slow" $(ARGS)

check: setup $(CHECK_HOME) ## Format, lint, types, import contracts, migrations, docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(MAKE) --no-print-directory types
	@$(BIN)/lint-imports --no-logo
	@PALERMO_HOME=$(CHECK_HOME) DJANGO_SETTINGS_MODULE=palermo.config.settings $(BIN)/python -m django makemigrations --check --dry-run
	@$(MAKE) --no-print-directory docs

format: setup ## Format the code and mend what the linter can
	@$(BIN)/ruff check --fix-only -q . ; $(BIN)/ruff format .

types: setup $(CHECK_HOME) ## Check types (mypy, strict)
	@PALERMO_HOME=$(CHECK_HOME) $(BIN)/mypy

docs: setup ## Build the documentation into site/, every link checked
	@$(BIN)/mkdocs build --strict --quiet

bench: setup ## Print every benchmark: ratios against a peer or a limit measured in the same run
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

clean: ## Remove everything that was built or installed here
	@rm -rf .venv build dist site .coverage* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
	  islands/node_modules src/palermo/web/static/dist src/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(CHECK_HOME):
	@$(BIN)/python -c "from pathlib import Path; from palermo.config import node_file; \
	node_file.create(Path('$(CHECK_HOME)'), node_file.NodeFile('AA-CHECK', https=False))"
