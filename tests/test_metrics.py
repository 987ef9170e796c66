"""Metrics: summed over processes that come and go, never falling, in a format that Prometheus reads."""

from __future__ import annotations

import os
import re
import unittest
from pathlib import Path

from weixin import metrics
from weixin.metrics import Board, Meter

LINE = re.compile(
    r"(?P<name>[a-z_]+)(?:\{(?P<labels>[a-z_]+=\"(?:[^\"\\\n]|\\.)*\"(?:,[a-z_]+=\"(?:[^\"\\\n]|\\.)*\")*)\})? "
    r"(?P<value>[-+0-9.e]+)"
)


def in_a_process(board: Board, count: int) -> None:
    """Count some deliveries in a process of its own, and wait for its end."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            meter = Meter(board)
            for _ in range(count):
                meter.add("wxserve_deliveries_total", "text", "replied")
                meter.add("wxserve_delivery_duration_seconds", "text", value=0.02)
            meter.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def read(data: bytes) -> dict[str, float]:
    found = {}
    for line in data.decode().splitlines():
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            found[line.rpartition(" ")[0]] = float(match["value"])
    return found


class Sums(unittest.TestCase):
    def setUp(self) -> None:
        self.board = Board()
        self.addCleanup(self.board.close)

    def test_workers_are_summed(self) -> None:
        meter = Meter(self.board)
        self.addCleanup(meter.close)
        meter.add("wxserve_deliveries_total", "text", "replied", value=5)
        meter.flush()
        in_a_process(self.board, 3)
        found = read(metrics.render(self.board.total()))
        self.assertEqual(found['wxserve_deliveries_total{type="text",result="replied"}'], 8)

    def test_a_disk_that_was_full_for_a_while_costs_no_count(self) -> None:
        meter = Meter(self.board)
        self.addCleanup(meter.close)
        full = os.open("/dev/full", os.O_RDWR)
        self.addCleanup(os.close, full)
        file, self.board._fd = self.board._fd, full
        meter.add("wxserve_deliveries_total", "text", "replied", value=5)
        meter.flush()
        self.board._fd = file
        self.assertEqual(self.board.total(), {})
        meter.flush()
        self.assertEqual(list(self.board.total().values()), [5])

    def test_how_a_worker_stands_is_asked_at_every_turn_and_ends_with_it(self) -> None:
        standing = {"wxserve_worker_threads": 7}
        meter = Meter(self.board)
        meter.watch(lambda: standing)
        meter.flush()
        self.assertEqual(read(metrics.render(self.board.total()))["wxserve_worker_threads"], 7)
        standing["wxserve_worker_threads"] = 9
        meter.flush()
        self.assertEqual(read(metrics.render(self.board.total()))["wxserve_worker_threads"], 9)
        meter.close()
        self.assertEqual(read(metrics.render(self.board.total()))["wxserve_worker_threads"], 0)

    def test_the_program_is_one_however_many_workers_it_has(self) -> None:
        for meter in (Meter(self.board), Meter(self.board)):
            self.addCleanup(meter.close)
            meter.add("wxserve_build_info", "1.0", "3.11")
            meter.flush()
        found = read(metrics.render(self.board.total()))
        self.assertEqual(found['wxserve_build_info{version="1.0",python="3.11"}'], 1)

    def test_a_counter_does_not_fall_when_a_worker_is_replaced(self) -> None:
        in_a_process(self.board, 3)
        in_a_process(self.board, 4)
        found = read(metrics.render(self.board.total()))
        self.assertEqual(found['wxserve_deliveries_total{type="text",result="replied"}'], 7)
        self.assertEqual(found['wxserve_delivery_duration_seconds_count{type="text"}'], 7)

    def test_a_histogram_counts_up_to_its_bucket(self) -> None:
        meter = Meter(self.board)
        self.addCleanup(meter.close)
        for seconds in (0.001, 0.005, 0.2, 20):
            meter.add("wxserve_delivery_duration_seconds", "text", value=seconds)
        meter.flush()
        found = read(metrics.render(self.board.total()))
        name = "wxserve_delivery_duration_seconds"
        self.assertEqual(found[f'{name}_bucket{{type="text",le="0.005"}}'], 2)
        self.assertEqual(found[f'{name}_bucket{{type="text",le="0.25"}}'], 3)
        self.assertEqual(found[f'{name}_bucket{{type="text",le="15"}}'], 3)
        self.assertEqual(found[f'{name}_bucket{{type="text",le="+Inf"}}'], 4)
        self.assertAlmostEqual(found[f'{name}_sum{{type="text"}}'], 20.206)

    def test_the_latest_of_a_moment_counts_and_not_the_sum(self) -> None:
        meter = Meter(self.board)
        self.addCleanup(meter.close)
        meter.add("wxserve_last_wechat_request_timestamp_seconds", value=100)
        meter.add("wxserve_last_wechat_request_timestamp_seconds", value=90)
        meter.flush()
        self.assertEqual(self.board.total()["wxserve_last_wechat_request_timestamp_seconds"], 90)
        other = self.board.claim()  # this process's own slot again: locks are a process's
        self.board.write(other + 1, {"wxserve_last_wechat_request_timestamp_seconds": 120})
        self.assertEqual(self.board.total()["wxserve_last_wechat_request_timestamp_seconds"], 120)

    def test_names_that_strangers_choose_are_bounded(self) -> None:
        meter = Meter(self.board)
        self.addCleanup(meter.close)
        for n in range(metrics.LABELS_MAX + 50):
            meter.add("wxserve_rule_hits_total", f"[{n}]")
        meter.flush()
        found = read(metrics.render(self.board.total()))
        self.assertEqual(found['wxserve_rule_hits_total{rule="other"}'], 50)
        self.assertEqual(len(found), metrics.LABELS_MAX + 1)

    def test_they_are_bounded_over_any_number_of_reloads(self) -> None:
        for generation in range(3):
            meter = Meter(self.board)
            for n in range(metrics.LABELS_MAX):
                meter.add("wxserve_rule_hits_total", f"[{generation}.{n}]")
            meter.close()
        found = read(metrics.render(self.board.total()))
        self.assertEqual(found['wxserve_rule_hits_total{rule="other"}'], 2 * metrics.LABELS_MAX)
        rules = [name for name in found if name.startswith("wxserve_rule_hits_total")]
        self.assertEqual(len(rules), metrics.LABELS_MAX + 1)

    def test_labels_are_escaped(self) -> None:
        found = metrics.render({metrics.name("wxserve_rule_hits_total", 'a"b\\c\nd'): 1}).decode()
        self.assertIn('{rule="a\\"b\\\\c\\nd"} 1', found)

    def test_every_family_is_announced_once_with_its_type(self) -> None:
        plain = {name: family for name, family in metrics.FAMILIES.items() if not family.buckets}
        sums = {metrics.name(name, *(["x"] * len(family.labels))): 1 for name, family in plain.items()}
        text = metrics.render(sums).decode()
        for name, family in metrics.FAMILIES.items():
            if not family.buckets:
                self.assertEqual(text.count(f"# TYPE {name} {family.kind}\n"), 1)
        for name in metrics.FAMILIES:
            with self.subTest(name):
                self.assertEqual(metrics.FAMILIES[name].kind == "counter", name.endswith("_total"))

    def test_a_slot_that_was_left_half_written_is_written_again(self) -> None:
        slot = self.board.claim()
        os.pwrite(self.board._fd, b"\x03\0\0\0\x05\0\0\0", slot * metrics.SLOT_BYTES)
        self.assertEqual(self.board.read(slot), {})
        self.board.write(slot, {"wxserve_unmatched_messages_total": 2})
        self.assertEqual(self.board.total(), {"wxserve_unmatched_messages_total": 2})


class Process(unittest.TestCase):
    def test_this_process_has_memory_and_descriptors(self) -> None:
        if not os.path.isdir("/proc/self"):
            self.skipTest("there is no /proc")
        found = metrics.process(os.getpid())
        self.assertGreater(found["process_resident_memory_bytes"], 1 << 20)
        self.assertGreater(found["process_open_fds"], 2)
        self.assertEqual(metrics.process(0), {})


class Catalogue(unittest.TestCase):
    def test_every_metric_is_measured_somewhere(self) -> None:
        package = Path(metrics.__file__).parent
        files = [path for path in package.rglob("*.py") if path.name != "metrics.py"]
        text = "".join(path.read_text(encoding="utf-8") for path in files).replace("wxserve_users_{kind}d_total", "")
        ours = {name for name in metrics.FAMILIES if not name.startswith(("process_", "wxserve_users_"))}
        self.assertEqual({name for name in ours if f'"{name}"' not in text}, set())


if __name__ == "__main__":
    unittest.main()
