# Everything that is done with this repository. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
RUNTIME ?= process
PORT ?= 8080
IMAGE ?= fluster-base:latest
PYTEST_ARGS ?=
ROWS ?=
BENCH_ARGS ?=

.PHONY: help run test unit lint format types generate check-generated lock image bench bench-metrics bench-logs bench-pages screenshots clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make run RUNTIME=docker needs a base image with Python. Where the default one cannot be pulled:"
	@echo "      make image && FLUSTER_BASE_IMAGE=$(IMAGE) make run RUNTIME=docker"

run: $(VENV)/.run ## A worker with the example jobs on http://127.0.0.1:8080 (RUNTIME=process|docker|auto, PORT=8080)
	@exec $(BIN)/fluster demo --runtime $(RUNTIME) --port $(PORT)

test: $(VENV)/.dev ## Lint and the whole suite; installs and starts the real components that it needs
	@scripts/test $(PYTEST_ARGS)

unit: $(VENV)/.dev ## The fast tests only: no engine, no network
	@$(BIN)/pytest tests/unit -q $(PYTEST_ARGS)

lint: $(VENV)/.dev check-generated ## Style, format, types, layers, protocol
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint proto
	scripts/check-breaking

types: $(VENV)/.dev ## mypy alone
	$(BIN)/mypy

format: $(VENV)/.dev ## Format the code and sort its imports
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

generate: $(VENV)/.dev ## Generate exporter/fluster/v1 from proto/; from the catalogue docs/metrics.md, the rules and the dashboards
	scripts/generate-proto
	scripts/generate-docs
	scripts/generate-monitoring

check-generated: $(VENV)/.dev ## Fail where generated code is not current
	scripts/check-generated

lock: ## Renew the hashed requirements from pyproject.toml
	@command -v uv > /dev/null || { echo "make lock needs uv: $(BIN)/python -m pip install uv, or put it on PATH" >&2; exit 1; }
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	    --custom-compile-command "make lock" --quiet --upgrade -o requirements.txt
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	    --custom-compile-command "make lock" --quiet --upgrade -c requirements.txt -o requirements-dev.txt

image: $(VENV)/.run ## A base image for docker builds without a registry, named by IMAGE
	$(BIN)/python tests/engine/base_image.py $(IMAGE)
	@echo "now: FLUSTER_BASE_IMAGE=$(IMAGE) make run RUNTIME=docker"

bench: $(VENV)/.dev ## All benchmarks, one after the other (BENCH_ARGS=--quick for a look whether they work)
	@for each in tests/benchmarks/*/__init__.py; do \
	    $(BIN)/python -m tests.benchmarks $$(basename $$(dirname $$each)) $(BENCH_ARGS); done

bench-metrics: $(VENV)/.dev ## Metrics beside netdata, Prometheus' library and others (ROWS="M1 M3"); figures in build/bench-metrics.json
	@$(BIN)/python -m tests.benchmarks metrics $(ROWS) $(BENCH_ARGS)

bench-logs: $(VENV)/.dev ## Logs beside docker-py, docker logs, ripgrep and others (ROWS="L3 L5"); figures in build/bench-logs.json
	@$(BIN)/python -m tests.benchmarks logs $(ROWS) $(BENCH_ARGS)

bench-pages: $(VENV)/.dev ## The pages: weight, cost, long logs in Chromium (ROWS="P1 P3"); figures in build/bench-pages.json
	@$(BIN)/python -m tests.benchmarks pages $(ROWS) $(BENCH_ARGS)

screenshots: $(VENV)/.dev ## The pictures of the pages in docs/images, from a worker and a browser
	@$(BIN)/python -m tests.screenshots

clean: ## Remove the virtual environment and the tools' caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The development environment holds all that the other one does: where it is current, it serves both.
$(VENV)/.run: requirements.txt pyproject.toml scripts/environment
	@scripts/environment run

$(VENV)/.dev: requirements-dev.txt pyproject.toml scripts/environment
	@scripts/environment dev
