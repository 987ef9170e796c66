"""One event loop on one thread, for handlers that are ``async def``.

Started by the first of them, so after any fork: a process that has none pays nothing, not even for importing asyncio,
which is a fifth of the time from start to first answer.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

# No delivery waits as long; what still runs then has hung, and is cancelled. (``run_max`` as it is by itself.)
RUN_MAX = 120.0
# What is cancelled at the end may clean up for so long.
CLOSE_MAX = 2.0


class Loop:
    """Runs awaitables from any thread, for so many seconds at most."""

    def __init__(self, run_max: float = RUN_MAX) -> None:
        self._run_max = run_max
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, awaitable: Awaitable[object]) -> object:
        """Wait for the result, or raise what it raises; TimeoutError where it takes too long."""
        import asyncio
        from concurrent.futures import TimeoutError as FutureTimeout

        loop = self._running()
        future = asyncio.run_coroutine_threadsafe(_caught(awaitable), loop)
        try:
            result, error = future.result(self._run_max)
        except FutureTimeout:
            future.cancel()
            raise TimeoutError(f"not done after {self._run_max:g} s") from None
        if error is not None:
            raise error
        return result

    def close(self) -> None:
        """Cancel what still runs, and end the thread."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None and thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
            thread.join(CLOSE_MAX + 1)

    def _running(self) -> asyncio.AbstractEventLoop:
        import asyncio

        with self._lock:
            # In a forked child the thread object says that its thread is gone.
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=_serve, args=(loop,), name="wxserve-async", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # this system has no more just now: a loop that nobody runs keeps descriptors
                    loop.close()
                    raise
                self._loop, self._thread = loop, thread
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio

    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=CLOSE_MAX))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _caught(awaitable: Awaitable[object]) -> tuple[object, BaseException | None]:
    """Hand an exception over as a value: SystemExit, raised in a task, would end the loop for everybody."""
    import asyncio

    try:
        return await awaitable, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error
