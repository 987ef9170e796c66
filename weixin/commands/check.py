"""``check``: look through everything that can be wrong before it is served; start nothing, change nothing."""

from __future__ import annotations

import argparse
import errno
import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import app, texts
from ..config import OPTIONS, ConfigError, Settings
from ..problem import Problem
from ..routing import regex
from ..routing.answers import Fixed
from ..routing.rules import Rules
from ..wire import aes
from . import CONFIG, FAILED, FINE, add_settings, modes
from .terminal import pad, shorten

if TYPE_CHECKING:
    from . import Call


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("--dump", action="store_true", help=texts.say("help.dump", lang))
    add_settings(parser, lang)


def run(call: Call) -> int:
    try:
        settings = call.settings()
    except ConfigError as error:
        if not call.options.json:
            raise
        _print(call, error.problems, [])
        return CONFIG
    rules, errors, warnings = examine(settings, os.environ)
    warnings += _homeless(settings)
    if not rules and not errors:
        values = {"replies": shorten(settings.replies), "handlers": shorten(settings.handlers)}
        warnings.append(Problem("WX-RPL-08", values, settings.file or ""))
    if call.options.json:
        extra: dict[str, Any] = {"rules": len(rules), "aes": aes.find().name}
        if call.options.dump:
            extra["settings"] = [dict(zip(("name", "value", "from"), row)) for row in _rows(settings, call.lang)]
        _print(call, errors, warnings, **extra)
        return FAILED if errors else FINE
    if call.options.dump:
        dump(settings, call)
    call.terminal.problems([*errors, *warnings])
    if errors or warnings:
        counts = {"errors": len(errors), "warnings": len(warnings)}
        call.terminal.say(texts.say("check.counts", call.lang, **counts))
    if errors:
        return FAILED
    call.terminal.say(texts.say("check.ok", call.lang, rules=len(rules), aes=aes.find().name))
    return FINE


def examine(settings: Settings, environ: Mapping[str, str]) -> tuple[Rules, list[Problem], list[Problem]]:
    """Everything that answers, what is wrong with it, and what is dangerous or will not go as it was meant."""
    rules, errors = app.load_rules(settings)
    warnings = [*modes.warnings(settings, environ), *_linted(rules, settings.split)]
    return rules, [*errors, *_dangerous(rules)], warnings


def dump(settings: Settings, call: Call) -> None:
    """Print every option's effective value and where it came from; of a secret, its length."""
    rows = list(_rows(settings, call.lang))
    left = max(len(key) for key, _, _ in rows)
    middle = min(40, max(len(shown) for _, shown, _ in rows))
    for key, shown, source in rows:
        call.terminal.say(f"{pad(key, left)} = {pad(shown, middle)}  {source}")


def _print(call: Call, errors: list[Problem], warnings: list[Problem], **extra: Any) -> None:
    """All that was found, for programs."""
    kinds = (("errors", errors), ("warnings", warnings))
    found = {name: [_row(problem, call.lang) for problem in problems] for name, problems in kinds}
    call.terminal.say(json.dumps({"ok": not errors, **found, **extra}, ensure_ascii=False, indent=1))


def _row(problem: Problem, lang: str) -> dict[str, Any]:
    title, _, fix = texts.explain(problem.code, lang, problem.values)
    return {"code": problem.code, "file": shorten(problem.file), "line": problem.line, "title": title, "fix": fix}


def _rows(settings: Settings, lang: str) -> Iterator[tuple[str, str, str]]:
    """Each option's name, its value as it may be shown, and where that came from."""
    for option in OPTIONS:
        value = getattr(settings, option.key)
        if option.secret and value:
            shown = texts.say("check.characters", lang, n=len(value))
        elif isinstance(value, bool):
            shown = "on" if value else "off"
        else:
            shown = str(value) or texts.say("check.empty", lang)
        place, colon, line = settings.sources[option.key].rpartition(":")
        source = f"{shorten(place)}:{line}" if colon else settings.sources[option.key]
        yield option.key, shown, source


def _dangerous(rules: Rules) -> Iterator[Problem]:
    """A pattern that backtracks without end stops every thread: Python's re holds the interpreter's lock."""
    rows = rules.regexes()
    if not rows:
        return
    try:
        slow = {id(pattern) for pattern, _ in regex.dangerous([pattern for _, pattern in rows])}
    except OSError as error:  # a sandbox in which no other process may start
        yield Problem("WX-HND-07", {"error": error.strerror})
        return
    for rule, pattern in rows:
        if id(pattern) in slow:
            yield Problem("WX-HND-06", {"pattern": pattern.pattern}, rule.file, rule.line)


def _homeless(settings: Settings) -> Iterator[Problem]:
    """A store whose folder is not there: the server would go on in a temporary one, and forget."""
    kind, _, path = settings.store.partition(":")
    folder = os.path.dirname(path)
    if kind == "sqlite" and not os.path.isdir(folder):
        place, _, line = settings.sources["store"].rpartition(":")
        values = {"file": folder, "error": os.strerror(errno.ENOENT)}
        yield Problem("WX-CFG-15", values, place, int(line) if line.isdecimal() else 0)


def _linted(rules: Rules, split: bool) -> Iterator[Problem]:
    """What the fixed replies of replies.ini would lose on the way. What is split is not lost."""
    for rule in rules:
        if isinstance(rule.answer, Fixed):
            for finding in rule.answer.reply.lint():
                if split and finding.code == "WX-RPL-01":
                    continue
                yield Problem(finding.code, finding.values, rule.file, rule.line)
