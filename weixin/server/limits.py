"""What this machine allows: limits of the process and of its cgroup, and options lowered to fit them.

A limit that is met at run time is an error for somebody; one that is known at the start is a line in the log.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from typing import NamedTuple

from .options import Options

# Descriptors that are not connections: listeners, pipes, epoll, a store, those who are refused, and what each
# handler opens.
DESCRIPTORS_KEPT = 96
DESCRIPTORS_PER_THREAD = 2
# An idle connection here and in the kernel, with its buffers; and a thread with the frames of a deep handler.
BYTES_PER_CONNECTION = 16 * 1024
BYTES_PER_THREAD = 512 * 1024
# Tasks that are not request threads: supervisor, monitor, watchdog, a store's writer, a pool.
TASKS_KEPT = 16
# During a reload old and new workers live side by side.
GENERATIONS = 2
# Below this a server is of no use, so limits are taken with a grain of salt.
LEAST_CONNECTIONS = 16
LEAST_THREADS = 2
LEAST_BUFFERED = 1024 * 1024


class Machine(NamedTuple):
    """What may be used; None: no limit is known."""

    descriptors: int | None  # a process
    tasks: int | None  # of everything together
    memory: int | None  # bytes, of everything together

    @classmethod
    def here(cls) -> Machine:
        """Ask the kernel, after raising the soft limit of descriptors as far as it lets us."""
        return cls(_descriptors(), *_cgroup_limits("/proc/self/cgroup", "/sys/fs/cgroup"))


class Lowered(NamedTuple):
    """One option that the machine does not allow."""

    name: str
    wanted: int
    allowed: int
    why: str


def fit(options: Options, workers: int, machine: Machine) -> tuple[Options, list[Lowered]]:
    """The options for one of `workers` processes, as far as the machine allows them."""
    lowered: list[Lowered] = []

    def lower(name: str, wanted: int, least: int, limits: dict[str, int | None]) -> int:
        known = ((limit, why) for why, limit in limits.items() if limit is not None)
        allowed, why = min(known, default=(wanted, ""))
        if allowed >= wanted:
            return wanted
        allowed = min(wanted, max(least, allowed))
        lowered.append(Lowered(name, wanted, allowed, why))
        return allowed

    share = None if machine.memory is None else machine.memory // (workers * GENERATIONS)
    tasks = None if machine.tasks is None else (machine.tasks - TASKS_KEPT) // (workers * GENERATIONS)
    threads = lower(
        "threads",
        options.threads,
        LEAST_THREADS,
        {"tasks": tasks, "memory": None if share is None else share // 4 // BYTES_PER_THREAD},
    )
    descriptors = machine.descriptors
    if descriptors is not None:
        descriptors -= DESCRIPTORS_KEPT + DESCRIPTORS_PER_THREAD * threads
    # The sum of all workers is ours to share out, and not a shortage: nothing to report.
    wanted = min(options.connections, max(LEAST_CONNECTIONS, options.connections_total // workers))
    connections = lower(
        "connections",
        wanted,
        LEAST_CONNECTIONS,
        {"descriptors": descriptors, "memory": None if share is None else share // 2 // BYTES_PER_CONNECTION},
    )
    quarter = None if share is None else share // 4
    buffered = lower("buffered_max", options.buffered_max, LEAST_BUFFERED, {"memory": quarter})
    return options._replace(threads=threads, connections=connections, buffered_max=buffered), lowered


def _descriptors() -> int | None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError):
            pass  # a sandbox may forbid it, and macOS has a lower limit than it says
    return None if soft == resource.RLIM_INFINITY else soft


def _cgroup_limits(membership: str, mount: str) -> tuple[int | None, int | None]:
    """The lowest pids.max and memory.max of our cgroup and those above it, by cgroups(7)."""
    tasks: list[int] = []
    memory: list[int] = []
    try:
        with open(membership, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return None, None
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:  # version 2
            tasks += _limits_upwards(mount, path, "pids.max")
            memory += _limits_upwards(mount, path, "memory.max")
        elif "pids" in controllers.split(","):
            tasks += _limits_upwards(os.path.join(mount, "pids"), path, "pids.max")
        elif "memory" in controllers.split(","):
            memory += _limits_upwards(os.path.join(mount, "memory"), path, "memory.limit_in_bytes")
    return min(tasks, default=None), min(memory, default=None)


def _limits_upwards(mount: str, path: str, name: str) -> Iterator[int]:
    while True:
        try:
            with open(os.path.join(mount, path.lstrip("/"), name), encoding="utf-8") as file:
                text = file.read().strip()
            # Version 1 says "no limit" with a number near 2**63.
            if text.isdecimal() and int(text) < 1 << 60:
                yield int(text)
        except OSError:
            pass  # the root has no such file; a container may hide the folders above its own
        if path in ("", "/"):
            return
        path = os.path.dirname(path)
