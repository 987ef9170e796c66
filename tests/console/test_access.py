"""Who may use the console: under which names, from which pages, with which key, how often."""

from __future__ import annotations

import mmap
import unittest
from typing import Any

from weixin.console import access
from weixin.console.access import Access, make_key


def environ(host: str = "127.0.0.1:9528", **more: str) -> dict[str, Any]:
    return {"HTTP_HOST": host, **more}


class Names(unittest.TestCase):
    def test_only_our_own_names_are_answered(self) -> None:
        door = Access("key", b"secret", ["bot.example.com"])
        for host, allowed in (
            ("127.0.0.1:9528", True), ("localhost:1", True), ("[::1]:9528", True), ("127.0.0.1", True),
            ("BOT.example.com", True), ("LOCALHOST", True),
            ("evil.example", False), ("127.0.0.1.evil.example", False), ("127.0.0.1@evil.example", False),
            ("", False), ("127.0.0.1:9528/x", False), ("127.0.0.1:999999", False), ("0x7f.1", False),
        ):  # fmt: skip
            with self.subTest(host):
                self.assertEqual(door.host_allowed(environ(host)), allowed)

    def test_a_post_comes_from_the_page_itself(self) -> None:
        door = Access("key", b"secret")
        for origin, allowed in (
            ("http://127.0.0.1:9528", True), ("https://127.0.0.1:9528", True),
            ("http://127.0.0.1:9529", False), ("http://evil.example", False), ("null", False), ("", False),
        ):  # fmt: skip
            with self.subTest(origin):
                self.assertEqual(door.origin_allowed(environ(HTTP_ORIGIN=origin)), allowed)


class Keys(unittest.TestCase):
    def setUp(self) -> None:
        self.key = make_key()
        self.door = Access(self.key, b"secret")

    def cookie(self, session: str, host: str = "127.0.0.1:9528") -> dict[str, Any]:
        return environ(host, HTTP_COOKIE=self.door.cookie(environ(host), session).split(";")[0])

    def test_a_key_opens_once(self) -> None:
        session = self.door.login(self.key)
        assert session
        self.assertTrue(self.door.known(self.cookie(session)))
        self.assertIsNone(self.door.login(self.key))

    def test_a_wrong_key_opens_nothing(self) -> None:
        for key in ("", "x", self.key[:-1], self.key + "x", "ключ", "\ud800"):
            with self.subTest(key):
                self.assertIsNone(self.door.login(key))
        self.assertIsNotNone(self.door.login(self.key))

    def test_who_guesses_is_not_listened_to_for_a_minute(self) -> None:
        for n in range(access.TRIES_PER_MINUTE):
            self.door.login(str(n))
        self.assertIsNone(self.door.login(self.key))

    def test_a_forged_changed_or_old_session_is_unknown(self) -> None:
        session = self.door.login(self.key)
        assert session
        until, signature = session.split(".")
        for forged in (f"{int(until) + 1}.{signature}", f"{until}.{'0' * 64}", "1." + self.door._sign("1"), "", "x.y"):
            with self.subTest(forged):
                self.assertFalse(self.door.known(self.cookie(forged)))
        self.assertFalse(Access("key", b"another").known(self.cookie(session)))

    def test_a_session_outlives_a_restart_that_keeps_the_secret(self) -> None:
        session = self.door.login(self.key)
        assert session
        self.assertTrue(Access("another key", b"secret").known(self.cookie(session)))

    def test_a_key_that_was_used_is_used_for_the_console_that_takes_the_place_of_this_one(self) -> None:
        spent = mmap.mmap(-1, 1)
        self.assertIsNotNone(Access("key", b"secret", spent=spent).login("key"))
        self.assertIsNone(Access("key", b"secret", spent=spent).login("key"))

    def test_two_consoles_on_one_machine_do_not_share_a_cookie(self) -> None:
        names = {Access.cookie_name(environ(f"127.0.0.1:{port}")) for port in (9528, 9529)}
        self.assertEqual(len(names), 2)

    def test_no_script_reads_the_cookie_and_no_other_site_sends_it(self) -> None:
        cookie = self.door.cookie(environ(), "x")
        for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
            self.assertIn(word, cookie)


if __name__ == "__main__":
    unittest.main()
