# Patchbay's commands. `make` alone lists them.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

console := web/console
console_sources := $(shell find $(console)/src $(console)/public $(console)/index.html $(console)/*.json $(console)/*.ts -type f 2>/dev/null)
target := $(shell cargo metadata --no-deps --format-version 1 2>/dev/null | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

.PHONY: help
help: ## List these commands.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do printf '  make %-10s %s\n' "$$name" "$$what"; done

.PHONY: run
run: console postgres ## Build what is missing and start Patchbay. ARGS="--listen 0.0.0.0:8080" goes through.
	@cargo run --quiet --release --package patchbay-web -- serve $(ARGS)

.PHONY: test
test: check unit mcp browser ## Everything: formatting, lints, unit, integration, agents, browser.

.PHONY: check
check: console ## Formatting, lints, documentation, dependencies.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --document-private-items --locked --quiet
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --log-level error check bans licenses sources; else echo "cargo deny is not installed: dependencies are not checked (cargo install cargo-deny --locked)"; fi
	npm --prefix $(console) run lint
	npm --prefix $(console) run types
	npm --prefix $(console) run schema -- --check

.PHONY: unit
unit: console postgres
	tests/mailserver
	PROPTEST_RNG_SEED=$${PROPTEST_RNG_SEED:-1} cargo test --workspace --locked
	npm --prefix $(console) test

.PHONY: browser
browser: console postgres
	tests/browser/chromium
	cargo build --package patchbay-web --locked
	PATCHBAY_BIN="$(target)/debug/patchbay" npm --prefix $(console) run e2e

.PHONY: mcp
mcp: console postgres ## Two agents work a backlog through the Model Context Protocol, with its official client.
	cargo build --package patchbay-web --locked
	PATCHBAY_BIN="$(target)/debug/patchbay" tests/mcp/run

.PHONY: contract
contract: console postgres ## Ask the API whatever its OpenAPI document allows, and hold it to its answers.
	cargo build --package patchbay-web --locked
	PATCHBAY_BIN="$(target)/debug/patchbay" tests/contract/run

.PHONY: openapi
openapi: console postgres ## Keep the API's document as it is now in docs/openapi.json, and the console's types by it.
	UPDATE_OPENAPI=1 cargo test --package patchbay-tests --test service --locked --quiet openapi
	npm --prefix $(console) run schema

.PHONY: chaos
chaos: console postgres ## Kill the program again and again while 2,000 proposals are decided, 1,000 commands come over every channel and 10,000 jobs are worked off. CHAOS_SEED=n repeats a run.
	CHAOS_ACCEPTS="$${CHAOS_ACCEPTS:-2000}" CHAOS_MESSAGES="$${CHAOS_MESSAGES:-1000}" CHAOS_JOBS="$${CHAOS_JOBS:-10000}" cargo test --package patchbay-tests --test chaos --locked -- --nocapture --test-threads 1

.PHONY: audit
audit: ## Known faults of dependencies. Needs the network for the list of advisories.
	cargo deny check advisories
	npm --prefix $(console) audit

.PHONY: fuzz
fuzz: ## Properties on a million generated plans, patches and texts; CASES=10000 for fewer. A failure prints its input.
	PROPTEST_CASES=$(or $(CASES),1000000) PROPTEST_MAX_SHRINK_ITERS=20000 cargo test --release --locked --package patchbay-core --package patchbay-agent --package patchbay-channels --lib

.PHONY: fuzzers
fuzzers: console ## The parsers of patches, of their text and of files against whatever leads further into them, each for SECONDS=60. Needs cargo-fuzz.
	for target in patch text import; do RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz $$target -- -max_total_time=$(or $(SECONDS),60); done

.PHONY: bench
bench: console postgres ## Measure; results are kept in tests/bench/results.
	tests/bench/run

.PHONY: fmt
fmt: $(console)/node_modules/.package-lock.json ## Format everything.
	cargo fmt --all
	npm --prefix $(console) run format

.PHONY: console
console: $(console)/dist/index.html

$(console)/dist/index.html: $(console)/node_modules/.package-lock.json $(console_sources)
	npm --prefix $(console) run build
	@touch $@

$(console)/node_modules/.package-lock.json: $(console)/package-lock.json
	npm --prefix $(console) ci
	@touch $@

.PHONY: postgres
postgres: ## Fetch a Postgres where the machine has none.
	@tests/postgres
