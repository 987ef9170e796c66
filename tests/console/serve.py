"""Serve the tests' console until it is interrupted: for looking at it.   python3 -m tests.console.serve [mode]"""

from __future__ import annotations

import sys
import threading

from tests.console.rig import Rig

if __name__ == "__main__":
    rig = Rig(*sys.argv[1:2])
    print(rig.url, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        rig.close()
