"""When a rule is open."""

from __future__ import annotations

import time
import unittest

from weixin.routing.errors import Misuse
from weixin.routing.hours import parse

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)


def at(day: int, clock: str) -> float:
    """A time by this machine's clock, in a week without a change of clocks."""
    hour, minute = clock.split(":")
    return time.mktime((2026, 1, 12 + day, int(hour), int(minute), 0, 0, 0, -1))


# What is written, times inside, times outside.
CASES: list[tuple[str, list[tuple[int, str]], list[tuple[int, str]]]] = [
    ("9:00-18:00", [(MON, "9:00"), (SUN, "17:59")], [(MON, "8:59"), (MON, "18:00")]),
    ("09:00 - 18:00", [(MON, "9:00")], [(MON, "18:00")]),
    ("9-18", [(MON, "9:00")], [(MON, "18:00")]),
    ("９：００－１８：００", [(MON, "9:00")], [(MON, "18:00")]),
    ("9点到18点", [(MON, "9:00")], [(MON, "18:00")]),
    ("0:00-24:00", [(MON, "0:00"), (SUN, "23:59")], []),
    ("22:00-6:00", [(MON, "22:00"), (MON, "23:59"), (MON, "0:00"), (MON, "5:59")], [(MON, "6:00"), (MON, "21:59")]),
    ("周日 22:00-6:00", [(SUN, "22:00"), (MON, "5:59")], [(MON, "22:00"), (SUN, "5:59"), (TUE, "1:00")]),
    ("周一-周五 09:00-18:00", [(MON, "9:00"), (FRI, "17:59")], [(SAT, "9:00"), (SUN, "12:00")]),
    ("周一到周五 09:00～18:00", [(MON, "9:00"), (FRI, "17:59")], [(SAT, "9:00")]),
    ("周一至五 9:00-18:00", [(FRI, "9:00")], [(SAT, "9:00")]),
    ("星期六、星期天 10:00-12:00", [(SAT, "10:00"), (SUN, "11:59")], [(FRI, "10:00")]),
    ("工作日 9:00-18:00；周末 10:00-12:00", [(FRI, "9:00"), (SAT, "11:00")], [(SAT, "9:00"), (FRI, "18:00")]),
    ("Mon-Fri 9:00-18:00, Sat 10:00-12:00", [(WED, "9:00"), (SAT, "10:00")], [(SAT, "9:00"), (SUN, "10:00")]),
    ("monday to friday 9:00-18:00", [(FRI, "9:00")], [(SUN, "9:00")]),
    ("Mon, Wed 9:00-12:00", [(MON, "9:00"), (WED, "9:00")], [(TUE, "9:00")]),
    ("Mon-Fri 9:00-12:00, 13:00-18:00", [(MON, "9:00"), (FRI, "13:00")], [(MON, "12:30"), (SAT, "13:00")]),
    ("Fri-Mon 9:00-10:00", [(FRI, "9:00"), (SUN, "9:00"), (MON, "9:00")], [(TUE, "9:00"), (THU, "9:00")]),
    ("周末", [(SAT, "0:00"), (SUN, "23:59")], [(FRI, "23:59"), (MON, "0:00")]),
    ("daily 8:00-9:00", [(THU, "8:30")], [(THU, "9:30")]),
]  # fmt: skip

WRONG = ["", " ", "9", "9:00", "9:00-", "25:00-26:00", "9:60-10:00", "9:00-9:00", "24:00-1:00", "Foo 9:00-10:00",
         "Mon-Foo 9:00-10:00", "周末-周一 9:00-10:00", "9:00-18:00 ?", "上班时间"]  # fmt: skip


class Hours(unittest.TestCase):
    def test_open_inside_and_closed_outside_and_the_other_way_round(self) -> None:
        for spec, inside, outside in CASES:
            hours = parse(spec)
            rest = hours.outside()
            for expected, times in ((True, inside), (False, outside)):
                for day, clock in times:
                    with self.subTest(spec, day=day, clock=clock):
                        self.assertEqual(hours.open_at(at(day, clock)), expected)
                        self.assertEqual(rest.open_at(at(day, clock)), not expected)

    def test_what_cannot_be_read_is_refused(self) -> None:
        for spec in WRONG:
            with self.subTest(spec), self.assertRaises(Misuse) as caught:
                parse(spec)
            self.assertEqual((caught.exception.reason, caught.exception.values), ("hours", {"hours": spec}))


if __name__ == "__main__":
    unittest.main()
