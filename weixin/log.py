"""Log lines: one per delivery, fixed order of keys, ``key=value`` behind the words so that grep finds them.

A line is put together where it is caused and written by a thread of its own, many at a time; errors and warnings do not
wait. What is personal is masked here, in one place: an openid always goes under the key ``user``, what somebody wrote
under ``text``.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import logging
import os
import sys
import threading
import time
import traceback
import weakref
from collections import deque
from typing import Any, Callable, NamedTuple, Protocol, TextIO

# How long an ordinary line may wait for others to be written with.
BATCH_SECONDS = 0.05
# Lines that may wait; past this they are dropped and counted, because a blocked terminal must not eat memory.
MAX_PENDING = 10_000
# The same refusal again within this time is counted, not written.
FOLD_SECONDS = 60.0
# Different refusals that are counted at a time; a stranger chooses how many there are.
MAX_FOLDS = 100
# Openids have 28 letters; what is shorter may be a word.
OPENID_LEAST = 16
# «short» content: enough to recognize a question by.
SHORT = 20

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_WORDS = {logging.DEBUG: "DEBUG", logging.INFO: "INFO ", logging.WARNING: "WARN ", logging.ERROR: "ERROR"}
_PERSONAL = frozenset({"user", "text"})
_ESCAPED = str.maketrans({'"': '\\"', "\\": "\\\\"})
_COLORS = {logging.DEBUG: "2", logging.INFO: "32", logging.WARNING: "33", logging.ERROR: "31"}
# man sd-daemon: the journal reads a line's priority from a prefix.
_PRIORITIES = {logging.DEBUG: "<7>", logging.INFO: "<6>", logging.WARNING: "<4>", logging.ERROR: "<3>"}


class Style(NamedTuple):
    """How lines look, and what is masked in them."""

    format: str = "text"  # text | json
    content: str = "short"  # none | short | full: what of a user's text is logged
    openid: str = "mask"  # mask | hash | full
    journal: bool = False  # systemd reads our output: priorities in, dates out
    color: bool = False  # a person reads along at a terminal


class Line(NamedTuple):
    """One line before it is put together; ``fields`` keep their order."""

    at: float
    level: int
    event: str
    fields: dict[str, Any]
    code: str = ""
    detail: str = ""


class Tale(Protocol):
    """What knows its fields, and puts them together by itself where that is quicker than `render`."""

    def fields(self) -> dict[str, Any]: ...

    def text(self, at: float, style: Style) -> str: ...


class Journal:
    """Where lines go: collected by any thread, written by one."""

    def __init__(
        self, stream: TextIO, level: int = logging.INFO, style: Style | None = None, *, threaded: bool = True
    ) -> None:
        """Write to *stream*; not *threaded*, every line at once, for a process that must not have threads."""
        self.level = level
        self.threaded = threaded
        self._stream = stream
        self._style = style or Style()
        self._pending: deque[str] = deque()
        self._dropped = 0
        self._folds: dict[tuple[str, str], list[Any]] = {}
        #: Asked for the lines that are owed, before any is written; see ``aftermath``.
        self.collect: Callable[[], None] = _nothing
        self.forked()
        after_fork(self)

    def forked(self) -> None:
        """Threads do not survive a fork, and what waits is the parent's to write."""
        self._pending.clear()
        self._writing, self._folding, self._starting = threading.Lock(), threading.Lock(), threading.Lock()
        self._started = not self.threaded

    def line(self, level: int, event: str, fields: dict[str, Any], code: str = "", detail: str = "") -> None:
        """Write one line soon, or now if it is a warning or worse."""
        if level < self.level:
            return
        if level >= logging.WARNING:
            self.collect()  # what was before it stands before it
        self._append(render(Line(time.time(), level, event, fields, code, detail), self._style))
        if level >= logging.WARNING or not self.threaded:
            self.flush()

    def tell(self, event: str, told: Tale, at: float) -> None:
        """Write a line soon about something that went as it should, then."""
        if self.level <= logging.INFO:
            if self._style.format == "json":
                self._append(render(Line(at, logging.INFO, event, told.fields()), self._style))
            else:
                self._append(told.text(at, self._style))
            if not self.threaded:
                self.flush()

    def _append(self, text: str) -> None:
        self.begin()
        if len(self._pending) < MAX_PENDING:
            self._pending.append(text)
        else:
            self._dropped += 1

    def fold(self, level: int, event: str, fields: dict[str, Any], code: str, key: str) -> None:
        """Write a line now, and its like (same *code* and *key*) once a minute with a count."""
        with self._folding:
            seen = self._folds.get((code, key))
            if seen is not None:
                seen[0] += 1
                return
            if len(self._folds) >= MAX_FOLDS:
                key = "(others)"
                if (code, key) in self._folds:
                    self._folds[code, key][0] += 1
                    return
            self._folds[code, key] = [0, time.monotonic(), level, event, fields]
        self.line(level, event, {**fields, "count": 1}, code)

    def flush(self) -> None:
        """Write what waits."""
        self.collect()
        with self._writing:
            lines = [self._pending.popleft() for _ in range(len(self._pending))]
            if self._dropped:
                dropped = Line(time.time(), logging.WARNING, "log", {"dropped": self._dropped})
                lines.append(render(dropped, self._style))
                self._dropped = 0
            if lines:
                self._write("\n".join(lines) + "\n")

    def end(self) -> None:
        """Write everything, the counts of what was folded too: nobody will count on."""
        self._unfold(float("inf"))
        self.flush()

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except UnicodeEncodeError:  # LANG=C, GBK: better a question mark than no line
            encoding = self._stream.encoding or "ascii"
            self._write(text.encode(encoding, "replace").decode(encoding))
        except (OSError, ValueError):  # a closed pipe or terminal: nobody is left to be told
            pass

    def begin(self) -> None:
        """Begin the writer of this process, unless it has begun: with the first there is for it, so after any fork."""
        if not self._started:
            with self._starting:
                begun, self._started = self._started, True
            if not begun:
                try:
                    threading.Thread(target=self._turns, name="log", daemon=True).start()
                except RuntimeError:  # this system has no more just now: the next line tries again
                    self._started = False
                else:
                    atexit.register(self.flush)

    def _turns(self) -> None:
        unfolded = time.monotonic()
        while True:
            time.sleep(BATCH_SECONDS)
            try:
                if time.monotonic() - unfolded > 1:
                    unfolded = time.monotonic()
                    self._unfold(unfolded)
                self.flush()
            except Exception:
                trace = traceback.format_exc()
                line = Line(time.time(), logging.ERROR, "thread", {"name": "log"}, "WX-INT-01", trace)
                self._pending.append(render(line, self._style))

    def _unfold(self, now: float) -> None:
        due = []
        with self._folding:
            for key, (count, since, level, event, fields) in list(self._folds.items()):
                if now - since >= FOLD_SECONDS:
                    del self._folds[key]
                    if count:
                        due.append((level, event, {**fields, "count": count, "window": "60s"}, key[0]))
        for level, event, fields, code in due:
            self.line(level, event, fields, code)


