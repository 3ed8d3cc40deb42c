# What can be done with this repository. Everything a target needs beyond Rust, Python 3.11 and a package manager is
# installed, pinned, into .local/.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help demo demo-azure demo-gcp test lint docs docs-check deny local build build-aws build-azure build-gcp bench fuzz clean measure measure-cold-start simulate faults

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: local ## Play risky changes against a local AWS: found, told, rolled back, undone
	@tests/demo/run.sh

demo-azure: local ## The same on a local Azure
	@tests/demo_azure/run.sh

demo-gcp: local ## The same on a local Google Cloud
	@tests/demo_gcp/run.sh

test: local ## Run every test
	@echo "== tests of the workspace"
	@cargo test --workspace --features onus/clouds --no-fail-fast 2>&1 \
	  | awk '{print} /^test result:/ {passed += $$4; failed += $$6} END {print ""; print passed " passed, " failed " failed"}'

lint: ## Check format and lints
	@cargo fmt --all --check
	@cargo clippy --workspace --all-targets --features onus/clouds -- -D warnings
	@cargo clippy -p onus -- -D warnings
	@for cloud in aws azure gcp; do cargo clippy -p onus --features $$cloud -- -D warnings || exit 1; done

docs: ## Write rule pages, roles, event pattern and schemas anew
	@cargo run -q -p onus -- generate all

docs-check: ## Check that generated files are up to date
	@cargo run -q -p onus -- generate all --check

deny: .local/cargo/bin/cargo-deny ## Check licences, sources and banned crates
	@.local/cargo/bin/cargo-deny check bans licenses sources

.local/cargo/bin/cargo-deny:
	@echo "== building cargo-deny into .local (once, about two minutes)"
	@cargo install -q cargo-deny@0.20.2 --locked --no-default-features --root .local/cargo --target-dir $(TARGET)/cargo-deny

local: ## Install the local clouds and their clients into .local/
	@tests/local/install.sh

build: build-aws build-azure build-gcp ## Build the functions of every cloud and the command line, optimised
	@cargo build --release -p onus

build-aws: ## Lay out target/lambda for sam deploy
	@cargo build --profile function -p aws-audit -p aws-respond -p aws-sweep -p aws-approve
	@for name in aws-audit aws-respond aws-sweep aws-approve; do install -D $(TARGET)/function/$$name target/lambda/$$name/bootstrap; done

build-azure: ## Lay out target/azure: each folder is a function app, zipped and published as it is
	@cargo build --profile function -p azure-audit -p azure-respond -p azure-approve
	@for name in azure-audit azure-respond azure-approve; do mkdir -p target/azure && cp -rT infra/azure/functions/$$name target/azure/$$name \
	  && install $(TARGET)/function/$$name target/azure/$$name/$$name; done

build-gcp: ## Lay out target/gcp: each folder is the context of a container image
	@cargo build --profile function -p gcp-audit -p gcp-respond -p gcp-approve
	@for name in gcp-audit gcp-respond gcp-approve; do install -D $(TARGET)/function/$$name target/gcp/$$name/function \
	  && install -m 644 infra/gcp/Dockerfile target/gcp/$$name/Dockerfile; done

bench: ## Measure rule evaluation beside its limits
	@cargo bench -p onus-rules

fuzz: ## Fuzz the decoder, onus.yaml, rule files, jobs and approval links (SECONDS=60, each)
	@command -v cargo-fuzz >/dev/null || [ -x .local/cargo/bin/cargo-fuzz ] || cargo install -q cargo-fuzz@0.13.2 --locked --root .local/cargo
	@mkdir -p shared/sources/fuzz/corpus/decode
	@cd shared/sources && PATH="$(CURDIR)/.local/cargo/bin:$$PATH" cargo fuzz run decode -s none fuzz/corpus/decode ../../events/aws ../../events/azure ../../events/gcp -- -max_total_time=$(or $(SECONDS),60)
	@cd shared/host && for target in config job link rule; do mkdir -p fuzz/corpus/$$target; done && cp ../../tests/demo/onus.yaml fuzz/corpus/config/ \
	  && find ../rules/catalog -name '*_public.yaml' -exec cp {} fuzz/corpus/rule/ \;
	@cd shared/host && for target in config job link rule; do \
	  PATH="$(CURDIR)/.local/cargo/bin:$$PATH" cargo fuzz run $$target -s none fuzz/corpus/$$target -- -max_total_time=$(or $(SECONDS),60); done

# SEED=n plays one seed and tells what happened; GUARDS=1 takes the guards away one by one.
simulate: ## Play the pipeline in a hostile world (SEEDS=100000)
	@cargo build -q --release -p onus-tests --example simulate
	@$(TARGET)/release/examples/simulate $(if $(SEED),--seed $(SEED),$(if $(GUARDS),--guards $(or $(SEEDS),2000),$(or $(SEEDS),100000)))

faults: local ## Spoil each call of the real aws-respond, kill it between any two, and print what became of it
	@cargo run -q -p onus-tests --example faults

clean: ## Remove what was built and installed
	@rm -rf .local && cargo clean

# Third-party material that lies outside the repository: nothing else needs it.
SHARED ?= ../shared
measure: ## Measure on third-party events and protocol cases (SHARED=folder)
	@cargo build -q --release -p onus
	@echo "== decoding"
	@cargo run -q --release -p onus-sources --example measure -- $(foreach cloud,aws azure gcp,$(SHARED)/events/$(cloud).jsonl $(SHARED)/events/envelopes/$(cloud)-*)
	@for name in aws azure gcp; do echo "== findings: $$name"; \
	  $(TARGET)/release/onus audit $(SHARED)/events/$$name.jsonl --format jsonl --fail-on never --quiet \
	  | python3 tests/measure/score.py $(SHARED)/events $$name; done
	@echo "== AWS protocol cases"
	@cargo run -q -p onus-aws --example protocol_cases -- $(SHARED)/protocols

measure-cold-start: local ## Measure the start of aws-audit beside a function that does nothing
	@tests/cold_start/run.sh
