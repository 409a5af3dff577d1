# Every target does its own set-up: uv, the Python environment and the control-plane binaries, each once.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
CACHE := $(or $(FIRELIFT_CACHE),$(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME)/firelift,$(HOME)/.cache/firelift))
UV := $(or $(shell command -v uv),$(CACHE)/bin/uv)
RUN := .venv/bin
SYNCED := .venv/.synced
# From what starts nothing to what starts everything.
SUITES := unit property contract terraform chart integration e2e
PYTEST_ARGS ?=
BENCH_ARGS ?=

export UV_PROJECT_ENVIRONMENT := .venv
# For the tests of what the lock holds.
export UV
unexport VIRTUAL_ENV

.PHONY: help
help: ## Say what there is to make.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: tools ## Show a rollout, a failing gate, a revert and two kill -9 on real parts, and check the database.
	@$(RUN)/python -m firelift.sandbox demo

.PHONY: sandbox
sandbox: tools ## Keep a cluster with the operator and an emulator in the foreground; BARE=1: without Firelift, for helm install.
	@$(RUN)/python -m firelift.sandbox up $(if $(BARE),--bare)

.PHONY: test
test: lint tools ## Run the linters, then every test: unit, property, contract, terraform, chart, integration, e2e.
	$(RUN)/pytest $(PYTEST_ARGS) $(wildcard $(SUITES:%=tests/%))

.PHONY: $(SUITES)
$(SUITES): $(SYNCED)
	$(RUN)/pytest $(PYTEST_ARGS) tests/$@
chart integration e2e: tools
e2e: export FIRELIFT_E2E_DEPLOYED := $(DEPLOYED)

.PHONY: test-terraform
test-terraform: tools ## Test modules, runner and environments on the real Terraform (FIRELIFT_PROVIDER_MIRROR: with that provider).
	$(RUN)/pytest $(PYTEST_ARGS) tests/terraform $(wildcard $(foreach suite,$(SUITES),tests/$(suite)/test_terraform*.py tests/$(suite)/test_environment*.py))

.PHONY: test-e2e
test-e2e: e2e ## Run the end-to-end tests against a release of the chart; DEPLOYED=0: against an operator beside the cluster.

.PHONY: test-chart
test-chart: chart ## Test the Helm chart: lint, templates, bad values, and a release on the sandbox from its installation to its end.

.PHONY: readmes
readmes: $(SYNCED) ## Write the generated parts of docs, and of the READMEs of terraform/modules.
	@$(RUN)/python -m tests.terraform.readmes
	@$(RUN)/python -m tests.documentation

.PHONY: dashboard
dashboard: tools ## Draw docs/pictures/dashboard.svg: the chart's dashboard over the metrics of a whole demo.
	@$(RUN)/python -m tests.documentation.dashboard

.PHONY: lint
lint: $(SYNCED) ## Check style, format, types, the direction of imports, and advisories where they can be asked for.
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy controller tests
	$(RUN)/lint-imports
	@$(RUN)/python -m tests.audit $(UV)

.PHONY: sbom
sbom: $(SYNCED) ## Write dist/firelift.cdx.json: what the image holds of Python, with versions and hashes (CycloneDX).
	@mkdir -p dist
	@$(UV) export --frozen --quiet --format=cyclonedx1.5 --no-default-groups --extra=operator -o dist/firelift.cdx.json > /dev/null

.PHONY: bench
bench: $(SYNCED) ## Measure speed against the official client and a bare pump; BENCH_ARGS names some of the benchmarks.
	@$(RUN)/python -m tests.bench $(BENCH_ARGS)

.PHONY: probe
probe: $(SYNCED) ## Check a real project (PROJECT=..., DATABASE=...) for what the emulator cannot show; cleans up behind itself.
	@$(RUN)/python -m firelift.cli.probe --project='$(or $(PROJECT),$(error make probe needs PROJECT=<a Google Cloud project>))' --database='$(or $(DATABASE),(default))'

.PHONY: tools
tools: $(SYNCED) ## Build the control plane, Helm and the Terraform provider into the cache, once (4 to 18 minutes).
	@$(RUN)/python -m firelift.sandbox tools

.PHONY: clean
clean: ## Remove what make has made in the checkout; the built binaries stay in the cache outside it.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find controller tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(SYNCED): pyproject.toml uv.lock | $(UV)
	$(UV) sync --all-extras --locked
	@touch $@

# uv is one executable: it is taken out of a throw-away environment in one step, so that two runs may race.
$(CACHE)/bin/uv:
	@echo 'uv is not on PATH: installing it into $(@D)'
	@mkdir -p $(@D) && scratch=$$(mktemp -d $(@D)/uv.XXXXXX) && trap 'rm -rf "$$scratch"' EXIT && \
	$(PYTHON) -m venv "$$scratch" && \
	"$$scratch/bin/pip" install --quiet --disable-pip-version-check 'uv>=0.9,<1' && \
	mv "$$scratch/bin/uv" $@