class Bridge(logging.Handler):
    """Brings records of the standard ``logging`` into the journal: ``extra={"code": …, "fields": {…}}``."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal.level)
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        fields = dict(getattr(record, "fields", {}))
        try:
            message = record.getMessage()
        except Exception:  # whose arguments do not fit: logging's own handlers let nobody fail for that either
            message = f"{record.filename}:{record.lineno} {record.msg!r:.200}\n{traceback.format_exc()}"
        # A handler may log what its user wrote: only what stands before a line's end is a line.
        event, _, detail = message.partition("\n")
        if record.exc_info:
            detail = "\n".join(filter(None, (detail, "".join(traceback.format_exception(*record.exc_info)))))
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.ERROR)
        self._journal.line(level, event, fields, getattr(record, "code", ""), detail)


def _nothing() -> None:
    """Nothing is owed."""


class Forked(Protocol):
    """What a forked child has to begin anew."""

    def forked(self) -> None: ...


def after_fork(thing: Forked) -> None:
    """Call its `forked` in every child."""
    reference = weakref.ref(thing)

    def forked() -> None:
        held = reference()
        if held is not None:
            held.forked()

    os.register_at_fork(after_in_child=forked)


def start(
    level: str = "info", style: Style | None = None, stream: TextIO | None = None, *, threaded: bool = True
) -> Journal:
    """Make the journal on *stream* (standard error) and lead the logger ``wxserve`` into it."""
    target = stream or sys.stderr
    if style is None:
        style = Style()
    style = style._replace(journal=style.journal or under_systemd(target))
    journal = Journal(target, LEVELS[level], style, threaded=threaded)
    logger = logging.getLogger("wxserve")
    logger.handlers[:] = [Bridge(journal)]
    logger.setLevel(journal.level)
    logger.propagate = False
    return journal


def under_systemd(stream: TextIO) -> bool:
    """Whether *stream* is the journal's (man systemd.exec, JOURNAL_STREAM): its device and inode are named there."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def render(line: Line, style: Style) -> str:
    """Put one line together, without its line feed."""
    if style.format == "json":
        return _json(line, style)
    text = head(line.at, line.level, _escaped(line.event), style)
    if line.code:
        text += f" code={line.code}"
    for key, value in line.fields.items():
        if value is None or value == "":
            continue
        text += pair(key, _masked(key, value, style) if key in _PERSONAL else str(value))
    if line.detail:  # indented, so that nothing in a traceback can pass for a line of ours
        text += "\n    " + _escaped(line.detail.rstrip("\n"), "\n\t").replace("\n", "\n    ")
        if style.journal:
            text = text.replace("\n", "\n" + _PRIORITIES[line.level])
    return _unnamed(text, line, style)


