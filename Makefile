# clustersim: `make demo` and `make test` are all that is needed; both work without a network after the install.

VENV := .venv
BIN := $(VENV)/bin
FAST := .venv-fast
ENGINE_TESTS := tests/oracle tests/laws tests/theory tests/golden tests/unit/test_build.py
# By name: the last files are small, so that all cores end together; xdist would leave the long ones to the end.
AT_ONCE := -n auto --dist loadfile --no-loadscope-reorder
STAMP := $(VENV)/installed
PYTHON ?= $(shell command -v python3.11 || command -v python3)
SHELL := /bin/sh
# Where Python may not keep what it compiles, the tests, and every process that they start, compile all anew.
export PYTHONDONTWRITEBYTECODE :=
# As the command does for itself: on all cores already, threads of BLAS would only wake each other.
export OPENBLAS_NUM_THREADS := 1
# So Python tells of each text that is read or written in the machine's own encoding, which fails the test.
PYTEST := PYTHONWARNDEFAULTENCODING=1 $(BIN)/python -m pytest

CHEN := scenarios/chen-10k.yaml scenarios/chen-100k.yaml scenarios/chen-1m.yaml

.PHONY: help demo test fast test-fast lint bench docs golden validation systems mutants clean

help:
	@echo "make demo    run the three Chen scenarios and write runs/chen/report.html"
	@echo "make test    ruff, mypy and the whole test suite"
	@echo "make fast    build the wheel with the engine compiled to C, and install it into .venv-fast"
	@echo "make test-fast  the tests of the engine on that compiled build"
	@echo "make bench   the benchmarks (minutes)"
	@echo "make docs    write docs/reference, the tables of docs/background/trust.md and docs/systems.md, and the JSON Schema anew"
	@echo "make golden  write the golden figures of the shipped scenarios anew"
	@echo "make validation  simulate every published case anew, and write docs/validation.json (minutes)"
	@echo "make systems simulate the systems of the interviews anew, and write docs/systems.json and its page (minutes)"
	@echo "make mutants change the code in one small place after the other, and see whether the tests notice (hours);"
	@echo "             one room alone: make mutants ROOM=metrics, or a sample of it: SAMPLE=400"
	@echo "make clean   remove the environment and all caches; finished runs stay"

demo: $(STAMP)
	@$(BIN)/clustersim compare $(CHEN) -o runs/chen
	@echo "Open runs/chen/report.html in a browser; it needs no network."

test: lint
	@$(PYTEST) $(AT_ONCE)

fast: $(STAMP)
	@echo "Compiling the engine into $(FAST) (a minute or two) ..."
	@test -x $(FAST)/bin/python || $(BIN)/python -m venv $(FAST)
	@rm -rf build/wheel
	@$(BIN)/python -m pip wheel -qq --disable-pip-version-check --no-deps -w build/wheel .
	@$(FAST)/bin/python -m pip install -qq --disable-pip-version-check "$$(echo build/wheel/*.whl)[test]" -c constraints.txt
	@$(FAST)/bin/python -m pip install -qq --disable-pip-version-check --force-reinstall --no-deps build/wheel/*.whl
	@$(FAST)/bin/clustersim --version

# The wheel is tested, not the checkout: its folders are left off the path.
test-fast: fast
	@$(FAST)/bin/clustersim --version | grep -q compiled || { echo "this build is not compiled"; exit 1; }
	@$(FAST)/bin/python -m pytest $(AT_ONCE) -o pythonpath=". benchmarks" $(ENGINE_TESTS)

lint: $(STAMP)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: $(STAMP)
	@$(BIN)/python benchmarks/all.py

docs: $(STAMP)
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/trust.py
	@$(BIN)/python docs/systems.py

validation: $(STAMP)
	@$(BIN)/clustersim validate -o runs/validation
	@cp runs/validation/validation.json docs/validation.json
	@$(BIN)/python docs/trust.py

systems: $(STAMP)
	@$(BIN)/python docs/systems.py simulate

golden: $(STAMP)
	@$(BIN)/python tests/golden/test_figures.py

mutants: $(STAMP)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[test,mutants]' -c constraints.txt
	@PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONWARNDEFAULTENCODING=1 $(BIN)/python tests/mutants.py $(ROOM) $(if $(SAMPLE),sample $(SAMPLE))

clean:
	rm -rf $(VENV) $(FAST) build mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks *.egg-info
	find sim reports tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing clustersim and its tests into $(VENV) (once) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[test]' -c constraints.txt
	@touch $(STAMP)

$(BIN)/python:
	@test -n "$(PYTHON)" || \
	  { echo "clustersim needs Python 3.11 or newer; there is no python3 here. Install it and run make again."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "clustersim needs Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" -V 2>&1). Install a newer one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments: its venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
