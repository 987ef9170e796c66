from __future__ import annotations

import unittest

from weixin.wire import probe
from weixin.wire.messages import Message, parse


class Marks(unittest.TestCase):
    def test_a_probe_is_told_by_its_nonce_and_by_nothing_behind_it(self) -> None:
        for nonce, marked in ((f"{probe.NONCE}1a", True), (f"1{probe.NONCE}", False), ("1714036504", False)):
            with self.subTest(nonce):
                self.assertIs(probe.marked(nonce), marked)
                self.assertIs(probe.claimed(f"signature=0&nonce={nonce}&timestamp=1"), marked)

    def test_no_openid_is_that_of_a_played_user(self) -> None:
        for user, played in (("oTEST0001", True), ("oTEST" + "a" * 23, False), ("oyORnuP8q7ou2gfYjqLzSIWZf0rs", False)):
            with self.subTest(user):
                self.assertIs(probe.played(user), played)


class Pushes(unittest.TestCase):
    def test_a_probe_is_a_text_of_nobodys_that_says_what_it_wants(self) -> None:
        message = Message(parse(probe.push("wait 4.5 ]]>", 1_714_036_504)))
        self.assertEqual((message.user, message.kind, message.text), (probe.SENDER, "text", "wait 4.5 ]]>"))
        self.assertEqual(message.time, 1_714_036_504)

    def test_it_waits_as_long_as_it_is_asked_to_and_never_much_longer_than_wechat(self) -> None:
        for content, seconds in (("wait 4.5", 4.5), ("wait 9.9", probe.MAX_WAIT), ("wait 4.5 ", 0.0), ("4.5", 0.0)):
            with self.subTest(content):
                self.assertEqual(probe.wait(content), seconds)

    def test_a_push_is_filled_to_the_byte_and_says_the_same(self) -> None:
        push = probe.push("hello", 1_714_036_504)
        for size in (len(push) + 100, 60_000):
            filled = probe.fill(push, size)
            self.assertEqual(len(filled), size)
            self.assertEqual(Message(parse(filled)).text, "hello")
        self.assertEqual(probe.fill(push, len(push)), push)


if __name__ == "__main__":
    unittest.main()
