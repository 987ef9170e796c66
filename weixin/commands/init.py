"""``init``: write a new project: configuration with fresh secrets, a table of replies, one handler, one test."""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import string
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .. import texts
from ..config import OPTIONS
from .terminal import pad, shorten, width

if TYPE_CHECKING:
    from . import Call

TOKEN_LENGTH = 24
AES_KEY_LENGTH = 43
_ALPHABET = string.ascii_letters + string.digits


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help=texts.say("init.folder", lang))


def run(call: Call) -> int:
    folder = Path(call.options.folder)
    files = (
        # The token is in it: nobody else's to read.
        ("wxserve.ini", ini(call.lang), 0o600),
        ("replies.ini", texts.say("init.replies", call.lang), 0o644),
        ("handlers/hello.py", texts.say("init.handler", call.lang), 0o644),
        ("tests/hello.chat", texts.say("init.chat", call.lang), 0o644),
    )
    longest = max(width(shorten(str(folder / name))) for name, _, _ in files)
    for name, text, mode in files:
        path = folder / name
        try:
            made = _write(path, text, mode)
        except OSError as error:
            call.terminal.error(texts.say("init.cannot", call.lang, file=path, error=error.strerror))
            return 1
        values = {"file": pad(shorten(str(path)), longest), "what": texts.say(f"init.what.{name}", call.lang)}
        call.terminal.note(texts.say("init.made" if made else "init.kept", call.lang, **values))
    # wxserve.py or wxserve.pyz, as it is to be called from there.
    script = sys.argv[0] if os.path.isabs(sys.argv[0]) else os.path.relpath(sys.argv[0], folder)
    where = {"folder": shlex.quote(call.options.folder), "script": shlex.quote(script)}
    call.terminal.note(texts.say("init.next", call.lang, **where))
    return 0


def ini(lang: str) -> str:
    """Return a wxserve.ini that lists every option, with a new token and EncodingAESKey."""
    fresh = {"token": _random(TOKEN_LENGTH), "aes_key": _random(AES_KEY_LENGTH)}
    lines = [texts.say("init.head", lang)]
    section = ""
    for option in OPTIONS:
        if option.section != section:
            section = option.section
            lines += ["", f"[{section}]"]
        lines.append(f"## {texts.say(f'option.{option.key}', lang)}")
        # The key is of no use in plain mode, where `init` begins; it is ready for the change to safe mode.
        value = fresh.get(option.key, option.default)
        lines.append(f"{'' if option.key in fresh else '# '}{option.name} = {value}".rstrip())
    return "\n".join(lines) + "\n"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _write(path: Path, text: str, mode: int) -> bool:
    """Write a new file; return False and leave it alone if there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    return True
