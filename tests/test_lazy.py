"""The callable for other servers: one build a process, and a 503 where there is nothing to build from."""

from __future__ import annotations

import os
import threading
import unittest

from tests.client import call
from tests.test_app import Case
from weixin import lazy


class Lazy(Case):
    def test_the_lazy_callable_builds_itself_once_and_says_503_without_a_configuration(self) -> None:
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        self.addCleanup(os.environ.pop, "WXSERVE_CONFIG", None)
        application = lazy.Lazy()
        os.environ["WXSERVE_CONFIG"] = str(self.folder / "none.ini")
        self.assertEqual(call(application).status, 503)
        os.environ["WXSERVE_CONFIG"] = str(self.folder / "wxserve.ini")
        self.assertEqual(call(application).status, 503, "it is not tried again at once")
        application = lazy.Lazy()
        built = []
        threads = [threading.Thread(target=lambda: built.append(call(application).status)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(built, [200] * 8)
        self.assertIs(application._application, application._build())


if __name__ == "__main__":
    unittest.main()
