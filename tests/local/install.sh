#!/usr/bin/env bash
# Installs the local clouds and their clients into .local/, pinned: Python's into .local/venv, Node's into .local/node. Does
# nothing when they are there.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing() { # program, what brings it
  command -v "$1" >/dev/null && return
  echo "error: $1 is not on the PATH" >&2
  echo "hint: install $2 with your package manager, then run \`make local\` again" >&2
  exit 1
}

install_python() {
  local wanted=tests/local/requirements.txt stamp=.local/venv/installed.txt
  cmp -s "$wanted" "$stamp" && return
  missing python3.11 "Python 3.11"
  echo "== installing the local clouds into .local/venv ($(grep -c '==' "$wanted") packages, about two minutes)"
  rm -rf .local/venv
  python3.11 -m venv .local/venv
  .local/venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement "$wanted"
  .local/venv/bin/pip check --disable-pip-version-check
  cp "$wanted" "$stamp"
  echo "== ready: $(.local/venv/bin/python -c 'from importlib.metadata import version as v; print("ministack", v("ministack") + ", moto", v("moto"))')"
}

install_node() {
  local wanted=tests/local/node stamp=.local/node/installed.json
  cmp -s "$wanted/package-lock.json" "$stamp" && return
  missing npm "Node.js 20 or newer and npm"
  echo "== installing Azurite into .local/node (about half a minute)"
  rm -rf .local/node
  mkdir -p .local/node
  cp "$wanted/package.json" "$wanted/package-lock.json" .local/node/
  npm ci --prefix .local/node --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --silent
  cp "$wanted/package-lock.json" "$stamp"
  echo "== ready: azurite $(node -p 'require("./.local/node/node_modules/azurite/package.json").version')"
}

install_python
install_node
