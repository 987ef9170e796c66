"""Whose X-Forwarded-For is believed, and how much of it."""

from __future__ import annotations

import unittest

from weixin.server.proxy import VERDICTS_MAX, Proxies


class Client(unittest.TestCase):
    CASES = (
        ("1.2.3.4", "1.2.3.4"),
        ("٣.٣.٣.٣", "127.0.0.1"),
        ("9.9.9.9, 1.2.3.4", "1.2.3.4"),
        ("1.2.3.4, 10.0.0.1", "1.2.3.4"),
        ("9.9.9.9, 1.2.3.4, 10.0.0.1,10.0.0.2", "1.2.3.4"),
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("1.2.3.4, ::ffff:10.0.0.1", "1.2.3.4"),
        ("", "127.0.0.1"),
        ("nonsense", "127.0.0.1"),
        ("nonsense, 10.0.0.1", "10.0.0.1"),
        ("1.2.3.4:80", "127.0.0.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("fe80::1%\x9b31m d=1 user=x", "127.0.0.1"),
        ("fe80::1%" + "x" * 8_000, "127.0.0.1"),
    )

    def test_is_the_first_stranger_from_the_right(self) -> None:
        proxies = Proxies(["127.0.0.1", "10.0.0.0/8"])
        for forwarded, client in self.CASES * 2:  # the second time from memory
            with self.subTest(forwarded):
                self.assertEqual(proxies.client(forwarded, "127.0.0.1"), client)

    def test_trust(self) -> None:
        proxies = Proxies(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"])
        for address in ("127.0.0.1", "10.1.2.3", "2001:db8::1", "::ffff:127.0.0.1"):
            self.assertTrue(proxies.trusts(address), address)
        for address in ("127.0.0.2", "11.0.0.1", "::1", "", "localhost"):
            self.assertFalse(proxies.trusts(address), address)
        self.assertFalse(Proxies([]).trusts("127.0.0.1"))
        with self.assertRaises(ValueError):
            Proxies(["localhost"])

    def test_strangers_do_not_fill_the_memory(self) -> None:
        proxies = Proxies(["127.0.0.1"])
        for number in range(VERDICTS_MAX * 2):
            proxies.client(f"1.2.{number // 256}.{number % 256}", "127.0.0.1")
            self.assertLessEqual(len(proxies._verdicts), VERDICTS_MAX)


if __name__ == "__main__":
    unittest.main()
