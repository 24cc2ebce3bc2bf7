# `make` alone lists what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROTOS := $(shell find protos -name '*.proto')
WEB ?= tests/e2e/web

.DEFAULT_GOAL := help
.PHONY: help setup setup-web up gen gen-ts lock format lint test test-unit test-service test-e2e test-tidy check clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/installed ## Create the virtual environment and install everything.

$(VENV)/installed: requirements.lock pyproject.toml
	@echo "Installing what it needs into $(VENV), once: this takes a minute or two."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup-web: $(WEB)/node_modules/installed ## Install the browser clients and the TypeScript generator; needs Node.

$(WEB)/node_modules/installed: $(WEB)/package-lock.json
	cd $(WEB) && npm ci
	@touch $@

up: setup ## Run the whole mesh on this machine until Ctrl-C.
	$(BIN)/scenemesh up

gen: setup ## Derive gen/ from protos/.
	rm -rf gen/python && mkdir -p gen/python
	$(BIN)/python -m grpc_tools.protoc -Iprotos -Ithird_party --python_out=gen/python --pyi_out=gen/python \
	  $(PROTOS) third_party/buf/validate/validate.proto
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m grpc_tools.protoc -Iprotos -Ithird_party \
	  --grpc_python_out=gen/python --mypy_grpc_out=async_only:gen/python $$(grep -l '^service ' $(PROTOS))
	$(BIN)/buf build --output gen/scenemesh.binpb
	$(BIN)/python -m edge.openapi gen/scenemesh.binpb > gen/openapi.yaml
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory gen-ts; \
	else echo 'Node is not installed: gen/ts was skipped and stays as it is.'; fi

gen-ts: setup-web
	PATH="$(abspath $(WEB))/node_modules/.bin:$$PATH" $(BIN)/buf generate

lock: ## Pin every dependency anew, with hashes.
	$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --universal --python-version 3.11 \
	  --no-header --no-annotate --upgrade --quiet --output-file requirements.lock

format: setup ## Format Python and protos.
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .
	$(BIN)/buf format --write protos

lint: setup ## Lint, types, contract, import contracts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code protos
	$(BIN)/lint-imports

test: test-tidy test-unit test-service test-e2e ## Run every tier of tests.

test-unit: setup ## Pure rules: no I/O.
	$(BIN)/pytest -n auto --dist loadfile tests/unit

test-service: setup ## One service in process, real Postgres and Redis.
	$(BIN)/pytest -n auto --dist loadfile tests/service

test-e2e: setup ## The whole mesh behind a real Envoy.
	$(BIN)/pytest tests/e2e

test-tidy: setup ## The repository itself.
	$(BIN)/pytest tests/tidy

check: lint test ## What must be green before a change lands.

clean: ## Remove what was installed and built; keeps .scenemesh.
	rm -rf $(VENV) $(WEB)/node_modules .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
