#!/usr/bin/env bash
# Builds aws-audit and a function that does nothing, and measures their starts side by side.
set -euo pipefail
cd "$(dirname "$0")/../.."

target="${CARGO_TARGET_DIR:-target}"
cargo build --quiet --profile function --package aws-audit --bin aws-audit --example hello
exec .local/venv/bin/python tests/cold_start/measure.py "$target/function" "${1:-20}"
