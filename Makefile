PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The constraints apply to installed packages and to their build requirements.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check

# Require a system program, given its name and its Debian package; install the package if allowed.
program = PATH="$$PATH:/usr/sbin" command -v $(1) >/dev/null \
	|| { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	  && apt-get -qq update && apt-get -qq install --yes --no-install-recommends $(2) >/dev/null; } \
	|| { echo "error: no $(1) on the PATH; install it (on Debian: apt-get install $(2))" >&2; exit 1; }

.PHONY: generate test check docs chaos soak setup chromium nginx

generate: $(VENV)/serving  ## set up serving, and draw a three with AC-GAN
	$(BIN)/gan-serve generate --model acgan --label 3 --show

test: $(VENV)/everything chromium nginx  ## set up everything, and run the whole suite: one process per core, with one thread each
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

check: $(VENV)/everything docs  ## check style, types, the site, and that the generated files are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m training cards --check

docs: $(VENV)/everything  ## build the documentation's site in site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

chaos: $(VENV)/everything  ## test the server under faults, overload and reloads, for several minutes
	$(BIN)/python -m pytest tests/server/test_chaos.py --full --override-ini timeout=3600

soak: $(VENV)/everything  ## test the server's memory over ten minutes, compared with a server that leaks
	$(BIN)/python -m pytest tests/server/test_soak.py --full

setup: $(VENV)/everything

chromium:  ## install the browser for testing the demo; Debian's, since Playwright's is not available everywhere
	@$(call program,chromium,chromium)

nginx:  ## install the proxy for testing the server
	@$(call program,nginx,nginx-light)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/serving: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable ".[cpu]"
	touch $@

$(VENV)/everything: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) --editable ".[cpu,serve,demo,ray,train,dev,docs]"
	touch $@ $(VENV)/serving
