# Every target first installs what it needs; `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8500
WEB_PORT ?= 8080

# The environment is complete: what these name would take precedence over what is installed in it.
unexport PYTHONHOME PYTHONPATH

.DEFAULT_GOAL := help
.PHONY: help run setup test test-matrix check bench serve web schedule exercises docs protos compose-test clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

run: $(VENV)/.runtime ## Run the whole job: download, train, publish, serve, predict once
	@$(BIN)/python tools/run.py

setup: $(VENV)/.dev ## Create .venv with everything that the other targets need

test: $(VENV)/.dev ## Run all tests
	@$(BIN)/python -m pytest -n auto

test-matrix: $(VENV)/.dev ## Run all tests as on other machines: BLAS kernels, Pythons, under load, in random order (an hour or two)
	@tools/test_matrix.sh

check: $(VENV)/.dev ## Check style, types, import rules and that the generated stubs are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/protos.py --check

bench: $(VENV)/.bench ## Compare training and inference with PyTorch, scikit-learn and ONNX Runtime (minutes; keep the machine idle)
	@$(BIN)/python -m benchmarks training
	@$(BIN)/python -m benchmarks inference

serve: $(VENV)/.runtime ## Serve the champion of ./models on PORT (8500)
	@$(BIN)/python -m service serve --port $(PORT)

web: $(VENV)/.runtime ## Show the page on WEB_PORT (8080): draw a digit; starts the service on PORT, unless one is there
	@$(BIN)/python tools/web.py --port $(PORT) --web-port $(WEB_PORT)

schedule: $(VENV)/.runtime ## Retrain every night at 03:00 UTC, and once now if there is no version yet
	@$(BIN)/python -m pipelines schedule --cron "0 3 * * *" --train-if-empty

exercises: $(VENV)/.runtime ## Implement a network yourself, one exercise after the other, each checked as you save it
	@$(BIN)/python -m exercises

docs: $(VENV)/.docs ## Build all pages, and those of the API, as a web site in build/docs; a link that leads nowhere is an error
	@$(BIN)/python tools/docs/build.py

protos: $(VENV)/.dev ## Regenerate the gRPC stubs from the .proto files
	@$(BIN)/python tools/protos.py

compose-test: $(VENV)/.runtime ## Start docker-compose.yml and its profiles for real: predict, retrain, kill, restore, renew (half an hour)
	@tools/compose_test.sh

clean: ## Remove .venv, caches and build leftovers (models and data stay)
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.runtime: pyproject.toml constraints.txt tools/setup.sh
	@PYTHON=$(PYTHON) tools/setup.sh $(VENV) pipelines,service,sweep,web
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt tools/setup.sh
	@PYTHON=$(PYTHON) tools/setup.sh $(VENV) dev
	@touch $(VENV)/.runtime $@

$(VENV)/.docs: pyproject.toml constraints.txt tools/setup.sh
	@PYTHON=$(PYTHON) tools/setup.sh $(VENV) pipelines,service,sweep,web,docs
	@touch $(VENV)/.runtime $@

$(VENV)/.bench: pyproject.toml constraints.txt tools/setup.sh
	@PYTHON=$(PYTHON) tools/setup.sh $(VENV) dev,bench
	@touch $(VENV)/.runtime $(VENV)/.dev $@
