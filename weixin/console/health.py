"""How the whole is doing: what the health page and the settings page show."""

from __future__ import annotations

import platform
import time
from typing import Any

from .. import __version__
from ..config import OPTIONS, Settings
from ..wire import aes
from .ledger import Ledger, Record
from .remembered import Memory
from .rulebook import Rulebook

# 接口报警: so many failures in so many seconds bring WeChat's alarm, and then it mutes the account for a minute.
ALARM_FAILURES = 30
ALARM_SECONDS = 300.0
# Slower than this is worth a look, long before the platform hangs up.
SLOW_SECONDS = 3.0


def report(settings: Settings, ledger: Ledger, memory: Memory, rulebook: Rulebook, started: float) -> dict[str, Any]:
    """The state of things, as numbers; the page has the sentences."""
    now = time.time()
    records = ledger.records()
    rules, _ = rulebook.current()
    problems = rulebook.problems()
    live = [record for record in records if record.live]
    return {
        "version": __version__,
        "python": platform.python_version(),
        "aes": aes.find().name,
        "uptime": round(now - started),
        "rules": len(rules),
        "problems": [
            {"code": p.code, "values": {k: str(v) for k, v in p.values.items()}, "file": p.file, "line": p.line}
            for p in problems
        ],
        "streams": ledger.streams,
        "kept": len(records),
        "failures": sum(1 for record in live if now - record.at < ALARM_SECONDS and failed(record)),
        "alarm": ALARM_FAILURES,
        "slow": sum(1 for record in records if record.seconds > SLOW_SECONDS),
        "last_live": max((record.at for record in live if record.kind), default=0),
        "mode": settings.mode,
    }


def failed(record: Record) -> bool:
    """Whether WeChat would count it as our failure."""
    return record.done and record.outcome in ("fault", "error")


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
