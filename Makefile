# Tidemark's front door. `make run` and `make test` need git, make and any Python 3; the rest follows from them.
.DEFAULT_GOAL := help
.PHONY: help setup run ask status stop logs test test-unit test-integration lint lint-style lint-types lint-sql bench eval lock clean

BIN := .venv/bin
UV = $(or $(shell command -v uv),.tidemark/uv/bin/uv)
export SLUGIFY_USES_TEXT_UNIDECODE := yes
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where it is set, as in many images, each process compiles all that it imports again: half of a start.
unexport PYTHONDONTWRITEBYTECODE

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup:
	@sh embedded/bootstrap.sh

run: setup  ## start the stack, make one full pass, say what was found and where (ONCE=1: stop the stack at the end)
	@$(BIN)/tidemark run $(if $(ONCE),--once)

ask: setup  ## ask one question: make ask Q="What was revenue by month this year?"
	@$(BIN)/tidemark ask "$$Q"

status: setup  ## services, health, addresses
	@$(BIN)/tidemark status

stop: setup  ## stop the stack; all state stays
	@$(BIN)/tidemark stop

logs: setup  ## the newest lines of each service's log (S=name: of one)
	@$(BIN)/tidemark logs $(S)

# Much of the time is waiting for what starts: three workers fill two cores. Each begins with what takes longest.
PYTEST = $(BIN)/pytest -n 3 --dist loadscope --durations=20 --durations-min=10

test: setup  ## the whole test suite: units, contracts, and real services on their own ports
	@$(PYTEST)

test-unit: setup
	@$(PYTEST) -m "not integration"

test-integration: setup
	@$(PYTEST) -m integration

lint: setup  ## ruff, mypy, sqlfluff
	@$(MAKE) --no-print-directory -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync) lint-types lint-style lint-sql

lint-style:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

lint-types:
	@$(BIN)/mypy

lint-sql:
	@$(BIN)/sqlfluff lint dbt/models --processes 1 --disable-progress-bar

bench: setup  ## measured ratios, as one table
	@$(BIN)/python -m benchmarks

eval: setup  ## put the questions with gold answers to the analyst: right, poor, declined, wrong
	@$(BIN)/python -m evaluation

lock:  ## resolve requirements*.txt again into requirements.lock
	@$(UV) lock -q && $(UV) export -q --frozen --extra dev --no-emit-project --no-header --no-annotate -o requirements.lock > /dev/null

clean: stop  ## stop the stack and delete all its state
	@rm -rf .tidemark
