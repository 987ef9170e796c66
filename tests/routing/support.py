"""Messages, rules and folders for the tests of routing."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import textwrap
import unittest
from collections.abc import Iterator
from pathlib import Path

from weixin.routing import handlers, run
from weixin.routing.call import Call
from weixin.routing.rules import Level, Pattern, Rule
from weixin.wire.messages import Message
from weixin.wire.replies import Reply, Success, Text

# Thursday 2026-03-05, noon here: a time of day in the middle of things, wherever the test runs.
NOON = 1772668800.0


def message(**fields: str) -> Message:
    """A push with these elements; text unless they say otherwise."""
    return Message(
        {"ToUserName": "gh_1", "FromUserName": "oUser", "CreateTime": "1772668800", "MsgType": "text", **fields}
    )


def text(content: str) -> Message:
    return message(Content=content)


def event(name: str, key: str = "") -> Message:
    return message(MsgType="event", Event=name, EventKey=key)


class Say:
    """An answer that says a name."""

    def __init__(self, said: object) -> None:
        self.said = said

    def __call__(self, call: Call, /) -> object:
        return self.said


def rule(name: str, level: Level, kind: str, *patterns: Pattern, priority: int = 0) -> Rule:
    return Rule(level, kind, patterns, Say(name), name, "rules.py", 1, priority)


@contextlib.contextmanager
def folder(files: dict[str, str]) -> Iterator[Path]:
    """A folder ``handlers`` with these files in it."""
    with tempfile.TemporaryDirectory() as parent:
        path = Path(parent, "handlers")
        path.mkdir()
        for name, source in files.items():
            write(path / name, source)
        yield path


def write(file: Path, source: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(textwrap.dedent(source), encoding="utf-8")


def handlers_here() -> set[object]:
    """What is in this process of handlers files that were loaded and not let go of: their modules and finders."""
    finders = {finder for finder in sys.meta_path if isinstance(finder, handlers._Finder)}
    return {name for name in sys.modules if name.startswith("_wxserve_handlers_")} | finders


class LoadedCase(unittest.TestCase):
    """Tests of handlers files, which are loaded for real and forgotten at the end."""

    def load(self, files: dict[str, str]) -> handlers.Loaded:
        """Load *files*, each with ``from wxserve import …`` done for it."""
        path = self.enter(folder(files))
        return self.load_from(path)

    def load_from(self, path: Path) -> handlers.Loaded:
        loaded = handlers.load(path)
        self.addCleanup(loaded.close)
        return loaded

    def context(self, config: object = None) -> run.Context:
        context = run.Context(config)
        self.addCleanup(context.close)
        return context

    def enter(self, manager: contextlib.AbstractContextManager[Path]) -> Path:
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value


def said(reply: Reply) -> str:
    """The words of a reply; of the acknowledgement, none."""
    if isinstance(reply, Success):
        return ""
    assert isinstance(reply, Text), reply
    return reply.content
