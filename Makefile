# make run | test | soak | lint | bench-setup | bench | clean | dist | install | upgrade | uninstall
# Running and testing need Python 3.9 or newer and nothing else.
PYTHON ?= python3
VENV := .venv

.PHONY: run test soak lint bench-setup bench clean

run:
	$(PYTHON) wxserve.py

test:
	$(PYTHON) -W error::ResourceWarning -m unittest discover -t . -s tests -b

# What takes minutes: a storm of slow messages and dying workers, and that nothing grows.
soak:
	$(PYTHON) -m tests.live.soak

# ruff and mypy live in a virtual environment of their own; the stamp file says which versions are in it.
lint: $(VENV)/.ruff-mypy
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

$(VENV)/.ruff-mypy: Makefile
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check ruff==0.17.6 mypy==2.4.1
	touch $@

# The race against named peers: see bench/README.md.
bench-setup:
	$(PYTHON) bench/install.py

bench:
	bench/.venv/bin/python bench/race.py

clean:
	rm -rf $(VENV) bench/.venv bench/node_modules dist .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# On a server, as root. systemd/install.py does it and says what it does; Nginx's folder is not touched. Another Python:
# make install PYTHON=/usr/bin/python3.11.  A second account on the same machine: make install NAME=shop.
NAME ?= wxserve
PREFIX ?= /opt/$(NAME)
DESTDIR ?=
NGINX_GROUP ?=
INSTALL = $(PYTHON) -B systemd/install.py --name '$(NAME)' --prefix '$(PREFIX)' --destdir '$(DESTDIR)' --nginx-group '$(NGINX_GROUP)'

.PHONY: install upgrade uninstall dist

install upgrade uninstall:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9) and "wxserve needs Python 3.9 or newer: make $@ PYTHON=…")'
	@$(INSTALL) $@

# One file that runs by itself, dist/wxserve.pyz; the same bytes wherever it is made.
dist:
	@$(PYTHON) -B systemd/release.py
