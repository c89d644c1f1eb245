# `make help` lists the targets. Everything that a target needs is set up by itself.
PYTHON ?= python3
BASE ?=
KEEP ?=
ARGS ?=
BIN := .venv/bin
# Each process of a run would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE
QUICK := not slow and not terraform and not local and not browser

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-moto unit check hooks images lint package wheel synth local-up local-down clean fuzz chaos chaos-model chaos-mutants chaos-changes mutation bench bench-poison

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## check the tools and make the environments (the other targets do it by themselves)
	@$(PYTHON) scripts/setup.py --tests --lint

demo: .demo-environment ## the whole path on the local cloud, on real partner payloads; KEEP=1 leaves it running
	@bin/media-events demo $(if $(KEEP),--keep)

test: ## every test: unit, modules, synthesis, local cloud
	@$(PYTHON) scripts/setup.py --tests
	@$(BIN)/python lambda_src/build.py --check
	@$(BIN)/pytest -n auto --dist worksteal --ignore tests/system --ignore tests/moto --ignore tests/browser
	@$(BIN)/pytest -n auto --dist loadfile tests/browser # by themselves: Playwright's loop runs as long as its browser
	@$(BIN)/pytest -n 4 tests/system tests/moto # by cloud, see the conftest.py of tests/system

test-moto: .environment ## the `dev` stack and every example, applied to moto's server
	@$(BIN)/pytest -q tests/moto

unit: .environment ## the tests that need no Terraform, local cloud or browser, without the slow ones
	@$(BIN)/pytest -q -n auto --dist worksteal --durations 5 --durations-min 1 -m '$(QUICK)' tests/unit tests/docs

check: .environment ## the tests, types and lint of what changed since main, or since BASE
	@$(BIN)/python scripts/check.py $(BASE)

images: ## make the pictures of the review page in docs/images
	@$(PYTHON) scripts/setup.py --tests
	@MEDIA_EVENTS_IMAGES=1 $(BIN)/pytest -q tests/browser/test_accessibility_and_images.py -k picture

hooks: ## run the quick checks before each commit, by pre-commit
	@$(PYTHON) scripts/setup.py --lint
	@.venv-lint/bin/pre-commit install

lint: ## ruff, mypy, terraform fmt and validate, checkov, zizmor, pip-audit, links and length of the documentation
	@$(PYTHON) scripts/setup.py --lint
	@$(BIN)/python scripts/lint.py

package: .environment ## build the Lambda zip into lambda_src/dist/
	@$(BIN)/python lambda_src/build.py

wheel: .environment ## build the Python package that teams install, into dist/
	@$(BIN)/python -m hatchling build --target wheel --directory dist

synth: .demo-environment ## synthesise every environment of workflow.yaml into cdktf.out/
	@$(BIN)/python main.py

local-up: .demo-environment ## start the local cloud and apply the workflow to it
	@bin/media-events local up

local-down: .demo-environment ## stop the local cloud and forget its state
	@bin/media-events local down

fuzz: .environment ## the webhook and its verifier against 100,000 hostile inputs, workflow files against new mistakes
	@FUZZ_EXAMPLES=100000 $(BIN)/pytest tests/unit -k "fuzz or hostile_workflows"

chaos: .environment ## 2,000 events by all five ways in through the local cloud under faults: none may be lost, none happen twice
	@PYTHONPATH=lambda_src:. $(BIN)/python -m tests.faults.local_cloud $(ARGS)

chaos-changes: .environment ## upgrade a deployment on the local cloud and change it a dozen times under traffic: none may be lost, none happen twice
	@PYTHONPATH=lambda_src:. $(BIN)/python -m tests.faults.local_cloud.changes $(ARGS)

chaos-model: .environment ## 10,000 events through a model of AWS under faults: none may be lost, none happen twice
	@PYTHONPATH=lambda_src:. $(BIN)/python -m tests.faults $(ARGS)

chaos-mutants: .environment ## break the code on purpose in over a hundred places: the model, or the unit test that is named, must notice each
	@PYTHONPATH=lambda_src:. $(BIN)/python -m tests.faults.mutants $(ARGS)

mutation: ## mutate the domain code with mutmut and score its unit tests; ARGS="--sample 300 --seed 1" for a sample
	@$(PYTHON) scripts/setup.py --mutation
	@.venv-mutation/bin/python scripts/mutation.py $(ARGS)

bench: ## cold starts, warm work, growth and size beside two peers; writes bench/results and docs/explanation/performance.md
	@$(PYTHON) scripts/setup.py --bench
	@PYTHONPATH=lambda_src:. $(BIN)/python -m bench $(ARGS)

bench-poison: .environment ## live latency on the local cloud with 10,000 poison messages in the hop's dead-letter queue, and without
	@$(BIN)/python -m bench.poison

clean: ## remove what tools made: environments, caches, synthesised JSON
	@if [ -x bin/media-events ] && [ -x $(BIN)/python ]; then bin/media-events local down || true; fi
	@rm -rf .venv .venv-cloud .venv-lint .venv-audit .venv-mutation .venv-bench node_modules cdktf.out .local .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: .environment .demo-environment
.environment:
	@$(PYTHON) scripts/setup.py

.demo-environment:
	@$(PYTHON) scripts/setup.py --demo
