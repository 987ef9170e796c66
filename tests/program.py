"""Runs the program the way a person does: ``python3 wxserve.py …`` in another process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "wxserve.py"
# A command that takes longer has hung.
SECONDS = 30


def environment(**more: str) -> dict[str, str]:
    """An environment with nothing of ours in it, in which everybody speaks English and UTF-8."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WXSERVE_")}
    for name in ("CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "JOURNAL_STREAM", "LISTEN_FDS", "LC_ALL", "LC_MESSAGES"):
        kept.pop(name, None)
    return {**kept, "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1", **more}


def run(*arguments: str, cwd: str | Path, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; *more* are variables of its environment."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=cwd, env=environment(**more), input=stdin, capture_output=True, text=True, timeout=SECONDS, check=False,
        encoding="utf-8",
    )  # fmt: skip
