# Everything sets itself up: only Python 3.11+, pip, venv and make are needed.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ALSO ?= python3.13

.PHONY: run test lint unit coverage also test-long bench lock clean

run: $(VENV)/.runtime
	@if [ -n "$$SLACK_BOT_TOKEN" ]; then \
		echo "SLACK_BOT_TOKEN is set: starting the bot (python -m bot serve)"; \
		exec $(BIN)/python -m bot serve; \
	else \
		echo "SLACK_BOT_TOKEN is not set: starting the sandbox (python -m bot sandbox)"; \
		exec $(BIN)/python -m bot sandbox; \
	fi

test: lint unit

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/pytest -n 4 --dist worksteal

# Branch coverage, the processes that the tests start included.
coverage: $(VENV)/.dev
	$(BIN)/pytest -n 4 --dist worksteal --cov --cov-report=term --cov-fail-under=95

# The suite once more on $(ALSO), where it is found and is not the Python used above.
also: $(VENV)/.dev
	@if [ "$$($(ALSO) -V 2>/dev/null)" ] && [ "$$($(ALSO) -V)" != "$$($(BIN)/python -V)" ]; then \
		$(MAKE) unit PYTHON=$(ALSO) VENV=.venv-$(ALSO); \
	fi

# What takes too long for every run, such as 150 notifications at LeadSquared's own limit.
test-long: $(VENV)/.dev
	$(BIN)/pytest -n 3 --dist worksteal -m long --durations=0

# Numbers beside the peers: writes docs/benchmarks.md, in less than 20 minutes on an idle machine.
bench: .venv-bench/.bench
	.venv-bench/bin/python -m bench

# Resolve again for every supported Python and platform; the pinned files carry no index address.
lock:
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml -o requirements.txt
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml --group dev -o requirements-dev.txt
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group audit -o requirements-audit.txt
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml --group bench -o requirements-bench.txt

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; try: make $(MAKECMDGOALS) PYTHON=python3.13"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

.venv-bench/.bench: requirements-bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

clean:
	rm -rf $(VENV) .venv-bench bench/node/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
