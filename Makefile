# Every target does its own set-up; a second run finds it done.
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCKS := requirements.lock requirements-no-deps.lock
KERNELS := hatch_build.py $(wildcard vidstyle/kernels/*.[ch])
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header
# Where nothing compiled is kept, each run compiles all tests and the package again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo lint check test lock upgrade clean

help:
	@echo "make demo     stylize the sample clip"
	@echo "make lint     format, lint, types, layers"
	@echo "make check    the same, and the fast tests"
	@echo "make test     all tests; TESTS=tests/core runs some"
	@echo "make lock     update the lock files after a change of pyproject.toml (needs uv)"
	@echo "make upgrade  update the lock files to the newest versions (needs uv)"

setup: $(READY)

$(READY): pyproject.toml $(LOCKS) $(KERNELS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "vidstyle needs Python 3.11 or newer: make PYTHON=python3.12"; exit 1; }
ifdef UV
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --no-deps \
		-r requirements-no-deps.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) \
		|| { echo "Python's venv and pip are needed: install python3-venv, or uv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--no-deps -r requirements-no-deps.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation -e .
endif
	@touch $@

demo: $(READY)
	@mkdir -p out
	$(BIN)/vidstyle run pipelines/temporal.yaml samples/demo.mp4 -o out/demo.mp4 --overwrite

lint: $(READY)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

check: lint
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not slow"

test: $(READY)
	$(BIN)/pytest -q -n 2 --dist worksteal $(TESTS)

# Versions in the locks stay as they are; `make upgrade` takes the newest.
lock upgrade:
	$(COMPILE) $(if $(filter upgrade,$@),--upgrade) --group dev --extra ptlflow pyproject.toml \
		-o requirements.lock
	$(COMPILE) $(if $(filter upgrade,$@),--upgrade) --no-deps --group pyproject.toml:no-deps \
		-o requirements-no-deps.lock

clean:
	rm -rf $(VENV) out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
