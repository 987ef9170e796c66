# make run | test | lint | clean.   Running and testing need Python 3.9 or newer and nothing else.
PYTHON ?= python3
VENV := .venv

.PHONY: run test lint clean

run:
	$(PYTHON) wxserve.py

test:
	$(PYTHON) -W error::ResourceWarning -m unittest discover -t . -s tests -b

# ruff and mypy live in a virtual environment of their own; the stamp file says which versions are in it.
lint: $(VENV)/.ruff-mypy
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

$(VENV)/.ruff-mypy: Makefile
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check ruff==0.17.6 mypy==2.4.1
	touch $@

clean:
	rm -rf $(VENV) bench/.venv bench/node_modules dist .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
