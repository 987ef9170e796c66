"""argparse, as a person at this prompt would have it: two lines for a slip, and help in one language.

Its own sentences are English and come behind a usage of fifteen lines. They are recognized by their form, which has
been the same since Python 3.2; one that is not is shown as it is.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import re
from typing import Any, NoReturn

from .. import config, texts
from ..routing.errors import hint
from .terminal import Terminal

# For the formatters that argparse makes to see whether an option can be shown: to ask the terminal for its width, it
# imports every kind of archive.
ANY_WIDTH = 80
# The exit status that argparse itself has for it.
WRONG_USAGE = 2

# What other programs call it.
_MEANT = {"--port": "--listen", "--host": "--listen", "--bind": "--listen", "-V": "--version"}

_CHOICE = r"argument (.+?): invalid choice: '?(.*?)'? \("
_VALUE = r"argument (.+?): invalid .* value: '(.*)'"
_NO_VALUE = r"argument (.+?): expected "


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str, lang: str, width: int | None = None) -> None:
        super().__init__(prog, width=width)
        self._usage_is = texts.say("help.usage", lang)

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, self._usage_is)


class Parser(argparse.ArgumentParser):
    """The parser of one command, or with the empty name of what all of them share."""

    def __init__(self, name: str, lang: str) -> None:
        self._name = name
        self._lang = lang
        about = texts.say(f"command.{name}", lang) if name else None
        super().__init__(
            prog=" ".join(["python3 wxserve.py", name]).strip(), description=about, add_help=False, allow_abbrev=False,
            formatter_class=functools.partial(_Formatter, lang=lang, width=ANY_WIDTH),
        )  # fmt: skip
        self._positionals.title = texts.say("help.words", lang)
        self._optionals.title = texts.say("help.options", lang)

    def format_help(self) -> str:
        """The usage is a line: the options are below it."""
        words = " ".join(_shown(action) for action in self._words())
        options = texts.say("help.any-options", self._lang)
        self.usage = " ".join(filter(None, [self.prog, words, options])).replace("%", "%%")
        self.formatter_class = functools.partial(_Formatter, lang=self._lang)  # as wide as the terminal
        return super().format_help()

    def parse_all(self, words: list[str], common: argparse.Namespace) -> argparse.Namespace:
        """Return the options; what is left over is a slip."""
        options, rest = self.parse_known_args(words, common)
        if rest:
            option = next((word for word in rest if word.startswith("-") and word != "-"), None)
            known = [name for action in self._actions for name in action.option_strings]
            if option is None:
                self._refuse("usage.word", name=rest[0])
            self._refuse_option(option.partition("=")[0], known)
        return options

    def _refuse_option(self, name: str, known: list[str]) -> NoReturn:
        secret = next((option for option in config.OPTIONS if option.secret and option.flag == name), None)
        if secret is not None:
            self._refuse("usage.secret", name=name, variable=f"{config.ENV}{secret.key.upper()}_FILE")
        meant = _MEANT.get(name)
        if meant not in known:
            # Without the dashes, which would make anything look alike.
            found = difflib.get_close_matches(name.lower().lstrip("-"), [each[2:] for each in known if each[2:]], 1)
            meant = f"--{found[0]}" if found else None
        self._refuse("usage.option", name=name, hint=f" → {meant}?" if meant else "")

    def error(self, message: str) -> NoReturn:
        choice, value, none = (re.match(form, message) for form in (_CHOICE, _VALUE, _NO_VALUE))
        if choice:
            option = self._of(choice[1])
            choices = list(map(str, option.choices or ())) if option else []
            near = hint(choice[2], choices)
            values = {"name": _last(choice[1]), "value": choice[2], "hint": near, "choices": " | ".join(choices)}
            self._refuse("usage.choice" if near else "usage.choices", **values)
        if value:
            self._refuse("usage.value", name=_last(value[1]), value=value[2])
        if none:
            self._refuse("usage.no-value", name=_last(none[1]))
        if "required" in message:
            names = [str(action.metavar) for action in self._words() if action.nargs not in ("?", "*")]
            self._refuse("usage.missing", names=" ".join(names))
        self._refuse("usage.other", message=message)

    def _print_message(self, message: str, file: Any = None) -> None:
        # Help and the version, in whatever encoding the terminal has.
        Terminal(self._lang).say(message.rstrip("\n"))

    def _refuse(self, key: str, **values: Any) -> NoReturn:
        """Say the sentence and where there is help, and leave."""
        terminal = Terminal(self._lang)
        terminal.error(texts.say(key, self._lang, **values))
        terminal.error(texts.say("usage.help", self._lang, program=self.prog))
        raise SystemExit(WRONG_USAGE)

    def _words(self) -> list[argparse.Action]:
        return [action for action in self._actions if not action.option_strings]

    def _of(self, names: str) -> argparse.Action | None:
        known = ("/".join(action.option_strings) or action.metavar or action.dest for action in self._actions)
        return dict(zip(known, self._actions)).get(names)


def _last(names: str) -> str:
    """``-c/--config`` is known by its long name."""
    return names.rpartition("/")[2]


def _shown(action: argparse.Action) -> str:
    name = str(action.metavar or "|".join(map(str, action.choices or ())) or action.dest)
    return {"?": f"[{name}]", "*": f"[{name} …]", "+": f"{name} …"}.get(str(action.nargs), name)
