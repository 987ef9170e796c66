"""bjoern has no command of its own: python serve_bjoern.py module:callable ADDRESS."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import bjoern

module, _, name = sys.argv[1].partition(":")
sys.path.insert(0, str(Path(__file__).parent))
application = getattr(import_module(module), name)
host, _, port = sys.argv[2].rpartition(":")
if host == "unix":
    bjoern.run(application, sys.argv[2])
else:
    bjoern.run(application, host, int(port))
