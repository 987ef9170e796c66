"""The access log: gathered on the request's path for next to nothing, written elsewhere in batches.

A request leaves a tuple in a deque; the monitor thread hands the lot to a writer about once a second.
Scanners, which ask a server on the internet for `/.env` all day, are folded into one line a minute. A query's
values are never in it: only the path is.
"""

from __future__ import annotations

import logging
import select
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Callable, NamedTuple, TextIO

log = logging.getLogger("wxserve.server")

# How often the folded line is written.
FOLD_SECONDS = 60.0
# Entries kept between two writes. Beyond it the oldest are lost: a log must not eat the memory of a busy
# server.
ENTRIES_MAX = 20_000
# Different paths counted for the folded line; a scanner has thousands.
PATHS_MAX = 500
# Of a stranger's path, as much as tells what it was after; of a method, which may be as long as a line, too.
PATH_SHOWN = 80
# A line has at most some 550 bytes, and a pipe that takes anything takes 4096 (PIPE_BUF, pipe(7)).
LINES_A_WRITE = 7


class Entry(NamedTuple):
    """One answered request. `path` has no query; both words are empty when the request could not be read."""

    when: float  # seconds since the epoch, at the end
    client: str  # address, or "" for a unix socket without X-Forwarded-For
    method: str
    path: str
    status: int  # 0: dropped without an answer
    length: int  # bytes of body sent
    seconds: float


class AccessLog:
    """Between the requests' threads and a writer."""

    def __init__(self, write: Callable[[Sequence[Entry]], None]) -> None:
        self._write = write
        # Plain tuples of an Entry's values: it is made one where time does not matter.
        self._entries: deque[tuple[float, str, str, str, int, int, float]] = deque(maxlen=ENTRIES_MAX)
        self.note = self._entries.append
        self._tops: Counter[str] = Counter()
        self._refused = 0
        self._since = time.monotonic()

    def flush(self, last: bool = False) -> None:
        """Write what was gathered; the folded line when its minute is over or the call is the `last`."""
        keep: list[Entry] = []
        for _ in range(len(self._entries)):
            entry = Entry._make(self._entries.popleft())
            if not entry.method or entry.status in (404, 405):
                self._fold(entry)
            else:
                keep.append(entry)
        if keep:
            self._write(keep)
        now = time.monotonic()
        if self._refused == 0:
            self._since = now
        elif last or now - self._since >= FOLD_SECONDS:
            self._write_folded(now)

    def _fold(self, entry: Entry) -> None:
        self._refused += 1
        what = f"{entry.method} {entry.path[:PATH_SHOWN]}" if entry.method else f"refused {entry.status}"
        if what in self._tops or len(self._tops) < PATHS_MAX:
            self._tops[what] += 1

    def _write_folded(self, now: float) -> None:
        top = self._tops.most_common(1)
        fields = {
            "count": self._refused,
            "window": f"{max(1, round(now - self._since))}s",
            "top": top[0][0] if top else "",
        }
        log.info("scanners", extra={"code": "", "fields": fields})
        self._tops.clear()
        self._refused = 0
        self._since = now


def line_writer(stream: TextIO) -> Callable[[Sequence[Entry]], None]:
    """A writer of one plain line a request, in few writes a batch.

    What a pipe or terminal does not take at once is lost: a reader that stands still must not stop the server.
    """
    poll = select.poll()
    poll.register(stream, select.POLLOUT)

    def write(entries: Sequence[Entry]) -> None:
        for at in range(0, len(entries), LINES_A_WRITE):
            if not poll.poll(0):
                return
            stream.write("".join(map(_line, entries[at : at + LINES_A_WRITE])))
            stream.flush()

    return write


def _line(entry: Entry) -> str:
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(entry.when))
    # A stranger chose the path: repr() keeps its control characters and quotes out of the log.
    path = repr(entry.path[:PATH_SHOWN])
    return (
        f"{when} access ip={entry.client or '-'} method={entry.method[:PATH_SHOWN] or '-'} path={path} "
        f"status={entry.status} bytes={entry.length} ms={entry.seconds * 1000:.1f}\n"
    )
