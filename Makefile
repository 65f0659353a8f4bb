PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The constraints hold for what is installed and for what builds it.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check

# A program of the system, by its name and its Debian package, which is installed where that is allowed.
program = PATH="$$PATH:/usr/sbin" command -v $(1) >/dev/null \
	|| { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	  && apt-get -qq update && apt-get -qq install --yes --no-install-recommends $(2) >/dev/null; } \
	|| { echo "error: no $(1) on the PATH; install it (on Debian: apt-get install $(2))" >&2; exit 1; }

.PHONY: generate test check docs chaos soak setup chromium nginx

generate: $(VENV)/serving  ## set up what serving needs, and let an AC-GAN draw a three
	$(BIN)/gan-serve generate --model acgan --label 3 --show

test: $(VENV)/everything chromium nginx  ## set up everything, and run the whole suite: a process a core, with a thread each
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

check: $(VENV)/everything docs  ## lint, types, the site, and whether the generated files are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m training cards --check

docs: $(VENV)/everything  ## build the documentation's site in site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

chaos: $(VENV)/everything  ## the server under faults, overload and reloads, for minutes
	$(BIN)/python -m pytest tests/server/test_chaos.py --full --override-ini timeout=3600

soak: $(VENV)/everything  ## the server's memory over ten minutes, beside a server that leaks
	$(BIN)/python -m pytest tests/server/test_soak.py --full

setup: $(VENV)/everything

chromium:  ## the browser in which the demo is tested; Debian's, since Playwright's own cannot be had everywhere
	@$(call program,chromium,chromium)

nginx:  ## the proxy behind which the server is tested
	@$(call program,nginx,nginx-light)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/serving: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable ".[cpu]"
	touch $@

$(VENV)/everything: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable ".[cpu,serve,demo,ray,train,dev,docs]"
	touch $@ $(VENV)/serving
