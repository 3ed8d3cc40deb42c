#!/usr/bin/env bash
# Installs the local AWS (ministack, moto) and its clients into .local/venv, pinned. Does nothing when they are there.
set -euo pipefail
cd "$(dirname "$0")/../.."

wanted=tests/local/requirements.txt
stamp=.local/venv/installed.txt
cmp -s "$wanted" "$stamp" && exit 0

python=$(command -v python3.11 || true)
if [ -z "$python" ]; then
  echo "error: python3.11 is not on the PATH" >&2
  echo "hint: install Python 3.11 with your package manager, then run \`make local\` again" >&2
  exit 1
fi

echo "== installing the local AWS into .local/venv ($(grep -c '==' "$wanted") packages, about a minute)"
rm -rf .local/venv
"$python" -m venv .local/venv
.local/venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement "$wanted"
.local/venv/bin/pip check --disable-pip-version-check
cp "$wanted" "$stamp"
echo "== ready: $(.local/venv/bin/python -c 'from importlib.metadata import version as v; print("ministack", v("ministack") + ", moto", v("moto"))')"
