from __future__ import annotations

import unittest

from tests.wire.vectors import SEALED, SIGNATURES
from weixin.wire import signature

TOKEN, TIMESTAMP, NONCE = "jR7pXw2Lq9", "1714036504", "1514711492"


class Signing(unittest.TestCase):
    def test_published_signatures_come_out_the_same(self) -> None:
        for token, timestamp, nonce, expected in SIGNATURES:
            with self.subTest(timestamp=timestamp):
                self.assertEqual(signature.sign(token, timestamp, nonce), expected)
                self.assertTrue(signature.matches(expected, token, timestamp, nonce))

    def test_published_signatures_of_ciphertexts_come_out_the_same(self) -> None:
        for vector in SEALED:
            with self.subTest(vector.name):
                signed = signature.sign(vector.token, vector.timestamp, vector.nonce, vector.encrypted)
                self.assertEqual(signed, vector.msg_signature)

    def test_values_are_sorted_as_strings_and_not_as_numbers(self) -> None:
        self.assertEqual(signature.sign("t", "9", "10"), signature.sign("", "109t"))

    def test_order_of_the_values_does_not_matter(self) -> None:
        self.assertEqual(signature.sign(TOKEN, TIMESTAMP, NONCE), signature.sign(NONCE, TOKEN, TIMESTAMP))

    def test_what_does_not_match(self) -> None:
        right = signature.sign(TOKEN, TIMESTAMP, NONCE)
        for wrong in ("", right.upper(), right[:-1], right + "0", f" {right}", right.replace(right[0], "x"), "签名",
                      "\udcff", "0" * 40):  # fmt: skip
            with self.subTest(wrong):
                self.assertFalse(signature.matches(wrong, TOKEN, TIMESTAMP, NONCE))

    def test_values_of_a_query_that_is_not_utf8_can_be_signed(self) -> None:
        hostile = "\udcff\udc80"
        self.assertTrue(signature.matches(signature.sign(TOKEN, hostile, NONCE), TOKEN, hostile, NONCE))


class NearMisses(unittest.TestCase):
    SLIPS = (
        ("trailing_space", TOKEN + " "),
        ("trailing_space", TOKEN + "\u3000"),
        ("leading_space", "\ufeff" + TOKEN),
        ("surrounding_space", f" {TOKEN} "),
        ("line_break", TOKEN + "\r\n"),
        ("quotes", f"“{TOKEN}”"),
        ("quotes", f'"{TOKEN}"'),
        ("case", TOKEN.lower()),
        ("case", TOKEN.swapcase()),
        ("full_width", "".join(chr(ord(c) + 0xFEE0) for c in TOKEN)),
        ("missing_character", TOKEN[:-1]),
        ("missing_character", TOKEN[1:]),
        ("no_token", ""),
        ("placeholder", "weixin"),
    )

    def test_each_slip_is_named(self) -> None:
        for kind, saved in self.SLIPS:
            with self.subTest(kind, saved=saved):
                received = signature.sign(saved, TIMESTAMP, NONCE)
                self.assertEqual(signature.near_miss(received, TOKEN, TIMESTAMP, NONCE), kind)

    def test_our_token_in_full_width_is_recognised(self) -> None:
        ours = "".join(chr(ord(c) + 0xFEE0) for c in TOKEN)
        received = signature.sign(TOKEN, TIMESTAMP, NONCE)
        self.assertEqual(signature.near_miss(received, ours, TIMESTAMP, NONCE), "full_width")

    def test_a_right_signature_and_a_strangers_are_no_near_miss(self) -> None:
        self.assertIsNone(signature.near_miss(signature.sign(TOKEN, TIMESTAMP, NONCE), TOKEN, TIMESTAMP, NONCE))
        self.assertIsNone(signature.near_miss("0" * 40, TOKEN, TIMESTAMP, NONCE))
        self.assertIsNone(signature.near_miss("", TOKEN, TIMESTAMP, NONCE))
