"""Who is ready: epoll where there is one, poll elsewhere, behind one small face.

Both are level-triggered: what was not read is told again. Any thread may register and unregister; one thread
at a time waits.
"""

from __future__ import annotations

import os
import select
from typing import Protocol

# The two interfaces share these values (they are the same bits in Linux's headers and in POSIX systems'
# poll.h).
READ = select.POLLIN
WRITE = select.POLLOUT

# How many are told at once. The rest is told the next time; a longer list only delays the first.
BATCH = 64


class Poller(Protocol):
    """What the worker needs to know about its descriptors."""

    listening: int
    """The events to register a listening socket with."""

    def register(self, fd: int, events: int) -> None:
        """Begin to watch `fd`."""

    def modify(self, fd: int, events: int) -> None:
        """Watch `fd` for something else."""

    def unregister(self, fd: int) -> None:
        """Stop watching `fd`, before it is closed."""

    def wait(self, timeout: float) -> list[tuple[int, int]]:
        """The ready descriptors with their events; after `timeout` seconds, or `wake()`, an empty list."""

    def wake(self) -> None:
        """End the present wait, or the next."""

    def close(self) -> None:
        """Give the descriptors back."""


class Waker:
    """A pipe that ends a wait. Writing to it is safe in a signal handler and from any thread."""

    def __init__(self) -> None:
        self.fd, self._end = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._end, False)

    def wake(self) -> None:
        try:
            os.write(self._end, b".")
        except (BlockingIOError, OSError):
            pass  # full: it is awake already; closed: nobody sleeps any more

    def clear(self) -> None:
        try:
            os.read(self.fd, 4096)
        except BlockingIOError:
            pass

    def answer(self, ready: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """What else a poller says is ready, when it has heard the call."""
        self.clear()
        return [item for item in ready if item[0] != self.fd]

    def close(self) -> None:
        # Forgotten first: a signal that comes now must not write to whatever gets these numbers next.
        fds, self.fd, self._end = (self.fd, self._end), -1, -1
        for fd in fds:
            os.close(fd)


class EpollPoller:
    """Linux: a wait costs the same with ten connections and with ten thousand."""

    # Of several workers that watch a socket, one wakes up for a connection (epoll_ctl(2), EPOLLEXCLUSIVE).
    listening = READ | getattr(select, "EPOLLEXCLUSIVE", 0)

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._waker = Waker()
        self._call = (self._waker.fd, READ)
        self._wait = self._epoll.poll
        self._epoll.register(self._waker.fd, READ)
        self.register = self._epoll.register
        self.modify = self._epoll.modify
        self.unregister = self._epoll.unregister
        self.wake = self._waker.wake

    def wait(self, timeout: float) -> list[tuple[int, int]]:
        ready = self._wait(timeout, BATCH)
        return self._waker.answer(ready) if self._call in ready else ready

    def close(self) -> None:
        self._epoll.close()
        self._waker.close()


class PollPoller:
    """Everywhere else. A registration does not reach a running poll, so it ends that poll."""

    listening = READ

    def __init__(self) -> None:
        self._poll = select.poll()
        self._waker = Waker()
        self._waiting = False
        self._call = (self._waker.fd, READ)
        self._poll.register(self._waker.fd, READ)
        self.wake = self._waker.wake

    def register(self, fd: int, events: int) -> None:
        self._poll.register(fd, events)
        if self._waiting:
            self.wake()

    modify = register

    def unregister(self, fd: int) -> None:
        self._poll.unregister(fd)
        if self._waiting:
            self.wake()

    def wait(self, timeout: float) -> list[tuple[int, int]]:
        self._waiting = True
        try:
            ready = self._poll.poll(timeout * 1000)
        finally:
            self._waiting = False
        return self._waker.answer(ready) if self._call in ready else ready

    def close(self) -> None:
        self._waker.close()


def best_poller() -> Poller:
    """The quickest that this system has."""
    return EpollPoller() if hasattr(select, "epoll") else PollPoller()
