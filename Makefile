# Sluice: everything a person or a machine does with this repository.
# `make run` and `make test` need no other command before them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

# One target directory for all checkouts, outside of them: dependencies are compiled once.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/sluice/target
# Where `make run` keeps its data; a second run adds to it. `make clean` takes it away.
DATA ?= .sluice
# What `make run` sends through.
FILES ?= samples
# How often `make soak` kills the program, and the seed of an earlier run to repeat.
KILLS ?= 200
SEED ?=
# How long `make fuzz` goes on.
MINUTES ?= 10
# Real files that are no part of the repository; the tests use them where they are.
SHARED ?= ../shared

# One feature set and one profile for building, running and testing.
EVERYTHING := --workspace --all-targets
PROGRAMS := $(CARGO_TARGET_DIR)/debug
PYTHON := $(CARGO_TARGET_DIR)/python
# What checks, packs and deploys it; `infra/build` holds the packages of ARCHITECTURE, that of this machine unless said.
INFRA_PYTHON := $(CARGO_TARGET_DIR)/infra-python
FUNCTIONS := $(notdir $(wildcard crates/lambdas/*))
ARCHITECTURE ?= $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
# The settings that lie beside each function.
SETTINGS ?= settings.toml
# What Sluice is measured against wants its own versions of the AWS SDK.
BENCH_PYTHON := $(CARGO_TARGET_DIR)/bench-python

.PHONY: help
help: ## Say what can be done here
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what is missing from Debian or Ubuntu, or say how
	@scripts/setup

.PHONY: build
build: ## Build all programs
	cargo build --locked $(EVERYTHING)

.PHONY: run
run: setup build ## Send the samples through the whole pipeline (FILES=… for others)
	$(PROGRAMS)/sluice run --data $(DATA) $(FILES)

.PHONY: test
test: setup build test-rust test-python test-readers conformance check-infra ## Run all tests

.PHONY: test-rust
test-rust: build
	if [ -d $(SHARED)/corpus ]; then export SLUICE_CORPUS=$$(realpath $(SHARED)/corpus); else echo "no corpus at $(SHARED)/corpus: its test is skipped"; fi
	if command -v cargo-nextest > /dev/null; then
		cargo nextest run --locked $(EVERYTHING)
		cargo test --locked --workspace --doc
	else
		echo "cargo-nextest is not installed: cargo test runs the tests, with less to see"
		cargo test --locked --workspace
	fi

.PHONY: test-python
test-python: build $(PYTHON)/bin/boto3-is-there
	SLUICE=$(PROGRAMS)/sluice $(PYTHON)/bin/python -m unittest discover --start-directory tests/python

.PHONY: test-readers
test-readers: build $(PYTHON)/bin/readers-are-there ## Let other engines read what the lakehouse writes (SEEDS=… for more)
	export LAKEHOUSE_SHELL=$(PROGRAMS)/examples/lakehouse_shell SLUICE=$(PROGRAMS)/sluice PYTHONPATH=tests/python
	$(PYTHON)/bin/python -m unittest discover --start-directory tests/readers

.PHONY: conformance
conformance: build $(PYTHON)/bin/boto3-is-there ## Hold the Step Functions engine to what AWS answered, where that is recorded
	if [ -d $(SHARED)/asl-conformance ]; then
		$(PYTHON)/bin/python scripts/conformance $(PROGRAMS)/sluice $(SHARED)/asl-conformance tests/deviations.json
	else
		echo "no recordings at $(SHARED)/asl-conformance: conformance is skipped"
	fi

.PHONY: package
package: $(INFRA_PYTHON)/bin/infra-can-be-checked ## Build the functions for Lambda (ARCHITECTURE=arm64 or x86_64, SETTINGS=…)
	export PATH=$(INFRA_PYTHON)/bin:$$PATH
	cargo lambda build --locked --profile lambda --features aws/packaged --$(subst _,-,$(ARCHITECTURE)) --lambda-dir infra/build $(addprefix --package ,$(FUNCTIONS))
	for function in $(FUNCTIONS); do cp $(SETTINGS) infra/build/$$function/settings.toml; done
	$(INFRA_PYTHON)/bin/python infra/checks packages infra/build

.PHONY: expand
expand: $(INFRA_PYTHON)/bin/infra-can-be-checked ## Write infra/expanded.json anew, after a change of the template or a state machine
	$(INFRA_PYTHON)/bin/python infra/checks expand

.PHONY: check-infra
check-infra: build package infra/cdk/node_modules/.package-lock.json ## Hold the deployment to the programs, deploy it into an emulator, drive it locally
	$(INFRA_PYTHON)/bin/python infra/checks check $(PROGRAMS)
	cd infra/cdk && $(INFRA_PYTHON)/bin/node node_modules/typescript/bin/tsc && cd ../..
	$(INFRA_PYTHON)/bin/python infra/checks emulate infra/build
	$(INFRA_PYTHON)/bin/python infra/checks wiring $(PROGRAMS)

.PHONY: deploy
deploy: ## Deploy to AWS: asks once, remembers the answers in infra/samconfig.toml
	@scripts/deploy

.PHONY: destroy
destroy: ## Take the stack away; the buckets and what lies in them stay
	@scripts/destroy

.PHONY: soak
soak: build ## Kill the program 200 times under running executions (KILLS=… SEED=… to choose)
	SLUICE_KILLS=$(KILLS) SLUICE_SEED=$(SEED) cargo test --locked --workspace --test kills -- --nocapture

.PHONY: fuzz
fuzz: build ## Try texts, expressions, definitions and inputs of strangers on the Step Functions engine (MINUTES=10)
	MINUTES=$(MINUTES) scripts/fuzz

.PHONY: check
check: definitions ## Format, lints, documentation, licences, state machine definitions (house rules are among the tests)
	cargo fmt --all --check
	cargo clippy --locked $(EVERYTHING) -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --locked --workspace --no-deps --document-private-items
	if command -v cargo-deny > /dev/null; then cargo deny --all-features check; else echo "cargo-deny is not installed: licences and advisories are not checked"; fi

.PHONY: definitions
definitions: build
	$(PROGRAMS)/examples/check_definitions statemachine/*.asl.json

.PHONY: bench
bench: setup package $(BENCH_PYTHON)/bin/bench-can-run ## Measure, beside something simpler each time: states, functions, texts, memory, packages, starts, merges
	cargo build --locked --release --workspace --bins --examples
	$(BENCH_PYTHON)/bin/python scripts/bench $(CARGO_TARGET_DIR)/release

.PHONY: samples
samples: $(PYTHON)/bin/samples-can-be-made ## Make the files under samples/ anew
	$(PYTHON)/bin/python scripts/make-samples samples

.PHONY: clean
clean: ## Take away what was built and what `make run` kept
	cargo clean
	rm -rf $(DATA) $(PYTHON) $(BENCH_PYTHON) $(INFRA_PYTHON) infra/build infra/cdk/node_modules infra/cdk/cdk.out

$(PYTHON)/bin/python:
	python3 -m venv $(PYTHON)

$(PYTHON)/bin/boto3-is-there: tests/python/requirements.txt | $(PYTHON)/bin/python
	$(PYTHON)/bin/pip install --quiet --disable-pip-version-check --requirement tests/python/requirements.txt
	touch $@

$(INFRA_PYTHON)/bin/infra-can-be-checked: infra/checks/requirements.txt
	python3 -m venv $(INFRA_PYTHON)
	$(INFRA_PYTHON)/bin/pip install --quiet --disable-pip-version-check --requirement infra/checks/requirements.txt
	touch $@

infra/cdk/node_modules/.package-lock.json: infra/cdk/package-lock.json | $(INFRA_PYTHON)/bin/infra-can-be-checked
	export PATH=$(INFRA_PYTHON)/bin:$$PATH
	npm ci --prefix infra/cdk --no-audit --no-fund --loglevel error
	touch $@

$(BENCH_PYTHON)/bin/bench-can-run: scripts/bench-requirements.txt
	python3 -m venv $(BENCH_PYTHON)
	$(BENCH_PYTHON)/bin/pip install --quiet --disable-pip-version-check --requirement scripts/bench-requirements.txt
	touch $@

$(PYTHON)/bin/readers-are-there: tests/readers/requirements.txt | $(PYTHON)/bin/python
	$(PYTHON)/bin/pip install --quiet --disable-pip-version-check --requirement tests/readers/requirements.txt
	touch $@

$(PYTHON)/bin/samples-can-be-made: scripts/samples-requirements.txt | $(PYTHON)/bin/python
	$(PYTHON)/bin/pip install --quiet --disable-pip-version-check --requirement scripts/samples-requirements.txt
	touch $@
