# make run    serve the product with its emulators on 127.0.0.1:7071 (PORT=7171 make run: elsewhere)
#             FRONT=1 make run: behind a front like that of the Functions host
# make test   run the tests on each of Python 3.13 and 3.11 that is installed; those that do not depend on it, once
# make help   the rest

SHELL := /bin/sh
PORT ?= 7071
FRONT ?= 0
PYTHONS := $(shell scripts/pythons.sh)
VERSIONS := $(foreach python,$(PYTHONS),$(firstword $(subst =, ,$(python))))
BEST := $(firstword $(VERSIONS))
VENV := .venv-$(BEST)
AZURITE := 3.37.0
PIP_FLAGS := -qq --disable-pip-version-check
# One more than cores: many tests wait for a deadline or a browser.
JOBS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# The same on every Python: templates, the page, whole processes that are timed, fuzzed or sent every kind of request.
ONCE := $(addprefix --ignore=tests/,architecture benchmarks faults growth hygiene infra web)

.PHONY: help run emulators emulators-check azurite neural test check infra-check contract fuzz kills lock audit bench screenshots live clean
.DEFAULT_GOAL := help

help:
	@sed -n '1,/^$$/s/^# //p' Makefile
	@echo "make emulators   only the emulators, for func start in another terminal"
	@echo "make neural      the engines that recognise and speak well, which make run installs by itself; their tests need them"
	@echo "make check       lint, types, layers, links: what CI runs in addition to the tests"
	@echo "make infra-check all that can be checked of the templates and scripts without Azure"
	@echo "make emulators-check  the emulators' package in an empty environment, with the examples of its README"
	@echo "make contract    10,000 requests made of the contract, each answered by it"
	@echo "make fuzz        200,000 generated inputs of 32 kinds; KIND=mp4 COUNT=1000 SEED=2: some of them"
	@echo "make kills       1,000 decoder processes are killed while another user's recordings are decoded"
	@echo "make lock        requirements.txt, of requirements.in: what is deployed, by hashes; the same for the neural engines"
	@echo "make audit       what is known against the packages in it"
	@echo "make bench       the benchmarks of a turn, as tables; docs/benchmarks.md has the rest"
	@echo "make screenshots  docs/images anew, of the page in Chromium with the neural engines"
	@echo "make live        the adapters' tests against real Azure, with its settings in the environment"
	@echo "make clean       remove what was set up"

run: $(VENV)/local.done azurite
	@$(VENV)/bin/python -m local_host --port $(PORT) --neural requirements-neural.txt $(if $(filter-out 0,$(FRONT)),--front)

emulators: $(VENV)/local.done azurite
	@$(VENV)/bin/python -m local_host --emulators-only --neural requirements-neural.txt

# The emulator of Blob storage, where there is Node; all but clips and kept speech works without it.
azurite:
	@if [ ! -d .local/azurite/node_modules/azurite ] && command -v npm >/dev/null; then \
		echo "Installing Azurite (once; a minute) ..."; \
		npm install --silent --no-audit --no-fund --prefix .local/azurite azurite@$(AZURITE) || rm -rf .local/azurite; \
	fi

neural: $(foreach version,$(VERSIONS),.venv-$(version)/neural.done)

test: $(foreach version,$(VERSIONS),test-$(version))

test-%: .venv-%/dev.done azurite
	@echo "Tests on Python $*"
	@# Only tests of the neural engines use them; the rest is the same wherever they are installed.
	@ENGINES=light .venv-$*/bin/python -m pytest -n $(JOBS) -q -rs $(if $(filter $*,$(BEST)),,$(ONCE)) $(ARGS)

check: $(VENV)/dev.done
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python scripts/links.py

infra-check: $(VENV)/dev.done
	$(VENV)/bin/shellcheck -x infra/*.sh scripts/*.sh
	$(VENV)/bin/python -m pytest -q tests/infra
	@if command -v bicep >/dev/null; then bicep build infra/main.bicep --stdout >/dev/null; fi

# Downloads the vendors' SDKs; not part of `make test`.
emulators-check: $(VENV)/dev.done
	$(VENV)/bin/python scripts/emulators_check.py

# ARGS="--examples 20 --seed 2", say, for another run than the usual one.
contract: $(VENV)/dev.done azurite
	$(VENV)/bin/python -m tests.hygiene.contract $(ARGS)

COUNT ?= 200000
SEED ?= 1
FIRST ?= 0
KIND ?=

fuzz: $(VENV)/dev.done
	$(VENV)/bin/python -m tests.hygiene.fuzz --count $(COUNT) --seed $(SEED) --first $(FIRST) $(addprefix --kind ,$(KIND)) $(ARGS)

kills: $(VENV)/dev.done
	$(VENV)/bin/python -m tests.hygiene.decoder_kills --seed $(SEED) $(ARGS)

# The oldest Python decides, for it has the fewest versions to choose from; what differs on others is marked.
lock: $(VENV)/dev.done
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" requirements.in --output-file requirements.txt
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command "make lock" --constraint requirements.txt requirements-neural.in \
		--output-file requirements-neural.txt

audit: $(VENV)/dev.done
	$(VENV)/bin/pip-audit --disable-pip --require-hashes --requirement requirements.txt --requirement requirements-neural.txt

bench: $(VENV)/dev.done
	$(VENV)/bin/python -m benchmarks

screenshots: $(VENV)/dev.done $(VENV)/neural.done azurite
	@PORT=$(PORT) $(VENV)/bin/python -m scripts.screenshots

live: $(VENV)/dev.done
	$(VENV)/bin/python -m pytest -q -m live tests/adapters

clean:
	rm -rf .venv-3.* .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Each environment is made once, and again when its requirements change: first what is deployed, exactly, then the rest.
.venv-%/bin/python:
	@echo "Setting up Python $* in .venv-$* (once; a minute or two) ..."
	@$(patsubst $*=%,%,$(filter $*=%,$(PYTHONS))) -m venv .venv-$*

.venv-%/local.done: requirements.in requirements.txt requirements-local.txt | .venv-%/bin/python
	@echo "Installing what the product and its emulators need ..."
	@.venv-$*/bin/python -m pip install $(PIP_FLAGS) --require-hashes -r requirements.txt
	@.venv-$*/bin/python -m pip install $(PIP_FLAGS) -r requirements-local.txt
	@touch $@

.venv-%/dev.done: requirements.in requirements.txt requirements-local.txt requirements-dev.txt | .venv-%/bin/python
	@echo "Installing what the tests need ..."
	@.venv-$*/bin/python -m pip install $(PIP_FLAGS) --require-hashes -r requirements.txt
	@.venv-$*/bin/python -m pip install $(PIP_FLAGS) -r requirements-dev.txt
	@# Azure's own runtime asks for 3.13; its code runs on the older ones too, and the tests drive it there.
	@.venv-$*/bin/python -m pip install $(PIP_FLAGS) --no-deps --ignore-requires-python azure-functions-runtime==1.3.0
	@touch $@

.venv-%/neural.done: requirements-neural.txt | .venv-%/bin/python
	@.venv-$*/bin/python -m local_host.installation $< $@

.PRECIOUS: .venv-%/bin/python .venv-%/local.done .venv-%/dev.done .venv-%/neural.done
