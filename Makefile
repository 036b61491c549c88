# make demo         the main job on real digits; writes demo/report.html
# make test         linters, type checker, the whole suite: a worker for every core, the longest tests first
# make check        the same without the tests that take long: what to run while writing
# make test-lowest  the suite on the lowest versions that liescope can be installed with, in .venv-lowest
# make fuzz         MUTATIONS=100000 broken files of every format for its reader (FORMAT=film.h5 for one, FUZZ_SEED=1)
# make durations    the whole suite, to measure again what tests take (tests/durations.json)
# make lint         linters and type checker alone
# make format       lets ruff rewrite what it can
# make docs         the documentation site, docs/_build/html/index.html; runs the examples of its gallery
# make bench        speed and accuracy tables (BENCH="accuracy laws" for some of them), from a clean checkout
# make clean        removes everything that was made, .venv and .venv-lowest included
#
# PYTHON=python3.12 chooses the interpreter that .venv is made with; VENV=dir another place for it; WORKERS=1 how many
# tests run at a time. The type checker runs beside the tests; what it says stands after what they say.

PYTHON ?= python3
VENV ?= .venv
BENCH ?=
WORKERS ?= auto
MUTATIONS ?= 100000
FUZZ_SEED ?= 0
FORMAT ?=

python := $(VENV)/bin/python
install := $(python) -m pip install --disable-pip-version-check --constraint constraints.txt --editable
# Stamps: an installation is repeated only when what it depends on has changed.
made := $(VENV)/.made
with_digits := $(VENV)/.installed
with_test := $(VENV)/.installed-test
with_docs := $(VENV)/.installed-docs
with_bench := $(VENV)/.installed-bench
recipe := pyproject.toml constraints.txt
lowest := .venv-lowest

# Processes that the tests start read what was compiled once, whatever the shell says; beside the environment, not the source.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/pycache

# One worker a core, each with one thread. Tests that share something expensive are one group.
parallel := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder --durations=15
# Exits with what the tests said, or the type checker where they said nothing.
define checked
@log=$(VENV)/mypy.log; $(python) -m mypy >$$log 2>&1 & types=$$!; \
	$(python) -m pytest $(parallel) $(1); tests=$$?; \
	wait $$types; types=$$?; cat $$log; \
	[ $$tests -eq 0 ] && [ $$types -eq 0 ]
endef

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo setup test check test-lowest fuzz durations lint format docs bench clean

help:
	@sed -n '/^# make/s/^# //p' Makefile

demo: $(with_digits)
	$(python) examples/demo.py

setup: $(with_test)

test: $(with_test)
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(call checked)

check: $(with_test)
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(call checked,-m "not slow")

# Warnings of old versions of others are not ours to mend, and jaxtyping's check of annotations is that of the newest.
test-lowest: $(lowest)/.installed
	$(lowest)/bin/python -m pytest $(parallel) --jaxtyping-packages= -W default

fuzz: $(with_test)
	MUTATIONS=$(MUTATIONS) FUZZ_SEED=$(FUZZ_SEED) $(python) -m pytest $(parallel) tests/test_fuzz.py -k "mutated and $(or $(FORMAT),mutated)"

durations: $(with_test)
	$(python) -m pytest $(parallel) --write-durations

lint: $(with_test)
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy

format: $(with_test)
	$(python) -m ruff check --fix .
	$(python) -m ruff format .

docs: $(with_docs)
	$(python) -m docs.site

bench: $(with_bench)
	$(python) -m benchmarks $(BENCH)

clean:
	rm -rf "$(VENV)" "$(lowest)" demo build dist docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests examples benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(made):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "expected Python 3.11 or later: try PYTHON=python3.12" >&2; exit 1; }
	test -x $(python) || $(PYTHON) -m venv "$(VENV)" || { rm -rf "$(VENV)"; exit 1; }
	touch $@

$(with_digits): $(made) $(recipe)
	@echo "Installing; the first time this takes a few minutes."
	$(install) '.[digits]'
	touch $@

$(with_test): $(made) $(recipe)
	@echo "Installing; the first time this takes a few minutes."
	$(install) '.[test]'
	touch $@ $(with_digits) $(with_docs) $(with_bench)

$(with_docs): $(made) $(recipe)
	$(install) '.[docs]'
	touch $@ $(with_digits)

$(with_bench): $(made) $(recipe)
	$(install) '.[bench]'
	touch $@ $(with_digits)

$(lowest)/.installed: pyproject.toml lowest.txt
	test -x $(lowest)/bin/python || $(PYTHON) -m venv $(lowest) || { rm -rf $(lowest); exit 1; }
	$(lowest)/bin/python -m pip install --disable-pip-version-check --constraint lowest.txt \
		--editable '.[data,latent,suite]'
	touch $@
