"""The store of a running server, for commands that look into it: read only, and never made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .. import texts
from ..config import Settings
from ..store import Records, Unreadable, open_records
from . import FAILED
from .terminal import shorten

if TYPE_CHECKING:
    from . import Call


def path(settings: Settings) -> str:
    """The store's file; empty where it is in memory."""
    return settings.store.partition(":")[2]


def opened(call: Call, settings: Settings) -> Records | None:
    """What the store has recorded; None, and why, where there is nothing to read."""
    file, lang = shorten(path(settings)), call.lang
    if not file:
        call.terminal.error(texts.say("kept.memory", lang))
        return None
    try:
        records = open_records(settings.store)
    except Unreadable as error:
        if not os.path.exists(path(settings)) or os.path.getsize(path(settings)):
            unreadable(call, settings, error)
            return None
        records = None  # it is empty, as a full disk leaves it
    if records is None:
        call.terminal.error(texts.say("kept.missing", lang, file=file))
    return records


def unreadable(call: Call, settings: Settings, error: Unreadable) -> int:
    """Say that the file is there and cannot be read; the exit status."""
    call.terminal.error(texts.say("kept.unreadable", call.lang, file=shorten(path(settings)), error=str(error)))
    return FAILED
