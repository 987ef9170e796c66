"""Numbers for Prometheus: counted in each worker, summed over all of them, written in the text format.

A worker only puts facts on a queue; a thread of its own counts them and, twice a second, writes the sums into the
worker's slot of a file that all processes have had open since before the fork. Whoever is asked for the metrics reads
every slot. A slot is a process's for as long as it lives (the kernel frees a lock with its holder); who has it next
goes on with the sums that are there, so that a counter never falls.

It knows the names of the metrics and nothing of what they count. Labels are bounded: of what strangers may choose, the
first some hundred are told apart, and the rest is ``other``.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import tempfile
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Callable, NamedTuple

# Old and new workers side by side, during reloads.
SLOTS = 64
# What the largest bounded set of labels comes to, with room.
SLOT_BYTES = 256 << 10
# Scrapes are seconds apart.
TURN_SECONDS = 0.5
# If the thread has died, memory must not grow with every message.
PENDING_MAX = 50_000

_HEAD = struct.Struct("<II")  # the sequence number, odd while it is written, and the length

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 4.5, 5, 10, 15)
SIZES = (128, 256, 512, 1024, 1536, 2047, 4096)
# Names from handlers/ and replies.ini: an account has dozens, a generated table a hundred thousand.
LABELS_MAX = 200


class Family(NamedTuple):
    """One metric: its type, its help, its labels, and the buckets of a histogram."""

    kind: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


FAMILIES: dict[str, Family] = {
    "wxserve_deliveries_total": Family("counter", "Deliveries answered, by type and result.", ("type", "result")),
    "wxserve_delivery_duration_seconds": Family(
        "histogram", "From a delivery's arrival to its answer.", ("type",), SECONDS
    ),
    "wxserve_push_delay_seconds": Family("histogram", "From CreateTime to arrival.", (), SECONDS),
    "wxserve_attempts_total": Family("counter", "Deliveries by their number.", ("attempt",)),
    "wxserve_refused_requests_total": Family("counter", "Requests turned away, by code.", ("code",)),
    "wxserve_signature_near_misses_total": Family("counter", "Wrong signatures that a slip explains.", ("kind",)),
    "wxserve_handler_duration_seconds": Family("histogram", "What a handler took.", ("handler",), SECONDS),
    "wxserve_handler_errors_total": Family("counter", "Handlers that raised.", ("handler",)),
    "wxserve_rule_hits_total": Family("counter", "Messages answered, by rule.", ("rule",)),
    "wxserve_unmatched_messages_total": Family("counter", "Messages for which there was no rule."),
    "wxserve_reply_size_bytes": Family("histogram", "Bytes of replies before sealing.", ("type",), SIZES),
    "wxserve_reply_warnings_total": Family("counter", "Replies that were mended, by code.", ("code",)),
    "wxserve_users_subscribed_total": Family("counter", "Users who followed."),
    "wxserve_users_unsubscribed_total": Family("counter", "Users who left."),
    "wxserve_inflight_deliveries": Family("gauge", "Deliveries being answered."),
    "wxserve_queued_deliveries": Family("gauge", "Deliveries that wait for a thread."),
    "wxserve_worker_threads": Family("gauge", "Threads of the workers."),
    "wxserve_config_last_reload_successful": Family("gauge", "Whether the last reload succeeded."),
    "wxserve_config_last_reload_success_timestamp_seconds": Family("gauge", "When a reload last succeeded."),
    "wxserve_last_wechat_request_timestamp_seconds": Family("gauge", "When WeChat last asked."),
    "wxserve_store_size_bytes": Family("gauge", "What the store takes."),
    "wxserve_console_streams": Family("gauge", "Tabs that follow the console live."),
    "wxserve_build_info": Family("gauge", "The program.", ("version", "python")),
    "process_start_time_seconds": Family("gauge", "When the process started."),
    "process_cpu_seconds_total": Family("counter", "Processor time of the process."),
    "process_resident_memory_bytes": Family("gauge", "Resident memory of the process."),
    "process_open_fds": Family("gauge", "Open descriptors of the process."),
}
# Of these the latest counts, not the sum of all workers'.
LATEST = {
    "wxserve_last_wechat_request_timestamp_seconds",
    "wxserve_config_last_reload_successful",
    "wxserve_config_last_reload_success_timestamp_seconds",
    "wxserve_build_info",
}
# These say how a process stands: they are nothing without it.
MOMENTARY = ("wxserve_inflight_deliveries", "wxserve_queued_deliveries", "wxserve_worker_threads")

# A metric with its labels' values, joined by a unit separator, and a number or, of a histogram, sum and counts.
Sums = dict[str, Any]
_UNIT = "\x1f"


class Board:
    """The file that all processes write their sums into. Made before the fork."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="wxserve-metrics")  # noqa: SIM115 - as long as the processes
        self._file.truncate(SLOTS * SLOT_BYTES)  # sparse: what nobody writes takes no room
        self._fd = self._file.fileno()

    def claim(self) -> int:
        """Take a slot for this process. Raise OSError if there is none left."""
        for slot in range(SLOTS):
            try:
                # POSIX locks are a process's, not a descriptor's: a child has none of its parent's (man fcntl_locking).
                fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot, os.SEEK_SET)
                return slot
            except OSError:
                continue
        raise OSError("every slot of the metrics is taken")

    def read(self, slot: int) -> Sums:
        """The sums of a slot; what is being written just now is read again."""
        for _ in range(10):
            sequence, length = self._head(slot)
            data = os.pread(self._fd, length, slot * SLOT_BYTES + _HEAD.size)
            if sequence % 2 == 0 and (sequence, length) == self._head(slot):
                sums: Sums = json.loads(data) if length else {}
                return sums
            time.sleep(0.001)
        return {}

    def write(self, slot: int, sums: Sums) -> None:
        """Replace the sums of a slot; what does not fit is left as it was."""
        data = json.dumps(sums, separators=(",", ":")).encode()
        if len(data) > SLOT_BYTES - _HEAD.size:
            return
        at = slot * SLOT_BYTES
        sequence, _ = self._head(slot)
        sequence += sequence % 2  # odd: the one before died while it wrote
        os.pwrite(self._fd, _HEAD.pack(sequence + 1, len(data)), at)
        os.pwrite(self._fd, data, at + _HEAD.size)
        os.pwrite(self._fd, _HEAD.pack(sequence + 2, len(data)), at)

    def close(self) -> None:
        self._file.close()

    def _head(self, slot: int) -> tuple[int, int]:
        sequence, length = _HEAD.unpack(os.pread(self._fd, _HEAD.size, slot * SLOT_BYTES))
        return sequence, length

    def total(self) -> Sums:
        """The sums over all slots."""
        whole: Sums = {}
        for slot in range(SLOTS):
            for key, value in self.read(slot).items():
                _merge(whole, key, value)
        return whole


