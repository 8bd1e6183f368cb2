# Everything sets itself up: only Python 3.11+, pip, venv and make are needed.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
ALSO ?= python3.13
AUDIT = .venv-audit

.PHONY: run test lint unit coverage also test-long fuzz bench screenshots audit sbom lock clean

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

# What starts processes and browsers runs apart: it would hold up tests that count on a second.
HEAVY = tests/browser tests/fuzz tests/processes
unit: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist worksteal $(HEAVY:%=--ignore=%)
	$(BIN)/pytest -n 3 --dist worksteal $(HEAVY)

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

# The pictures of README.md and docs/using.md, from the sandbox's page in a headless Chromium.
screenshots: $(VENV)/.dev
	$(BIN)/python -m tests.browser.screenshots

# Hostile requests against a real bot; `make fuzz SEED=…` repeats an earlier run.
fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz --requests 100000 $(if $(SEED),--seed $(SEED))

# Known vulnerabilities of what is installed; fails where no list of them can be reached.
audit: $(AUDIT)/.installed
	$(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.txt

# What the bot is made of, in CycloneDX's form; needs no network once its tools are there.
sbom: $(AUDIT)/.installed
	$(AUDIT)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o sbom.json requirements.txt

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
	$(MAKE) .venv-bench/bin/python VENV=.venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

$(AUDIT)/.installed: requirements-audit.txt
	$(MAKE) $(AUDIT)/bin/python VENV=$(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.txt
	@touch $@

clean:
	rm -rf $(VENV) .venv-* sbom.json bench/node/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
