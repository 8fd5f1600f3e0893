# The verbs of this house. `make help` lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
BIND ?= 127.0.0.1:8000
SERVE ?= 1
TESTS ?=
# One more than the cores of a small machine: many tests wait for servers and workers rather than for a processor.
PROCESSES ?= 3
# Its tests are one conversation with one installation, so they run in one process, one after the other.
CONTRACT := tests/cluster/test_mastoscore_contract.py
ARGS ?=

.PHONY: help demo run test test-wide test-browser test-cluster bench lint types migrations check clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | sort | expand -t 16

demo: .venv/run ## score a sample event on a small fediverse of our own, then serve it (SERVE=0: stop after the score)
	@$(BIN)/python manage.py prepare --quiet
	@exec $(BIN)/python manage.py demo $(if $(filter-out 0,$(SERVE)),--serve --bind $(BIND))

run: .venv/run ## site and worker for real use (BIND=address:port)
	@exec $(BIN)/python manage.py serve --bind $(BIND)

test: .venv/dev ## everything that needs no extra service (TESTS=path for some of it)
	@$(BIN)/python -m pytest -q -n $(PROCESSES) --dist loadgroup -m "not browser and not hugo" $(if $(TESTS),$(TESTS),--ignore=$(CONTRACT))
	@$(if $(TESTS),,$(BIN)/python -m pytest -q $(CONTRACT))

test-wide: .venv/dev ## the same on PostgreSQL and Redis, started for the run, of what stores or counts (needs Debian's postgresql, redis-server)
	@$(BIN)/python tests/wide/run.py -n $(PROCESSES)

test-browser: .venv/dev ## pages in Chromium (needs Debian's chromium), blog page in Hugo (needs Debian's hugo)
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "browser or hugo"

bench: .venv/dev .venv-bench/run ## time, memory and manners of crawl, analysis, API and reader (ARGS="--servers 113 --toots 2000")
	@$(BIN)/python -m tests.bench $(ARGS)

lint: .venv/dev ## style and usual mistakes
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/dev ## mypy, strict
	@$(BIN)/mypy .

migrations: .venv/dev ## models and migrations agree
	@$(BIN)/python manage.py makemigrations --check --dry-run

check: lint types migrations test ## what must be green at each commit

clean: ## remove the virtual environment and caches; data/ stays
	rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A stamp per requirements file: packages are installed again only when the file changed.
.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed and was not found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Say which to use: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making .venv with $(PYTHON) ..."
	@$(PYTHON) -m venv .venv

.venv/run: requirements.txt .venv/bin/python
	@echo "Installing packages ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev: requirements.txt requirements-dev.txt .venv/bin/python
	@echo "Installing packages for development ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/run $@

# The client that the benchmark compares with, apart from everything the program stands on.
.venv-bench/run: requirements-bench.txt
	@echo "Installing the client to compare with ..."
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