class Meter:
    """One process's counting. Threads may share it; `add` and `observe` cost an append."""

    def __init__(self, board: Board) -> None:
        """In the process that counts: threads and locks do not survive a fork."""
        self._board = board
        self._slot = board.claim()
        # Counters go on; how the process before stood is over.
        self._sums: Sums = {key: 0 if key in MOMENTARY else value for key, value in board.read(self._slot).items()}
        self._watched: Callable[[], Mapping[str, float]] = dict
        self._pending: deque[tuple[str, tuple[str, ...], Sequence[float]]] = deque(maxlen=PENDING_MAX)
        # The labels of who had the slot before count as well, or every reload would have room for as many more.
        self._known: dict[str, set[str]] = {}
        for key in self._sums:
            self._known.setdefault(key.partition(_UNIT)[0], set()).add(key)
        self._writing = threading.Lock()
        self._written = True
        self._ended = threading.Event()
        threading.Thread(target=self._turns, name="metrics", daemon=True).start()

    def add(self, name: str, *labels: str, value: float = 1) -> None:
        """Count; of a gauge, set; of a histogram, observe. *labels* are in the order of the Family."""
        self._pending.append((name, labels, (value,)))

    def observe(self, name: str, *labels: str, values: Sequence[float]) -> None:
        """Observe many values of a histogram."""
        self._pending.append((name, labels, values))

    def watch(self, read: Callable[[], Mapping[str, float]]) -> None:
        """Ask *read* at every turn for gauges that have no labels."""
        self._watched = read

    def flush(self) -> None:
        """Count what waits, look at what is watched, and write the sums."""
        with self._writing:
            gauges = self._watched()
            stands = all(self._sums.get(name) == value for name, value in gauges.items())
            if self._written and stands and not self._pending:
                return
            while self._pending:
                self._count(*self._pending.popleft())
            self._sums.update(gauges)
            self._written = False
            with suppress(OSError):  # a disk that is full just now: with the next turn, then
                self._board.write(self._slot, self._sums)
                self._written = True

    def close(self) -> None:
        """Write what waits and end the thread."""
        self._ended.set()
        self._watched = lambda: dict.fromkeys(MOMENTARY, 0)
        self.flush()

    def _count(self, name: str, labels: tuple[str, ...], values: Sequence[float]) -> None:
        family = FAMILIES[name]
        key = _UNIT.join((name, *labels))
        if family.labels and key not in self._sums:
            known = self._known.setdefault(name, set())
            if len(known) >= LABELS_MAX:
                key = _UNIT.join((name, *(["other"] * len(labels))))
            else:
                known.add(key)
        if family.kind == "gauge":
            self._sums[key] = values[-1]
        elif family.kind == "counter":
            self._sums[key] = self._sums.get(key, 0) + sum(values)
        else:
            sums = self._sums.setdefault(key, [0.0, *([0] * (len(family.buckets) + 1))])
            sums[0] += sum(values)
            for value in values:
                sums[1 + bisect_left(family.buckets, value)] += 1

    def _turns(self) -> None:
        while not self._ended.wait(TURN_SECONDS):
            self.flush()


