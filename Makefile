# Weituo. Needs git, make and Python 3.11 or newer; everything else is fetched into .venv/ and var/.
#   make demo          set up, load the demonstration book, run one cycle, serve the console
#   make demo ONCE=1   the same, and stop after the summary        make demo RESET=1   start afresh
#   make test          every test, with real PostgreSQL and Chromium     make test ARGS="-k ledger"   some
#   make check         all that a change must pass

.PHONY: help demo setup test lint bench docs reference messages snapshots format locks check soak clean
PYTHON := .venv/bin/python
SETUP  := sh tools/with-python tools/setup.py
WORKERS ?= 2

help:
	@grep -E '^#  ' Makefile | cut -c3-

demo: setup
	@.venv/bin/weituo demo $(if $(ONCE),--once) $(if $(RESET),--reset)

setup:
	@$(SETUP) runtime

test:
	@$(SETUP) runtime test spark
	@browser=$$($(PYTHON) tools/browser.py) && WEITUO_CHROMIUM=$$browser $(PYTHON) -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

lint:
	@$(SETUP) runtime test
	@$(PYTHON) tools/lint.py

bench:
	@$(SETUP) runtime bench spark
	@$(PYTHON) -m bench $(ARGS)

docs:
	@$(SETUP) runtime docs
	@$(PYTHON) tools/reference.py
	@$(PYTHON) -m mkdocs build --strict --quiet --site-dir site && echo "site/index.html"

reference: setup
	@$(PYTHON) tools/reference.py

messages: setup
	@$(PYTHON) tools/messages.py $(if $(MERGE),--merge $(MERGE))

snapshots:
	@$(SETUP) runtime test
	@WEITUO_WRITE_SNAPSHOTS=1 $(PYTHON) -m pytest -n 0 tests/snapshots tests/permissions && git status --short tests

format:
	@$(SETUP) runtime test
	@$(PYTHON) -m ruff check --fix --quiet . ; $(PYTHON) -m ruff format --quiet .

locks:
	@$(SETUP) runtime test
	@$(PYTHON) tools/locks.py --upgrade

check: lint test docs

soak:
	@$(SETUP) runtime test
	@for round in 1 2 3 4 5 6 7 8 9 10; do $(PYTHON) -m pytest -q -n $(WORKERS) tests/properties tests/faults || exit 1; done

clean:
	@[ ! -x $(PYTHON) ] || $(PYTHON) tools/setup.py forget
	@rm -rf .venv var site build src/weituo.egg-info src/weituo/web/static/vendor
