# make demo    the main job on real digits; writes demo/report.html
# make test    linters, type checker, the whole suite
# make lint    linters and type checker alone
# make format  lets ruff rewrite what it can
# make docs    the documentation site, docs/_build/html/index.html; runs the examples of its gallery
# make bench   speed and accuracy tables (BENCH="accuracy laws" for some of them), from a clean checkout
# make clean   removes everything that was made, .venv included
#
# PYTHON=python3.12 chooses the interpreter that .venv is made with; VENV=dir another place for it.

PYTHON ?= python3
VENV ?= .venv
BENCH ?=

python := $(VENV)/bin/python
install := $(python) -m pip install --disable-pip-version-check --constraint constraints.txt --editable
# Stamps: an installation is repeated only when what it depends on has changed.
made := $(VENV)/.made
installed := $(VENV)/.installed
with_test := $(VENV)/.installed-test
with_docs := $(VENV)/.installed-docs
with_bench := $(VENV)/.installed-bench
recipe := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format docs bench clean

help:
	@sed -n '/^# make/s/^# //p' Makefile

demo: $(installed)
	$(python) examples/demo.py

test: lint
	$(python) -m pytest

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
	rm -rf "$(VENV)" demo build dist docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests examples benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(made):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "expected Python 3.11 or later: try PYTHON=python3.12" >&2; exit 1; }
	test -x $(python) || $(PYTHON) -m venv "$(VENV)" || { rm -rf "$(VENV)"; exit 1; }
	touch $@

$(installed): $(made) $(recipe)
	@echo "Installing; the first time this takes a few minutes."
	$(install) .
	touch $@

$(with_test): $(made) $(recipe)
	@echo "Installing; the first time this takes a few minutes."
	$(install) '.[test]'
	touch $@ $(installed) $(with_docs)

$(with_docs): $(made) $(recipe)
	$(install) '.[docs]'
	touch $@ $(installed)

$(with_bench): $(made) $(recipe)
	$(install) '.[bench]'
	touch $@ $(installed)
