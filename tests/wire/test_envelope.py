from __future__ import annotations

import base64
import struct
import unittest
import xml.etree.ElementTree as ET

from tests import openssl
from tests.wire.vectors import PUSH, SAMPLE, SEALED, Sealed
from weixin.wire import aes
from weixin.wire.envelope import Envelope, Opened, decode_key
from weixin.wire.errors import EnvelopeRefused
from weixin.wire.signature import sign

AES = aes.find()
KEY = SAMPLE.key
OLD_KEY = bytes(range(32))
APPID = SAMPLE.appid
RANDOM = SAMPLE.random


def envelope(*keys: bytes, appid: str = APPID, token: str = SAMPLE.token) -> Envelope:
    return Envelope(token, appid, keys or (KEY,), AES)


def seal(plain: bytes, key: bytes = KEY) -> str:
    """Seal bytes as they are, sound or not."""
    return base64.b64encode(AES.encrypt(key, key[:16], plain)).decode()


def pad(plain: bytes, to: int = 32) -> bytes:
    count = to - len(plain) % to
    return plain + bytes([count]) * count


def inside(message: bytes, appid: str = APPID, length: int | None = None) -> bytes:
    return RANDOM + struct.pack(">I", len(message) if length is None else length) + message + appid.encode()


class Vectors(unittest.TestCase):
    def of(self, vector: Sealed) -> Envelope:
        return envelope(vector.key, appid=vector.appid, token=vector.token)

    def test_published_examples_open(self) -> None:
        for vector in SEALED:
            with self.subTest(vector.name):
                self.assertEqual(self.of(vector).open(vector.encrypted), Opened(vector.message, vector.key))

    def test_published_examples_seal_back_to_the_same_bytes(self) -> None:
        for vector in SEALED:
            with self.subTest(vector.name):
                self.assertEqual(self.of(vector).encrypt(vector.message, vector.random, vector.key), vector.encrypted)

    def test_both_implementations_of_aes_give_the_same_envelope(self) -> None:
        for vector in SEALED:
            pure = Envelope(vector.token, vector.appid, (vector.key,), aes.PurePython())
            with self.subTest(vector.name):
                self.assertEqual(pure.open(vector.encrypted).message, vector.message)
                self.assertEqual(pure.encrypt(vector.message, vector.random, vector.key), vector.encrypted)

    def test_a_reply_carries_the_published_signature(self) -> None:
        for vector in SEALED:
            reply = self.of(vector).seal(vector.message, vector.timestamp, vector.nonce, vector.random, vector.key)
            with self.subTest(vector.name):
                self.assertEqual(
                    {child.tag: child.text for child in ET.fromstring(reply)},
                    {"Encrypt": vector.encrypted, "MsgSignature": vector.msg_signature,
                     "TimeStamp": vector.timestamp, "Nonce": vector.nonce},
                )  # fmt: skip

    def test_a_reply_has_the_layout_of_the_official_page(self) -> None:
        reply = envelope().seal(b"<xml/>", "1713424427", "415670741", RANDOM, KEY)
        sealed = envelope().encrypt(b"<xml/>", RANDOM, KEY)
        signature = sign(SAMPLE.token, "1713424427", "415670741", sealed)
        self.assertEqual(
            reply.decode(),
            f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            "<TimeStamp>1713424427</TimeStamp><Nonce><![CDATA[415670741]]></Nonce></xml>",
        )


