"""Serves tests/azure on a port of the loopback interface: `serve.py PORT`."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "local")]

from arm import Arm  # noqa: E402
from web import serve  # noqa: E402

serve(Arm(), int(sys.argv[1]))
