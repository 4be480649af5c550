# Safelight: everything a newcomer needs. Each target makes its own environment first, so that
# `make demo` and `make test` work from a bare checkout with no network but the package index.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV_VERSION := 0.13.9
# Ruff and mypy look at these; a folder is named here once it exists.
CODE := $(wildcard hatch_build.py src corpus bench scripts demo training extras tests)

# uv must use the environment made here, fetch no interpreter, and trust what the system trusts
# (hospital networks often stand behind their own certificate).
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := 1
endif

.PHONY: help demo demo-learning readers test check lint bench flower wheel compiled docs clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(READY) ## de-identify real files with planted names and show what was found
	@$(BIN)/python demo/run.py

test: $(READY) ## run the test suite (no network)
	@$(BIN)/pytest -n 2 --dist worksteal

lint: $(READY) ## formatting, lint, types and layers
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check: lint test ## everything a change must pass (lint, then test; the tests also compare the documents)

bench: $(READY) ## speed beside other tools, memory, masks, log and submissions
	@$(BIN)/python bench/speed.py
	@$(BIN)/python bench/memory.py
	@$(BIN)/python bench/burned.py
	@$(BIN)/python bench/masking.py
	@$(BIN)/python bench/tlog.py
	@$(BIN)/python bench/submissions.py
	@OMP_NUM_THREADS=1 $(BIN)/python bench/readers.py
	@$(BIN)/python bench/learning.py
	@$(BIN)/python bench/federated.py
	@$(BIN)/python bench/feedback.py
	@$(BIN)/python bench/pages.py
	@$(BIN)/python bench/uploads.py

flower: $(READY) ## run two sites over Flower's own engine, in an environment of its own
	@cd extras/flower && $(CURDIR)/$(BIN)/uv sync --frozen --quiet && $(CURDIR)/$(BIN)/uv run --frozen python try_engine.py

DATA ?= data
MORE ?= more
readers: $(READY) ## make the readers that ship anew from the images in DATA and MORE (training/kind/more.py)
	@$(BIN)/python -m training.readers.bank --data $(DATA)
	@$(BIN)/python -m training.readers.matrix --data $(DATA)
	@$(BIN)/python -m training.readers.even --data $(DATA)
	@$(BIN)/python -m training.readers.build --data $(DATA)
	@$(BIN)/python -m training.kind.make --data $(DATA) --more $(MORE)

demo-learning: $(READY) ## 60 invented people give, clinicians correct, two take back: what became of the models
	@$(BIN)/python demo/story.py

wheel: $(READY) ## build the wheel for this platform into dist/, its engine compiled (needs gcc, python3-dev)
	@rm -f dist/*.whl
	@HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(BIN)/python -m hatchling build -t wheel

compiled: wheel ## run the test suite on the compiled wheel
	@rm -rf build/compiled && $(BIN)/python -m zipfile -e dist/*.whl build/compiled
	@PYTHONPATH=$(CURDIR)/build/compiled $(BIN)/pytest -n 2 --dist worksteal -m "not inside"

docs: $(READY) ## regenerate the documents that are made from code
	@$(BIN)/python scripts/make_docs.py

clean: ## remove the environment, caches and the demo's output
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# When the index that uv.lock names cannot be reached, the same files (checked against the same
# hashes) are taken from whatever index pip is set up for.
$(READY): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Safelight needs Python 3.11 or newer as $(PYTHON). On Debian or Ubuntu:"; \
	  echo "  apt-get install -y make python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is missing. On Debian or Ubuntu:"; \
	  echo "  apt-get install -y python3-venv"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/uv --version 2>/dev/null | grep -q "uv $(UV_VERSION)" || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv sync --locked --inexact --quiet --python $(BIN)/python || { \
	  echo "uv could not install from the index named in uv.lock; trying pip's own index"; \
	  $(BIN)/uv export --frozen --quiet --no-emit-project --output-file $(VENV)/locked.txt; \
	  $(BIN)/python -m pip install --quiet --require-hashes -r $(VENV)/locked.txt; \
	  $(BIN)/python -m pip install --quiet --no-deps --editable .; }
	@touch $@
