# Everything here needs a clone, Python 3.11 or newer, make and a network.

SHELL := /bin/sh
.DEFAULT_GOAL := help

UV_PIN := 0.13.9
# Without a home folder, caches stay in the clone.
ifeq ($(XDG_CACHE_HOME)$(HOME),)
export XDG_CACHE_HOME := $(CURDIR)/.aos/cache
endif

# Without byte code everything takes twice as long to start. `make clean` removes it.
unexport PYTHONDONTWRITEBYTECODE

READY := .venv/.ready
SOURCES := sdk workflows activities workers tests examples bench

.PHONY: help demo up test bench chaos temporal verify format clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18

demo: $(READY) ## see an agent live through a crash; DOCS="a.md b.md" gives it your documents
	@.venv/bin/aos demo $(DOCS)

up: $(READY) ## run the server and the workers until Ctrl-C
	@.venv/bin/aos up

test: temporal ## run the tests; ARGS="..." goes to pytest
	@.venv/bin/pytest -n 2 --dist worksteal $(ARGS)$(if $(STATUS),; echo $$? > '$(STATUS)')

bench: temporal ## measure AOS beside raw Temporal and its peers, half an hour and more; ARGS="--quick" for a few minutes
	@.venv/bin/python -m bench $(ARGS)

chaos: temporal ## the long forms of the tests of reliability, about an hour; ARGS="--seed 7" for other chances
	@.venv/bin/pytest tests/reliability --long --log-cli-level=INFO $(ARGS)

temporal: $(READY) ## get the Temporal server
	@.venv/bin/python -m aos_workers.temporal

verify: $(READY) ## all that CI checks: format, lint, types, tests
	@.venv/bin/ruff format --check $(SOURCES)
	@.venv/bin/ruff check $(SOURCES)
	@.venv/bin/pyright
	@$(MAKE) --no-print-directory test

format: $(READY) ## put the source in order
	@.venv/bin/ruff check --fix $(SOURCES)
	@.venv/bin/ruff format $(SOURCES)

clean: ## remove what these commands made in this folder
	@rm -rf .venv .uv .pytest_cache .ruff_cache .hypothesis dist
	@find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment, made anew when what it is made from has changed.
$(READY): pyproject.toml uv.lock
	@found=; for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    found=$$($$python -c 'import sys; print(sys.executable)'); break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "AOS needs Python 3.11 or newer and found $$(python3 --version 2>/dev/null || echo none): install it and run make again" >&2; exit 1; \
	fi; \
	uv=$$(command -v uv); \
	if [ -z "$$uv" ]; then \
	  uv=.uv/bin/uv; \
	  if ! [ -x $$uv ]; then \
	    echo "installing uv $(UV_PIN) into .uv"; \
	    "$$found" -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_PIN) || \
	      { rm -rf .uv; echo "uv cannot be installed: see above; with uv on PATH make does not need to" >&2; exit 1; }; \
	  fi; \
	fi; \
	echo "making the environment in .venv"; \
	"$$uv" sync --frozen --python "$$found" && touch $@
