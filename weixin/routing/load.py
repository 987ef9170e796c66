"""The handlers folder and replies.ini -> Rules, or every reason why not."""

from __future__ import annotations

import gc
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from . import handlers
from .errors import TABLE_CODE, LoadError, Misuse
from .rules import MAX_REGEXES, Rules


class Routing(NamedTuple):
    """Everything that answers. With an error among them the rules must not be used."""

    rules: Rules
    errors: list[LoadError]
    loaded: handlers.Loaded


def prepare(replies: str, default: str) -> None:
    """Import what `load` will need for these: for a process that forks, so that its workers share it."""
    if default.strip() or os.path.exists(replies):
        importlib.import_module(".table", __package__)


def load(
    folder: str | os.PathLike[str],
    replies: str | os.PathLike[str],
    *,
    priority: int = 10,
    default: str = "",
    folder_required: bool = False,
    replies_required: bool = False,
    default_file: str = "wxserve.ini",
    default_line: int = 0,
    final_marks: bool = True,
) -> Routing:
    """Load both. A folder or file that is not there is an error only where somebody asked for it by name."""
    loaded = handlers.load(folder, folder_required)
    name = os.path.basename(replies)
    rules, errors = list(loaded.rules), list(loaded.errors)
    with _nothing_collected():
        try:
            with open(replies, "rb") as stream:
                source = stream.read()
        except OSError as error:
            source = b""
            if replies_required or not isinstance(error, FileNotFoundError):
                words = error.strerror or str(error)
                errors.append(LoadError(TABLE_CODE, str(replies), 0, "unreadable", error=words))
        if source or default.strip():
            from . import table  # an account that is all code starts sooner without it

            read = table.parse(source, name, priority, lambda function: handlers.resolve(loaded, function))
            rules += read.rules
            errors += read.errors
            try:
                if default.strip():
                    rules.append(table.default_rule(default, default_file, default_line))
            except Misuse as misuse:
                errors.append(LoadError(TABLE_CODE, default_file, default_line, misuse.reason, **misuse.values))
        made = Rules(rules, loaded.on_error, final_marks=final_marks, let_go=loaded.close)
    for rule, pattern in made.regexes()[MAX_REGEXES:][:1]:
        code = TABLE_CODE if rule.file == name else "WX-HND-03"
        values = {"pattern": pattern.pattern, "limit": MAX_REGEXES, "n": len(made.regexes())}
        errors.append(LoadError(code, rule.file, rule.line, "regex-many", **values))
    return Routing(made, errors, loaded)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """A table of 100,000 rules is a million objects and no garbage: to look for some doubles the time it takes."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
