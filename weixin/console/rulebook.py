"""The rules as they stand in the files now: listed, tried, and what keeps them from being loaded.

Loaded in the console's own process when somebody asks, and again when a file has changed, so that the workers are not
troubled. Trying a text asks no handler: it says who would be asked, in which order, and why.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Callable

from ..app import load_rules
from ..config import Settings
from ..problem import Problem
from ..routing.rules import Rule, Rules
from ..simulator import Push, make
from ..wire.messages import Message

# Looking at the files' times is cheap, but a page that asks ten times a second need not do it ten times.
LOOK_SECONDS = 0.5
# A folder of handlers has a few dozen files; somebody may point at a home directory.
FILES_MAX = 1_000


class Rulebook:
    """The rules of *settings*. Threads may share it."""

    def __init__(self, settings: Settings, configuration: Callable[[], Sequence[Problem]] = lambda: ()) -> None:
        """*configuration* says what is wrong with the configuration as it stands in its file."""
        self._settings = settings
        self._configuration = configuration
        self._lock = threading.Lock()
        self._stamp: tuple[tuple[str, int, int], ...] = ()
        self._looked = 0.0
        self._rules = Rules()
        self._problems: list[Problem] = []
        #: How often the files were read: 1 is the start.
        self.loads = 0

    def current(self) -> tuple[Rules, list[Problem]]:
        """The rules, and what is wrong with the files; with something wrong the rules are the last that were right."""
        with self._lock:
            if self.loads and time.monotonic() - self._looked < LOOK_SECONDS:
                return self._rules, self._problems
            self._looked = time.monotonic()
            stamp = tuple(self._files())
            if stamp != self._stamp or not self.loads:
                self._stamp = stamp
                self.loads += 1
                rules, problems = load_rules(self._settings)
                self._problems = [*self._configuration(), *problems]
                if not problems or self.loads == 1:
                    rules, self._rules = self._rules, rules
                rules.close()  # those of before, or those that are of no use
            return self._rules, self._problems

    def written(self) -> float:
        """When the youngest of the files was written; 0 without any."""
        with self._lock:
            return max((written for _, written, _ in self._stamp), default=0) / 1e9

    def rows(self, hits: dict[str, int]) -> list[dict[str, Any]]:
        """Every rule, first asked first."""
        rules, _ = self.current()
        return [{**self._row(rule), "hits": hits.get(rule.at) or hits.get(self.place(rule), 0)} for rule in rules]

    def try_text(self, kind: str, word: str, now: float) -> list[dict[str, Any]]:
        """Who would be asked about this message, first asked first; the first that is open answers or passes."""
        words = (word,) if word else ()
        return self.explain(make(kind, *words, time=int(now), id="1"), now)

    def explain(self, push: Push, now: float) -> list[dict[str, Any]]:
        """The same for any push."""
        if push.message is None:
            return []
        rules, _ = self.current()
        return [
            {**self._row(candidate.hit.rule), "word": candidate.hit.word, "open": candidate.open}
            for candidate in rules.explain(push.message, now)
        ]

    def rule_of(self, message: Message) -> tuple[str, str]:
        """The name and place of the rule that *message* meets first, or two empty texts."""
        rules, _ = self.current()
        for candidate in rules.explain(message, time.time()):
            if candidate.open:
                return candidate.hit.rule.name, self.place(candidate.hit.rule)
        return "", ""

    def place(self, rule: Rule) -> str:
        """``handlers/weather.py:9`` as somebody in the project's folder would write it."""
        return f"{self._short(rule.file)}:{rule.line}" if rule.line else self._short(rule.file)

    def problems(self) -> list[Problem]:
        return [problem._replace(file=self._short(problem.file)) for problem in self.current()[1]]

    def _row(self, rule: Rule) -> dict[str, Any]:
        return {
            "name": rule.name,
            "at": self.place(rule),
            "level": rule.level.name.lower(),
            "kind": rule.kind,
            "patterns": [each if isinstance(each, str) else each.pattern for each in rule.patterns],
            "priority": rule.priority,
            "hours": rule.hours is not None,
        }

    def _short(self, path: str) -> str:
        if not os.path.isabs(path):
            return path
        relative = os.path.relpath(path, self._settings.base)
        return path if relative.startswith(os.pardir) else relative

    def _files(self) -> Iterator[tuple[str, int, int]]:
        """Every file that answers, and the configuration's, with what changes when it is written."""
        folder = Path(self._settings.handlers)
        found = sorted(folder.rglob("*.py"))[:FILES_MAX] if folder.is_dir() else []
        for path in [*found, Path(self._settings.replies), *map(Path, filter(None, [self._settings.file]))]:
            try:
                status = path.stat()
            except OSError:
                continue
            yield str(path), status.st_mtime_ns, status.st_size
