"""The command line: one module a command, and what all of them share.

Each command's module has ``configure(parser, lang)`` and ``run(call) -> int``, the exit status: 0 fine, 1 a check or
a reply failed, 2 wrong usage, 78 bad configuration (man sysexits), 130 Ctrl-C in the middle of it. Only the module that
is asked for is imported.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import __version__, app, config, log, texts
from ..problem import Problem
from ..server import systemd
from .glance import DEFAULTS, glance
from .terminal import Terminal, Unwritable

# Nor does `argparse` or `parser`, which needs it, come in before it is needed: `glance` says why.
if TYPE_CHECKING:
    import argparse
    from types import ModuleType

    from .parser import Parser

COMMANDS = (
    "run", "dev", "init", "check", "doctor", "chat", "send", "deliveries", "stats", "forget", "test", "explain",
)  # fmt: skip

FINE, FAILED, USAGE, CONFIG = 0, 1, 2, 78
# What a shell says of a program that Ctrl-C has ended.
INTERRUPTED = 130
STDERR = 2


class Call(NamedTuple):
    """One call of a command: its options, and the settings flags that were given, by key."""

    #: An argparse.Namespace, or what looks like one.
    options: Any
    flags: dict[str, str]
    lang: str
    terminal: Terminal

    def settings(self) -> config.Settings:
        """Return the Settings that this call's options lead to. Raise config.ConfigError."""
        return config.load(self.options.config, self.flags)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    argv = sys.argv[1:] if argv is None else list(argv)
    _open_streams()
    terminal = Terminal(texts.language(_asked_language(argv), os.environ))
    try:
        plain = glance(argv)
        if plain is not None:
            return _call(_module("run"), plain, {}, terminal)
        common, rest = _common("", terminal.lang).parse_known_args(argv)
        terminal = Terminal(texts.language(common.lang, os.environ), color=common.color, quiet=common.quiet)
        return _command(rest, common, terminal)
    except config.ConfigError as error:
        report(error.problems, terminal)
        return CONFIG
    except BrokenPipeError:  # somebody looked at the first lines only: `wxserve.py check | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Unwritable as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        terminal.error(texts.say("output", terminal.lang, error=error.strerror))
        return FAILED
    except KeyboardInterrupt:
        # A thread that a handler keeps busy is nobody's reason to wait.
        os._exit(INTERRUPTED)


def _asked_language(argv: Sequence[str]) -> str:
    """What ``--lang`` says, before the line is read: what is wrong with the line is said in it."""
    for word, after in zip(argv, [*argv[1:], ""]):
        name, _, value = word.partition("=")
        if name == "--lang":
            return value or after
    return "auto"


def _command(words: list[str], common: argparse.Namespace, terminal: Terminal) -> int:
    """Run the command that the first of *words* names."""
    if words[:1] == ["help"]:
        words = [*(word for word in words[1:2] if word in COMMANDS), "-h"]
    name = words[0] if words else "-"
    if name in COMMANDS:
        return _run(name, words[1:], common, terminal)
    if name in ("-h", "--help"):
        terminal.say(_overview(terminal.lang))
        return FINE
    if name.startswith("-"):
        return _run("run", words, common, terminal)
    from ..routing.errors import hint

    values = {"name": name, "hint": hint(name, COMMANDS), "commands": " ".join(COMMANDS)}
    terminal.error(texts.say("usage.command", terminal.lang, **values))
    return USAGE


def _run(name: str, words: list[str], common: argparse.Namespace, terminal: Terminal) -> int:
    lang = terminal.lang
    module = _module(name)
    parser = _common(name, lang)
    parser.epilog = texts.examples(name, lang)
    module.configure(parser, lang)
    options = parser.parse_all(words, common)
    flags = {key[len("set_") :]: value for key, value in vars(options).items() if key.startswith("set_") and value}
    return _call(module, options, flags, terminal)


def _module(name: str) -> ModuleType:
    """Import a command's module, and have the collector leave alone what is imported by now."""
    module = importlib.import_module(f".{name}", __package__)
    gc.freeze()
    gc.enable()  # wxserve.py has switched it off
    return module


def _call(module: ModuleType, options: Any, flags: dict[str, str], terminal: Terminal) -> int:
    # Until here Ctrl-C was the system's own affair (wxserve.py says why).
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status: int = module.run(Call(options, flags, terminal.lang, terminal))
    return status


def _open_streams() -> None:
    """A stream that the shell closed (``>&-``) is one that nobody reads, not a descriptor for the next socket."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= STDERR:
        descriptor = os.open(os.devnull, os.O_RDWR)
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(STDERR, "w", closefd=False)


def report(problems: Iterable[Problem], terminal: Terminal, journal: log.Journal | None = None) -> None:
    """Say what is wrong: to a person at a terminal, or to systemd's journal, a line and a priority each."""
    if not systemd.in_journal():
        terminal.problems(problems)
        return
    app.complain(problems, journal or log.start(threaded=False), terminal.lang)


def add_settings(parser: argparse.ArgumentParser, lang: str) -> None:
    """Give *parser* a flag for each option that is no secret: a command line is everybody's to read in ``ps``."""
    group = parser.add_argument_group(texts.say("help.settings", lang))
    for option in config.OPTIONS:
        if not option.secret and option.key != "lang":
            group.add_argument(
                option.flag,
                dest=f"set_{option.key}",
                metavar=option.name.upper(),
                help=texts.say(f"option.{option.key}", lang).replace("%", "%%"),
            )


def _common(name: str, lang: str) -> Parser:
    """The options that every command takes, before its name or behind it."""
    from .parser import Parser

    parser = Parser(name, lang)
    parser.set_defaults(**DEFAULTS)
    if name:
        parser.add_argument("-h", "--help", action="help", help=texts.say("help.help", lang))
    parser.add_argument("-c", "--config", metavar="FILE", help=texts.say("help.config", lang))
    parser.add_argument("--lang", choices=("auto", "zh", "en"), help=texts.say("help.lang", lang))
    parser.add_argument("--color", choices=("auto", "always", "never"), help=texts.say("help.color", lang))
    parser.add_argument("--json", action="store_true", help=texts.say("help.json", lang))
    parser.add_argument("-q", "--quiet", action="store_true", help=texts.say("help.quiet", lang))
    parser.add_argument("-v", "--verbose", action="store_true", help=texts.say("help.verbose", lang))
    version = f"wxserve {__version__}"
    parser.add_argument("--version", action="version", version=version, help=texts.say("help.version", lang))
    return parser


def _overview(lang: str) -> str:
    lines = [f"  {name:<12}{texts.say(f'command.{name}', lang)}" for name in COMMANDS]
    return texts.say("help.overview", lang, commands="\n".join(lines))
