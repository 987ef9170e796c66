"""How the whole is doing: what the health page and the settings page show."""

from __future__ import annotations

import platform
import time
from typing import Any

from .. import __version__
from ..config import OPTIONS, Settings
from ..wire import aes
from .rulebook import Rulebook

# 接口报警: so many failures in five minutes bring WeChat's alarm, and then it mutes the account for a minute.
ALARM_FAILURES = 30


def report(settings: Settings, rulebook: Rulebook, started: float, loaded: float) -> dict[str, Any]:
    """The state of things, as numbers; the page has the words. *loaded* is when the workers read the files, or 0."""
    rules, _ = rulebook.current()
    problems = rulebook.problems()
    return {
        "version": __version__,
        "python": platform.python_version(),
        "aes": aes.find().name,
        "uptime": round(time.time() - started),
        "rules": len(rules),
        "problems": [
            {"code": p.code, "values": {k: str(v) for k, v in p.values.items()}, "file": p.file, "line": p.line}
            for p in problems
        ],
        # The rules that answer are older than the files.
        "pending": not problems and 0 < loaded < rulebook.written(),
        "alarm": ALARM_FAILURES,
        "mode": settings.mode,
    }


def effective(settings: Settings) -> list[dict[str, str]]:
    """Every option as it is in force, and where it comes from; of a secret, how long it is."""
    rows = []
    for option in OPTIONS:
        value = getattr(settings, option.key)
        shown = ("on" if value else "off") if isinstance(value, bool) else str(value)
        if option.secret:
            shown = "•" * min(len(shown), 12) if shown else ""
        rows.append({
            "section": option.section,
            "name": option.name,
            "key": option.key,
            "value": shown,
            "source": settings.sources.get(option.key, "default"),
        })
    return rows
