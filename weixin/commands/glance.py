"""The command line of somebody who just serves, read at a glance.

``python3 wxserve.py``, with or without ``run`` and ``-c FILE``: what systemd starts, and most people. argparse, its
import and forty options to be ready for are a twentieth of the time to start and half a megabyte; it reads all the
rest, and would read these lines the same (``tests/commands/test_glance.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

#: The options that every command takes, as they are when nobody gives them.
DEFAULTS = {"config": None, "lang": "auto", "color": "auto", "json": False, "quiet": False, "verbose": False}


def glance(argv: Sequence[str]) -> SimpleNamespace | None:
    """Return the options of a plain ``run``; None where *argv* says anything else."""
    words = list(argv)
    if "run" in words[:1]:
        del words[0]
    options = SimpleNamespace(**DEFAULTS)
    if words[:1] in (["-c"], ["--config"]) and words[1:] and words[1] and not words[1].startswith("-"):
        options.config = words[1]
        del words[:2]
    return None if words else options
