"""Limits of the machine, read and applied."""

from __future__ import annotations

import os
import tempfile
import unittest

from weixin.server.limits import LEAST_CONNECTIONS, LEAST_THREADS, Machine, _cgroup_limits, fit
from weixin.server.options import Options

ROOMY = Machine(descriptors=65536, tasks=None, memory=None)


class Fit(unittest.TestCase):
    def test_nothing_is_lowered_where_there_is_room(self) -> None:
        self.assertEqual(fit(Options(), 1, ROOMY), (Options(), []))
        self.assertEqual(fit(Options(), 1, Machine(None, None, None)), (Options(), []))

    def test_each_limit_lowers_what_it_must_and_says_so(self) -> None:
        cases = (
            (Machine(1024, None, None), {"connections": 1024 - 96 - 128}),
            (Machine(None, 100, None), {"threads": 42}),
            (Machine(None, None, 64 << 20), {"threads": 16, "connections": 1024, "buffered_max": 8 << 20}),
            (
                Machine(10, 10, 10),
                {"threads": LEAST_THREADS, "connections": LEAST_CONNECTIONS, "buffered_max": 1 << 20},
            ),
        )
        for machine, expected in cases:
            with self.subTest(machine):
                options, lowered = fit(Options(), 1, machine)
                self.assertEqual({item.name: item.allowed for item in lowered}, expected)
                for name, value in expected.items():
                    self.assertEqual(getattr(options, name), value)

    def test_workers_share(self) -> None:
        options, lowered = fit(Options(connections=10_000, connections_total=12_000), 4, ROOMY)
        self.assertEqual((options.connections, lowered), (3000, []))


class Cgroups(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def write(self, path: str, text: str) -> str:
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def test_version_2_takes_the_lowest_on_the_way_up(self) -> None:
        membership = self.write("self", "0::/system.slice/wxserve.service\n")
        self.write("mount/system.slice/wxserve.service/pids.max", "1024\n")
        self.write("mount/system.slice/wxserve.service/memory.max", "max\n")
        self.write("mount/system.slice/memory.max", "536870912\n")
        self.write("mount/system.slice/pids.max", "4096\n")
        self.assertEqual(_cgroup_limits(membership, os.path.join(self.root, "mount")), (1024, 536870912))

    def test_version_1(self) -> None:
        membership = self.write("self", "3:memory:/a\n2:cpu,pids:/b\n1:name=systemd:/c\n")
        self.write("mount/memory/a/memory.limit_in_bytes", "1000000\n")
        self.write("mount/memory/memory.limit_in_bytes", "9223372036854771712\n")
        self.write("mount/pids/b/pids.max", "50\n")
        self.assertEqual(_cgroup_limits(membership, os.path.join(self.root, "mount")), (50, 1000000))

    def test_none(self) -> None:
        self.assertEqual(_cgroup_limits(os.path.join(self.root, "nothing"), self.root), (None, None))

    def test_this_machine_can_be_asked(self) -> None:
        self.assertIsInstance(Machine.here(), Machine)


if __name__ == "__main__":
    unittest.main()
