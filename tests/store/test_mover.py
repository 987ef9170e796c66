"""The store's log is moved, and emptied of what was forgotten, however much is forgotten at once."""

from __future__ import annotations

import unittest
from collections.abc import Callable

from weixin.store.mover import Mover


class Log:
    """A file whose log is wiped while somebody else is forgotten."""

    log_is_long = False

    def __init__(self) -> None:
        self.wiped = 0
        self.meanwhile: Callable[[], object] | None = None

    @property
    def db(self) -> Log:
        return self

    def tend(self, work: Callable[[Log], object]) -> None:
        work(self)

    def move_log(self) -> None:
        pass

    def wipe_log(self) -> bool:
        self.wiped += 1
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return True


class MoverTest(unittest.TestCase):
    def test_who_is_forgotten_while_the_log_is_wiped_is_wiped_too(self) -> None:
        log = Log()
        mover = Mover(log)  # type: ignore[arg-type]
        mover._turns.end()
        log.meanwhile = mover.wipe
        mover.wipe()
        mover._turn()
        self.assertEqual(log.wiped, 1)
        mover._turn()
        self.assertEqual(log.wiped, 2)
        mover._turn()
        self.assertEqual(log.wiped, 2)


if __name__ == "__main__":
    unittest.main()