def render(sums: Mapping[str, Any], extra: Mapping[str, float] | None = None) -> bytes:
    """Write *sums*, and *extra* ones by their whole names, in Prometheus' text format 0.0.4."""
    by_name: dict[str, list[tuple[tuple[str, ...], Any]]] = {}
    for key, value in [*sums.items(), *(extra or {}).items()]:
        name, *values = key.split(_UNIT)
        by_name.setdefault(name, []).append((tuple(values), value))
    lines: list[str] = []
    for name, family in FAMILIES.items():
        if name in by_name:
            lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.kind}"]
            for labels, value in sorted(by_name[name]):
                lines += _lines(name, family, labels, value)
    return ("\n".join(lines) + "\n").encode()


def name(metric: str, *labels: str) -> str:
    """The key of a metric among sums."""
    return _UNIT.join((metric, *labels))


def process(pid: int) -> dict[str, float]:
    """What /proc says of a process; nothing where there is no /proc."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        pages = int(_read(f"/proc/{pid}/statm").split()[1])
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, IndexError, ValueError):
        return {}
    # Not from /proc/stat: the service's sandbox shows processes and nothing else.
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    ticks = os.sysconf("SC_CLK_TCK")
    return {
        "process_start_time_seconds": booted + int(fields[19]) / ticks,
        "process_cpu_seconds_total": (int(fields[11]) + int(fields[12])) / ticks,
        "process_resident_memory_bytes": pages * os.sysconf("SC_PAGE_SIZE"),
        "process_open_fds": descriptors,
    }


def _read(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as stream:
        return stream.read()


def _merge(whole: Sums, key: str, value: Any) -> None:
    if isinstance(value, list):
        old = whole.get(key)
        whole[key] = [a + b for a, b in zip(old, value)] if old else list(value)
    elif key.split(_UNIT)[0] in LATEST:
        whole[key] = max(whole.get(key, 0), value)
    else:
        whole[key] = whole.get(key, 0) + value


def _lines(name: str, family: Family, labels: tuple[str, ...], value: Any) -> Iterator[str]:
    pairs = list(zip(family.labels, labels))
    if family.kind != "histogram":
        yield f"{name}{_labels(pairs)} {_number(value)}"
        return
    total, *counts = value
    running = 0
    for bucket, count in zip((*family.buckets, "+Inf"), counts):
        running += count
        yield f"{name}_bucket{_labels([*pairs, ('le', str(bucket))])} {running}"
    yield f"{name}_sum{_labels(pairs)} {_number(total)}"
    yield f"{name}_count{_labels(pairs)} {running}"


def _labels(pairs: Iterable[tuple[str, str]]) -> str:
    inside = ",".join(f'{key}="{_escaped(value)}"' for key, value in pairs)
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(round(float(value), 6))
