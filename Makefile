# Earshot's everyday commands. The first one prepares .venv; afterwards nothing is installed again until a lock changes.
MAKEFLAGS += --no-builtin-rules
# Hundreds of processes are started here; one that has to compile its modules anew takes twice as long to start.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The development packages contain those of the local installation, so whoever has them keeps them.
CASES ?= ../shared/cases

INSTALLED := $(if $(wildcard $(VENV)/.dev),$(VENV)/.dev,$(VENV)/.local)

.PHONY: help up down logs doctor test faults faults-long fuzz cases audit lint schemas lock
.DEFAULT_GOAL := help

help:
	@echo "make up       start everything on this machine, without Docker or Java"
	@echo "make down     stop it; the data are kept"
	@echo "make logs     show what the services say"
	@echo "make doctor   what is there, what is missing, what to do"
	@echo "make test     the tests"
	@echo "make faults   an hour or more of faults under load, then the verdict: make faults EVENTS=100000 SEED=7"
	@echo "make faults-long   scale, rolling restart, an older release, and the suite on trial: minutes"
	@echo "make fuzz     every HTTP operation with thousands of odd inputs: make fuzz EXAMPLES=200 SEED=7"
	@echo "make cases    the reference cases of a folder: make cases CASES=folder"
	@echo "make audit    secrets in the history, known faults of the dependencies"
	@echo "make bench    how fast it is, on a Kafka and a PostgreSQL of its own; figures go to docs/benchmarks"
	@echo "make lint     style, types, architecture, schemas"
	@echo "make schemas  write the event schemas anew"
	@echo "make lock     resolve the dependencies anew"

up: $(INSTALLED)
	@$(BIN)/earshot up

down: $(INSTALLED)
	@$(BIN)/earshot down

logs: $(INSTALLED)
	@$(BIN)/earshot logs --follow

doctor: $(INSTALLED)
	@$(BIN)/earshot doctor

test: $(VENV)/.dev
	@folder=$$(mktemp -d) && chmod 755 "$$folder" && trap 'rm -rf "$$folder"' EXIT INT TERM && \
		TMPDIR="$$folder" $(BIN)/pytest --numprocesses auto --dist loadgroup

faults: $(VENV)/.dev
	@$(BIN)/python -m tests.faults $(if $(EVENTS),--events $(EVENTS)) $(if $(SEED),--seed $(SEED))

faults-long: $(VENV)/.dev
	@$(BIN)/pytest -m long tests/faults

fuzz: $(VENV)/.dev
	@$(BIN)/python -m tests.openapi $(if $(EXAMPLES),--examples $(EXAMPLES)) $(if $(SEED),--seed $(SEED))

cases: $(VENV)/.dev
	@$(BIN)/python -m tests.cases "$(CASES)"

audit: $(VENV)/.dev
	@$(BIN)/python -m tests.audit

bench: $(VENV)/.dev
	@$(BIN)/python -m tests.bench $(BENCH)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m shared.contract.schemas check
	@$(BIN)/python -m deploy.kafka.strimzi check
	@$(BIN)/python -m deploy.kubernetes.render check
	@$(BIN)/python -m deploy.monitoring.dashboard check

schemas: $(VENV)/.dev
	@$(BIN)/python -m shared.contract.schemas write
	@$(BIN)/python -m deploy.kafka.strimzi write
	@$(BIN)/python -m deploy.kubernetes.render write
	@$(BIN)/python -m deploy.monitoring.dashboard write

lock:
	@for lock in runtime: local:'--extra local' dev:'--extra local --extra dev'; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url pyproject.toml $${lock#*:} --output-file requirements/$${lock%%:*}.lock || exit 1; done

$(VENV)/.local $(VENV)/.dev: $(VENV)/.%: requirements/%.lock pyproject.toml $(VENV)/.uv
	@echo "Installing the packages of $<"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $<
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.uv: requirements/uv.lock
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Python 3.11 or newer is needed: install it, or name it with make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$$($(PYTHON) --version) is too old, 3.11 or newer is needed; name one with make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv module; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "Preparing $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