def head(at: float, level: int, event: str, style: Style) -> str:
    """How a line begins."""
    if style.journal:
        return f"{_PRIORITIES[level]}{_WORDS[level]} {event}"
    return f"{_moment(int(at * 1000), level, style.color)} {event}"


@functools.lru_cache(maxsize=8)
def _moment(millis: int, level: int, color: bool) -> str:
    """When, and how bad. A busy millisecond has several lines."""
    word = f"\x1b[{_COLORS[level]}m{_WORDS[level]}\x1b[0m" if color else _WORDS[level]
    return f"{_stamp(millis)} {word}"


def pair(key: str, word: str) -> str:
    """A field as it stands in a line; of an empty *word*, nothing."""
    if not word:
        return ""
    return f" {key}={_quoted(word)}"


def _masked(key: str, value: object, style: Style) -> str:
    """A field of `_PERSONAL`, as much of it as may be shown."""
    return mask(str(value), style.openid) if key == "user" else excerpt(str(value), style.content)


def _json(line: Line, style: Style) -> str:
    # «at» is a place, in lines that have one.
    head = {"time": _stamp(int(line.at * 1000)), "level": _WORDS[line.level].strip(), "event": line.event}
    code = {"code": line.code} if line.code else {}
    detail = {"detail": line.detail} if line.detail else {}
    fields = {k: _masked(k, value, style) if k in _PERSONAL else value for k, value in line.fields.items()}
    shown = {key: value for key, value in fields.items() if value is not None and value != ""}
    record = {**head, **code, **shown, **detail}
    import json  # for who asks for it: everybody else starts sooner

    text = json.dumps(record, ensure_ascii=False, default=str)
    if not text.isprintable():
        text = json.dumps(record, default=str)
    text = _unnamed(text, line, style)
    return _PRIORITIES[line.level] + text if style.journal else text


def _unnamed(text: str, line: Line, style: Style) -> str:
    """*text* with the line's user masked wherever else he stands: an exception may name him, and its traceback."""
    user = line.fields.get("user")
    if style.openid == "full" or not isinstance(user, str) or len(user) < OPENID_LEAST:
        return text
    return text.replace(user, mask(user, style.openid))


def mask(openid: str, how: str = "mask") -> str:
    """Show an openid so that two are told apart and nobody is found by it."""
    if how == "full":
        return openid
    if how == "hash":
        return hashlib.sha256(openid.encode("utf-8", "replace")).hexdigest()[:12]
    return f"{openid[:3]}…{openid[-2:]}" if len(openid) > 6 else "…"


def excerpt(text: str, how: str = "short") -> str:
    """Show as much of a user's *text* as *how* allows."""
    if how == "none":
        return ""
    return text if how == "full" or len(text) <= SHORT else text[:SHORT] + "…"


def _quoted(text: str) -> str:
    """A value as it stands in a line: in quotes, where a reader would take it for something else."""
    if text.isprintable():
        if " " not in text and "=" not in text and '"' not in text:
            return text
        return f'"{text.translate(_ESCAPED)}"' if '"' in text or "\\" in text else f'"{text}"'
    import json  # for a text of several lines, and other rare ones

    # A line feed alone is worth no escapes in everything else.
    return json.dumps(text, ensure_ascii=not text.replace("\n", "").isprintable())


def _escaped(text: str, but: str = "") -> str:
    """What is no value, with nothing in it that would steer a terminal or turn what stands around it; *but* stays."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in but else c.encode("unicode_escape").decode() for c in text)


def _stamp(millis: int) -> str:
    """Local time with its offset."""
    head, tail = _second(millis // 1000)
    return f"{head}.{millis % 1000:03d}{tail}"


@functools.lru_cache(maxsize=2)
def _second(at: int) -> tuple[str, str]:
    """A second's date and time, and its offset: a busy second has thousands of lines."""
    parts = time.localtime(at)
    offset = time.strftime("%z", parts)
    return time.strftime("%Y-%m-%dT%H:%M:%S", parts), f"{offset[:3]}:{offset[3:]}"