class Openssl(unittest.TestCase):
    def setUp(self) -> None:
        openssl.require()

    def test_replies_of_every_length_of_padding_open_with_openssl(self) -> None:
        for size in (*range(0, 33, 5), 31, 32, 33, 2047, 60_000):
            message = "界".encode() * (size // 3) + b"x" * (size % 3)
            with self.subTest(size=size):
                sealed = envelope().seal(message, "1713424427", "97", RANDOM, KEY)
                opened = openssl.open_reply(sealed, token=SAMPLE.token, appid=APPID, key=KEY, nonce="97")
                self.assertEqual(opened, message)

    def test_a_nonce_with_markup_in_it_stays_a_nonce(self) -> None:
        nonce = "]]></Nonce><Encrypt>"
        sealed = envelope().seal(b"<xml/>", "1713424427", nonce, RANDOM, KEY)
        self.assertEqual(openssl.open_reply(sealed, token=SAMPLE.token, appid=APPID, key=KEY, nonce=nonce), b"<xml/>")


class RoundTrips(unittest.TestCase):
    def test_every_length_of_padding_from_1_to_32_opens(self) -> None:
        for size in range(64):
            message = b"m" * size
            with self.subTest(size=size):
                self.assertEqual(envelope().open(envelope().encrypt(message, RANDOM, KEY)).message, message)

    def test_lengths_count_bytes_and_not_characters(self) -> None:
        message = "讲个故事 👋".encode()
        self.assertEqual(envelope().open(envelope().encrypt(message, RANDOM, KEY)).message, message)

    def test_an_account_without_appid_opens_envelopes_without_one(self) -> None:
        self.assertEqual(envelope(appid="").open(seal(pad(inside(b"hello", "")))).message, b"hello")

    def test_random_of_another_length_is_an_error_of_ours(self) -> None:
        with self.assertRaises(ValueError):
            envelope().encrypt(b"", b"short", KEY)


class Rotation(unittest.TestCase):
    def test_the_previous_key_still_opens_and_is_named(self) -> None:
        both = envelope(KEY, OLD_KEY)
        self.assertEqual(both.open(both.encrypt(b"new", RANDOM, KEY)), Opened(b"new", KEY))
        self.assertEqual(both.open(both.encrypt(b"old", RANDOM, OLD_KEY)), Opened(b"old", OLD_KEY))

    def test_a_third_key_does_not_open(self) -> None:
        with self.assertRaises(EnvelopeRefused):
            envelope(KEY, OLD_KEY).open(envelope().encrypt(b"", RANDOM, bytes(32)))

    def test_a_key_that_was_dropped_does_not_open(self) -> None:
        with self.assertRaises(EnvelopeRefused):
            envelope(KEY).open(envelope().encrypt(b"", RANDOM, OLD_KEY))


class Refusals(unittest.TestCase):
    # The last block of what is sealed, and which step of ours notices.
    BROKEN = (
        ("padding of 0", "padding", seal(inside(b"m" * 4, "x" * 7) + bytes(1))),
        ("padding of 33", "padding", seal(inside(b"m" * 2, "a") + bytes([33]) * 41)),
        ("padding of 255", "padding", seal(inside(b"m" * 2, "a") + bytes([255]) * 41)),
        ("padding that is not all the same", "padding", seal(pad(inside(b"m"))[:-2] + b"\x01\x0c")),
        ("padding with one byte wrong at its start", "padding", seal(inside(b"m" * 2) + b"\x17" + b"\x18" * 23)),
        ("nothing but padding", "length", seal(bytes([32]) * 32)),
        ("less than a header", "length", seal(bytes(19) + bytes([13]) * 13)),
        ("a length one too large", "length", seal(pad(inside(b"m", "", 2)))),
        ("a huge length", "length", seal(pad(inside(b"m", APPID, 0xFFFFFFFF)))),
        ("a length that eats the AppID", "appid", seal(pad(inside(b"m", APPID, 1 + len(APPID))))),
        ("a length too small", "appid", seal(pad(inside(b"message", APPID, 3)))),
        ("a negative length", "length", seal(pad(inside(b"m", APPID, 0x80000000)))),
        ("another AppID", "appid", seal(pad(inside(b"m", "wx0000000000000000")))),
        ("no AppID", "appid", seal(pad(inside(b"m", "")))),
        ("an AppID with something behind it", "appid", seal(pad(inside(b"m", APPID + "\0")))),
        ("an AppID in capitals", "appid", seal(pad(inside(b"m", APPID.upper())))),
        ("padded to 16 only", "length", seal(pad(inside(b"m" * 2), 16))),
        ("nothing", "base64", ""),
        ("no base64", "base64", "!" * 64),
        ("base64 with a line break", "base64", SAMPLE.encrypted[:64] + "\n" + SAMPLE.encrypted[64:]),
        ("base64 with a line break behind it", "base64", SAMPLE.encrypted + "\n"),
        ("base64 of the other alphabet", "base64", SAMPLE.encrypted.replace("+", "-").replace("/", "_")),
        ("base64 with three signs of equality", "base64", SAMPLE.encrypted[:-1] + "==="),
        ("base64 cut by one", "base64", SAMPLE.encrypted[:-1]),
        ("letters of another script", "base64", "四" * 64),
        ("digits of another script", "base64", "١" * 64),
        ("half a block", "length", base64.b64encode(bytes(48)).decode()),
        ("a byte too many", "length", base64.b64encode(bytes(33)).decode()),
    )

    def refusal(self, encrypted: str, given: Envelope | None = None) -> EnvelopeRefused:
        with self.assertRaises(EnvelopeRefused) as caught:
            (given or envelope()).open(encrypted)
        return caught.exception

    def test_each_fault_is_refused_at_its_step(self) -> None:
        for name, step, encrypted in self.BROKEN:
            with self.subTest(name):
                self.assertEqual(self.refusal(encrypted).step, step)

    def test_all_faults_look_the_same_from_outside(self) -> None:
        seen = {
            (refusal.status, refusal.code, refusal.reason, str(refusal))
            for refusal in (self.refusal(encrypted) for _, _, encrypted in self.BROKEN)
        }
        self.assertEqual(seen, {(403, "WX-AES-03", "the envelope does not open", "the envelope does not open")})

    def test_the_wrong_key_never_opens(self) -> None:
        for first in range(64):
            key = bytes([first]) + bytes(31)
            self.assertEqual(self.refusal(SAMPLE.encrypted, envelope(key)).status, 403)

    def test_another_accounts_push_does_not_open(self) -> None:
        ours = envelope(PUSH.key, appid=APPID, token=PUSH.token)
        self.assertEqual(self.refusal(PUSH.encrypted, ours).step, "appid")

    def test_a_ciphertext_changed_anywhere_at_all_never_opens_to_the_same_message(self) -> None:
        sealed = bytearray(base64.b64decode(SAMPLE.encrypted))
        for at in range(0, len(sealed), 7):
            changed = bytearray(sealed)
            changed[at] ^= 0x10
            with self.subTest(at=at):
                try:
                    opened = envelope().open(base64.b64encode(changed).decode())
                except EnvelopeRefused:
                    continue
                # CBC says nothing of a change in the random part or the text: msg_signature covers those.
                self.assertTrue(at < 16 or opened.message != SAMPLE.message)

    def test_every_cut_is_refused(self) -> None:
        for end in range(0, len(SAMPLE.encrypted), 4):
            with self.subTest(end=end):
                self.refusal(SAMPLE.encrypted[:end])


class Keys(unittest.TestCase):
    def test_a_key_is_the_base64_of_32_bytes(self) -> None:
        self.assertEqual(decode_key("A" * 43), bytes(32))
        self.assertEqual(decode_key(SAMPLE.aes_key), SAMPLE.key)

    def test_the_two_spare_bits_of_the_last_letter_are_ignored(self) -> None:
        canonical = base64.b64encode(KEY).decode().rstrip("=")
        self.assertNotEqual(canonical, SAMPLE.aes_key)
        for last in "EFGH":
            with self.subTest(last):
                self.assertEqual(decode_key(SAMPLE.aes_key[:-1] + last), KEY)

    def test_what_is_no_key(self) -> None:
        for text in ("", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 43 + "=", "A" * 43 + "\n", " " + "A" * 42,
                     "A" * 42 + "-", "A" * 42 + "Ａ", "٣" * 43):  # fmt: skip
            with self.subTest(text), self.assertRaises(ValueError) as caught:
                decode_key(text)
            if text:
                self.assertNotIn(text.strip(), str(caught.exception))
