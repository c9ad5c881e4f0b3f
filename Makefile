# From Likelihood to Latent Space: `make book`, `make test`.  GNU make 3.81 or newer.
SHELL := /bin/sh
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
READY := .venv/.ready
CHAPTERS := $(wildcard chapters/*.md)
NOTEBOOKS := $(CHAPTERS:chapters/%.md=notebooks/%.ipynb)
WORKERS := --numprocesses=auto --dist=worksteal
SCRIPTS := src/vaebook/explore src/vaebook/site chapters/_static

.PHONY: help book test quick lab serve check fingerprint bench lighthouse heights clean lock
.DEFAULT_GOAL := help

help:
	@echo "make book    build the book in _build/html"
	@echo "make test    run every test; those of the pages need Chromium"
	@echo "make quick   run the tests that need neither the built pages nor Chromium"
	@echo "make lab     open the chapters as notebooks in JupyterLab"
	@echo "make serve   build the book and serve it on http://127.0.0.1:$(PORT)"
	@echo "make check   style, format and spelling"
	@echo "make fingerprint EQUATION=eq-em-bound   after a printed formula was edited"
	@echo "make lighthouse  what Lighthouse says of the pages (needs npm and Chromium)"
	@echo "make heights  measure the explorers of the built pages (needs Chromium)"
	@echo "make bench   run the benchmarks"
	@echo "make clean   remove what was built; .venv and notebooks stay"
	@echo "make lock    renew requirements.txt (needs uv)"

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) is %d.%d. Try: make PYTHON=python3.12" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --requirement requirements.txt
	@touch $@

book: $(READY)
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo
	@echo "Open  file://$(CURDIR)/_build/html/index.html"
	@echo "or run  make serve  and open  http://127.0.0.1:$(PORT)"

test: $(READY)
	$(BIN)/python -m pytest $(WORKERS)

quick: $(READY)
	$(BIN)/python -m pytest $(WORKERS) -m "not browser and not book"

notebooks/%.ipynb: chapters/%.md $(READY)
	@mkdir -p notebooks
	$(BIN)/jupytext --quiet --to ipynb --output $@ $<

lab: $(READY) $(NOTEBOOKS)
	$(BIN)/jupyter lab --notebook-dir=notebooks

serve: book
	$(BIN)/python -m vaebook.site.serve _build/html --port $(PORT)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/oxlint $(SCRIPTS)
	$(BIN)/oxfmt --check $(SCRIPTS)
	$(BIN)/codespell
	@$(BIN)/python tests/house/notice.py

fingerprint: $(READY)
	@$(BIN)/python -m vaebook.site.fingerprints $(EQUATION)
	@$(BIN)/ruff format --quiet tests

bench: $(READY)
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

lighthouse: book
	$(BIN)/python benchmarks/site/lighthouse.py

heights: book
	$(BIN)/python benchmarks/site/heights.py

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -exec rm -rf {} +

LOCK_FLAGS = --universal --python-version 3.11 --extra book --extra test --upgrade \
	--no-header --no-annotate --no-emit-package vaebook

lock:
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH"; exit 1; }
	uv pip compile pyproject.toml $(LOCK_FLAGS) --output-file requirements.lock
	{ sed -n '/^#/p' requirements.txt; \
	  grep -v -i -E '^(nvidia|cuda|triton)' requirements.lock; echo '-e .'; } > requirements.new
	rm requirements.lock && mv requirements.new requirements.txt
