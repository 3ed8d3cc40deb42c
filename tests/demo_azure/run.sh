#!/usr/bin/env bash
# Builds what Azure would run and plays the demo with it.
set -euo pipefail
cd "$(dirname "$0")/../.."

target="${CARGO_TARGET_DIR:-target}"
echo "== building the functions and the command line (the first time takes some minutes)"
cargo build --profile function --package azure-audit --package azure-respond --package onus
exec .local/venv/bin/python tests/demo_azure/play.py "$target/function"
