"""``forget``: delete what is remembered of one user, as it goes by itself when a user leaves (接收事件推送)."""

from __future__ import annotations

import argparse
import os
import re
from typing import TYPE_CHECKING

from .. import texts
from ..config import Settings
from ..store import Unreadable, open_store
from . import FAILED, FINE, USAGE, kept
from .rehearsal import Overheard
from .terminal import shorten

if TYPE_CHECKING:
    from . import Call

# As many as are ever kept.
MOST = 100_000

_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("user", metavar="OPENID", help=texts.say("forget.help.user", lang))


def run(call: Call) -> int:
    user: str = call.options.user
    if not _OPENID.fullmatch(user):
        call.terminal.error(texts.say("forget.masked", call.lang, user=user))
        return USAGE
    settings = call.settings()
    records = kept.opened(call, settings)
    if records is None:
        return FAILED
    file = kept.path(settings)
    try:
        with records:
            count = sum(delivery.user == user for delivery in records.deliveries(MOST))
        _forget(user, settings)
    except (OSError, Unreadable) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        call.terminal.error(texts.say("forget.cannot", call.lang, file=shorten(file), error=why))
        return FAILED
    if call.options.json:
        call.terminal.data({"user": user, "messages": count})
    else:
        call.terminal.say(texts.say("forget.done", call.lang, user=user, n=count))
    return FINE


def _forget(user: str, settings: Settings) -> None:
    """Delete it from the file that is there. Raises OSError where that cannot be written."""
    file = kept.path(settings)
    with open(file, "r+b"):
        pass  # before SQLite has it open, or this would end its locks
    if not os.access(os.path.dirname(os.path.abspath(file)), os.W_OK):
        raise PermissionError(13, os.strerror(13))
    heard = Overheard()
    store = open_store(
        settings.store, keep=settings.keep, full=settings.store_content == "full", answers=float(settings.answers)
    )
    try:
        store.forget(user)
        written = store.flush()
    finally:
        store.close()
    if not written:
        raise OSError("database is locked")
    # A store whose disk fails goes on in a file of its own; a server needs that, and here it would be a lie.
    for line in heard.lines:
        if line.code == "WX-STO-01":
            raise OSError(str(line.fields["error"]))
