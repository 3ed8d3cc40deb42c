#!/usr/bin/env bash
# Builds what AWS would run and plays the demo with it.
set -euo pipefail
cd "$(dirname "$0")/../.."

target="${CARGO_TARGET_DIR:-target}"
echo "== building the functions and the command line (the first time takes some minutes)"
cargo build --profile function --package aws-audit --package aws-respond --package aws-sweep --package aws-approve --package onus
exec .local/venv/bin/python tests/demo/play.py "$target/function"
