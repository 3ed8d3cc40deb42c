#!/usr/bin/env bash
# Builds what Cloud Run would run and plays the demo with it.
set -euo pipefail
cd "$(dirname "$0")/../.."

target="${CARGO_TARGET_DIR:-target}"
echo "== building the functions and the command line (the first time takes some minutes)"
cargo build --profile function --package gcp-audit --package gcp-respond --package onus
exec .local/venv/bin/python tests/demo_gcp/play.py "$target/function"
