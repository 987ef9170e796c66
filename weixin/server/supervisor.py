"""The supervisor: one thread that keeps the workers of all services running.

It forks them, replaces the dead with back-off and the silent by force, brings a new generation up before it
lets the old one go (reload), and ends everything in order. It opens no store and imports no handler: whatever
has threads begins in the workers. States: starting, running, reloading, stopping.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from .child import flush_streams
from .limits import Machine, fit
from .listeners import InheritedSocket, remove_file
from .options import Options, Service
from .process import Process, describe_end
from .systemd import Notifier

log = logging.getLogger("wxserve.server")

# A worker that dies sooner after it was ready has a fault of its own; one killed later is replaced at once.
SHORT_LIFE = 0.5
# Doubled with each short life in a row: soon enough to come back from a passing trouble, too slow to be a
# load.
BACKOFF_FIRST, BACKOFF_MAX = 0.1, 5.0
# Old workers with a slow message may live for a minute. A reload beyond so many waits for one to end: someone
# who reloads every second must not fill the memory.
OLD_GENERATIONS_MAX = 4
# The longest sleep: a deadline set meanwhile is noticed at the next.
LONGEST_SLEEP = 1.0

EXIT_FAILED = 1


class _Slot:
    """A place for one worker, which is filled anew when it falls empty."""

    def __init__(self, service: Service, options: Options) -> None:
        self.service = service
        self.options = options
        self.process: Process | None = None
        self.start_at = 0.0
        self.failures = 0  # short lives in a row


class _Generation:
    """The workers of one configuration."""

    def __init__(self, services: Sequence[Service], machine: Machine, before: _Generation | None = None) -> None:
        self.services = services
        self.slots: list[_Slot] = []
        workers = sum(service.options.workers for service in services)
        for service in services:
            kept = [slot for slot in before.slots if slot.service is service] if before and service.lasting else []
            self.slots += kept
            if kept:
                continue
            options, lowered = fit(service.options, workers, machine)
            for item in lowered:
                fields = {"name": item.name, "wanted": item.wanted, "allowed": item.allowed, "why": item.why}
                log.warning("lowered", extra={"code": "", "fields": {"service": service.name, **fields}})
            self.slots += [_Slot(service, options) for _ in range(options.workers)]

    def processes(self, beside: _Generation | None = None) -> list[Process]:
        """Its processes; without those that `beside` has as well."""
        shared = beside.slots if beside is not None else []
        return [slot.process for slot in self.slots if slot.process is not None and slot not in shared]

    def is_ready(self) -> bool:
        return all(slot.process is not None and slot.process.ready for slot in self.slots)


class Supervisor:
    """See the module. `on_reload()` returns the services of the next generation, or raises."""

    def __init__(
        self,
        services: Sequence[Service],
        on_ready: Callable[[], None],
        on_reload: Callable[[], Sequence[Service]],
        notifier: Notifier,
    ) -> None:
        self._machine = Machine.here()
        self._current = _Generation(services, self._machine)
        self._next: _Generation | None = None
        self._old: list[list[Process]] = []  # draining, by generation
        self._on_ready = on_ready
        self._on_reload = on_reload
        self._notifier = notifier
        self._started = False
        self._stopping = False
        self._reload_wanted = False
        self._status = 0
        self._signals: list[int] = []
        self._wakeup, self._wakeup_end = socket.socketpair()
        self._wakeup.setblocking(False)
        self._wakeup_end.setblocking(False)
        self._watchdog_at = 0.0

    def run(self) -> int:
        """Serve until told to stop; the exit status."""
        before = self._take_signals()
        # What is there before the fork stays shared with the workers: the collector must not write to it.
        gc.collect()
        gc.freeze()
        try:
            while not (self._stopping and not self._all()):
                now = time.monotonic()
                self._fill(now)
                self._feed_watchdog(now)
                self._sleep(now)
                self._obey()
                self._reap()
                self._look_after(time.monotonic())
                self._progress()
        finally:
            for process in self._all():
                process.kill()
            self._give_back_signals(before)
            gc.unfreeze()
        return self._status

    # Signals.

    def _take_signals(self) -> dict[int, Any]:
        handlers: dict[int, Any] = {
            number: signal.signal(number, lambda number, _frame: self._signals.append(number))
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        }
        handlers[-1] = signal.set_wakeup_fd(self._wakeup_end.fileno(), warn_on_full_buffer=False)
        return handlers

    def _give_back_signals(self, handlers: dict[int, Any]) -> None:
        signal.set_wakeup_fd(handlers.pop(-1))
        for number, handler in handlers.items():
            signal.signal(number, handler)
        self._wakeup.close()
        self._wakeup_end.close()

    def _obey(self) -> None:
        while self._signals:
            number = self._signals.pop(0)
            if number == signal.SIGHUP:
                self._reload_wanted = True
            elif number in (signal.SIGTERM, signal.SIGINT):
                if self._stopping and number == signal.SIGINT:
                    # Ctrl-C a second time: whoever presses it does not want to wait.
                    for process in self._all():
                        process.kill()
                self._stop()

    # Workers.

    def _all(self) -> list[Process]:
        processes = self._current.processes()
        if self._next is not None:
            processes += self._next.processes(beside=self._current)
        for generation in self._old:
            processes += generation
        return processes

    def _fill(self, now: float) -> None:
        """Start what is missing."""
        if self._stopping:
            return
        for generation in (self._current, self._next):
            for slot in generation.slots if generation is not None else ():
                if slot.process is None and slot.start_at <= now:
                    self._fork(slot)

    def _fork(self, slot: _Slot) -> None:
        mine = set(slot.service.sockets)
        others = [process.channel for process in self._all()]
        for generation in (self._current, self._next):
            for service in generation.services if generation is not None else ():
                others += [sock for sock in service.sockets if sock not in mine]
        flush_streams()  # or the worker would print it again
        try:
            slot.process = Process.fork(slot.service, slot.options, others, self._forget_in_child)
        except OSError as error:
            self._delay(slot)
            log.error("cannot-fork", extra={"code": "", "fields": {"error": error.strerror}})

    def _forget_in_child(self) -> None:
        signal.set_wakeup_fd(-1)
        self._wakeup.close()
        self._wakeup_end.close()

    def _delay(self, slot: _Slot) -> None:
        slot.failures += 1
        slot.start_at = time.monotonic() + min(BACKOFF_MAX, BACKOFF_FIRST * 2 ** (slot.failures - 1))

    def _sleep(self, now: float) -> None:
        """Wait for signals and words, up to the next thing that is due."""
        due = [process.kill_at for process in self._all()]
        due += [slot.start_at for slot in self._current.slots if slot.process is None and not self._stopping]
        if self._notifier.watchdog_seconds is not None:
            due.append(self._watchdog_at)
        seconds = min(LONGEST_SLEEP, max(0.0, min(due, default=now + LONGEST_SLEEP) - now))
        poll = select.poll()
        poll.register(self._wakeup, select.POLLIN)
        processes = {process.channel.fileno(): process for process in self._all()}
        for fd in processes:
            poll.register(fd, select.POLLIN)
        for fd, _ in poll.poll(seconds * 1000):
            if fd in processes:
                processes[fd].hear()
            else:
                try:
                    self._wakeup.recv(4096)
                except BlockingIOError:
                    pass

    def _reap(self) -> None:
        by_pid = {process.pid: process for process in self._all()}
        for pid, process in by_pid.items():
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status = pid, 0  # somebody else took its status; it is gone all the same
            if ended:
                process.hear()
                process.channel.close()
                self._bury(process, status)

    def _bury(self, process: Process, status: int) -> None:
        self._old = [rest for rest in ([p for p in old if p is not process] for old in self._old) if rest]
        why = process.reason or describe_end(status)
        if not process.draining:
            fields = {"service": process.service.name, "pid": process.pid, "why": why}
            log.error("worker-died", extra={"code": "", "fields": fields})
        for generation in (self._current, self._next):
            for slot in generation.slots if generation is not None else ():
                if slot.process is process:
                    slot.process = None
                    self._after_death(generation, slot, process, why)

    def _after_death(self, generation: _Generation | None, slot: _Slot, process: Process, why: str) -> None:
        if process.ready and time.monotonic() - process.born > SHORT_LIFE:
            slot.failures = 0
            slot.start_at = 0.0
            return
        self._delay(slot)
        if self._stopping:
            return
        if generation is self._next:
            self._give_up_reload(why)
        elif not self._started:
            self._status = EXIT_FAILED
            self._stop()

    def _look_after(self, now: float) -> None:
        """End who is overdue; let go, and replace, who wants to end."""
        for process in self._all():
            if now >= process.kill_at:
                what = "overdue" if process.draining else ("silent" if process.ready else "slow-start")
                fields = {"service": process.service.name, "pid": process.pid}
                log.error("worker-" + what, extra={"code": "", "fields": fields})
                process.kill_at = now + LONGEST_SLEEP
                process.kill()
        for slot in self._current.slots:
            if slot.process is not None and slot.process.draining and not self._stopping:
                fields = {"service": slot.service.name, "pid": slot.process.pid}
                log.info("worker-leaves", extra={"code": "", "fields": fields})
                slot.process.drain(slot.options.drain)
                self._old.append([slot.process])
                slot.process = None

    # The whole.

    def _progress(self) -> None:
        """From starting to running, and from one generation to the next."""
        if self._stopping:
            return
        if not self._started:
            if self._current.is_ready():
                self._started = True
                # Before READY=1: whoever waited for the start finds done what is done at the start.
                self._on_ready()
                self._say_ready()
        elif self._next is not None:
            if self._next.is_ready():
                self._change_generation(self._next)
        elif self._reload_wanted and len(self._old) < OLD_GENERATIONS_MAX:
            self._begin_reload()

    def _begin_reload(self) -> None:
        self._reload_wanted = False
        self._notifier.reloading()
        try:
            self._next = _Generation(self._on_reload(), self._machine, self._current)
        except Exception as error:
            # The hook is the program's: whatever is wrong with the new configuration, the old one serves on.
            self._give_up_reload(f"{type(error).__name__}: {error}")

    def _change_generation(self, new: _Generation) -> None:
        leaving = self._current.processes(beside=new)
        for process in leaving:
            process.drain(process.service.options.drain)
        self._old += [leaving] if leaving else []
        self._current, self._next = new, None
        log.info("reload", extra={"code": "", "fields": {"result": "ok", "workers": len(new.slots)}})
        self._say_ready()

    def _give_up_reload(self, why: str) -> None:
        if self._next is not None:
            processes = self._next.processes(beside=self._current)
            for process in processes:
                # Who is ready may have accepted somebody.
                process.drain(process.service.options.drain if process.ready else 0.0)
            if processes:
                self._old.append(processes)
            self._next = None
        log.error("reload", extra={"code": "", "fields": {"result": "failed", "why": why}})
        self._say_ready()

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._notifier.stopping()
        # The last ears must be the workers': who connects from now on would wait for nobody.
        for generation in (self._current, self._next):
            for service in generation.services if generation is not None else ():
                for sock in service.sockets:
                    if not isinstance(sock, InheritedSocket) and sock.fileno() >= 0:
                        remove_file(sock)
                        sock.close()
        for process in self._all():
            process.stop(process.service.options.grace)

    def _say_ready(self) -> None:
        self._notifier.ready(f"workers={len(self._current.slots)}")

    def _feed_watchdog(self, now: float) -> None:
        """systemd sees only this process; it may believe it as long as a worker lives."""
        period = self._notifier.watchdog_seconds
        if period is not None and now >= self._watchdog_at and (self._all() or self._stopping):
            self._watchdog_at = now + period
            self._notifier.watchdog()


def serve(
    services: Sequence[Service],
    *,
    on_ready: Callable[[], None] = lambda: None,
    on_reload: Callable[[], Sequence[Service]] | None = None,
    notifier: Notifier | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; the exit status: 0 after an orderly end, 1 when a worker cannot start.

    To be called in the main thread of a process without other threads, with every module imported that
    workers need. `on_ready()` is called once, when every worker answers. `on_reload()`, at SIGHUP, returns
    the services to go on with (default: the same, whose `make_app` is called anew in new workers); if it
    raises, or a new worker cannot start, the old ones stay.
    """
    if not faulthandler.is_enabled():
        try:
            faulthandler.enable(file=sys.__stderr__ or 2)
        except (OSError, RuntimeError, ValueError):
            pass  # no standard error
    notifier = notifier if notifier is not None else Notifier()
    return Supervisor(services, on_ready, on_reload or (lambda: services), notifier).run()
