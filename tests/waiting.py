"""Waiting for what another thread or process does in its own time, and gives no word of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

# Between two looks.
PAUSE = 0.005


def until(holds: Callable[[], Any], seconds: float) -> Any:
    """Wait until *holds* returns something true, and return that; fail after *seconds*."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(PAUSE)
    raise AssertionError("it never came to that")
