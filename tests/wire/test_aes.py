from __future__ import annotations

import random
import subprocess
import sys
import unittest
from pathlib import Path

from weixin.wire import aes

ROOT = Path(__file__).resolve().parents[2]

# key, vector, plaintext, ciphertext
VECTORS = (
    (
        "FIPS-197 appendix C.3",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "00000000000000000000000000000000",
        "00112233445566778899aabbccddeeff",
        "8ea2b7ca516745bfeafc49904b496089",
    ),
    (
        "SP 800-38A F.2.5 and F.2.6",
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "000102030405060708090a0b0c0d0e0f",
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
        "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
    ),
)


def libcrypto() -> aes.Libcrypto:
    found = aes.find()
    if not isinstance(found, aes.Libcrypto):
        raise unittest.SkipTest("this Python has no libcrypto")
    return found


class Vectors(unittest.TestCase):
    def check(self, cipher: aes.Aes) -> None:
        for name, *values in VECTORS:
            key, iv, plain, sealed = (bytes.fromhex(value) for value in values)
            with self.subTest(name):
                self.assertEqual(cipher.encrypt(key, iv, plain), sealed)
                self.assertEqual(cipher.decrypt(key, iv, sealed), plain)

    def test_pure_python_passes_the_standards_vectors(self) -> None:
        self.check(aes.PurePython())

    def test_libcrypto_passes_the_standards_vectors(self) -> None:
        self.check(libcrypto())


class BothImplementations(unittest.TestCase):
    def test_they_agree_on_random_data(self) -> None:
        pure, native = aes.PurePython(), libcrypto()
        source = random.Random(197)
        for blocks in (*range(20), 64):
            key, iv = source.randbytes(32), source.randbytes(16)
            data = source.randbytes(16 * blocks)
            with self.subTest(blocks=blocks):
                sealed = native.encrypt(key, iv, data)
                self.assertEqual(pure.encrypt(key, iv, data), sealed)
                self.assertEqual(pure.decrypt(key, iv, sealed), data)
                self.assertEqual(native.decrypt(key, iv, sealed), data)

    def test_they_refuse_what_is_no_key_no_vector_and_no_whole_block(self) -> None:
        for cipher in (aes.PurePython(), libcrypto()):
            for key, iv, data in ((16, 16, 16), (33, 16, 16), (32, 15, 16), (32, 32, 16), (32, 16, 15), (32, 16, 17)):
                for work in (cipher.encrypt, cipher.decrypt):
                    with self.subTest(cipher.name, key=key, iv=iv, data=data), self.assertRaises(ValueError):
                        work(bytes(key), bytes(iv), bytes(data))

    def test_no_data_is_no_data(self) -> None:
        for cipher in (aes.PurePython(), libcrypto()):
            self.assertEqual(cipher.encrypt(bytes(32), bytes(16), b""), b"")


class Finding(unittest.TestCase):
    def found(self, *before: str) -> str:
        """What a fresh, isolated interpreter finds, with *before* run first."""
        start = ("import sys", f"sys.path.insert(0, {str(ROOT)!r})")
        program = (*start, *before, "from weixin.wire import aes", "print(aes.find().name)")
        command = [sys.executable, "-I", "-B", "-c", "\n".join(program)]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.stderr.decode(), "")
        return done.stdout.decode().strip()

    def test_an_isolated_python_finds_the_one_hashlib_uses(self) -> None:
        libcrypto()
        self.assertEqual(self.found(), "libcrypto")

    def test_finding_starts_no_program(self) -> None:
        libcrypto()
        starts = ("subprocess.Popen", "os.system", "os.posix_spawn", "os.exec", "os.fork")
        guard = f"sys.addaudithook(lambda event, _: sys.exit(event) if event in {starts!r} else None)"
        self.assertEqual(self.found(guard), "libcrypto")

    def test_without_hashlibs_module_the_sonames_are_tried(self) -> None:
        loaded = []
        for name in aes.SONAMES:
            try:
                loaded.append(aes.Libcrypto(name))
            except (OSError, AttributeError):
                continue
        expected = "libcrypto" if loaded else "pure Python"
        self.assertEqual(self.found("sys.modules['_hashlib'] = None"), expected)

    def test_a_hashlib_that_is_built_in_has_no_file_and_does_no_harm(self) -> None:
        built_in = "import types; sys.modules['_hashlib'] = types.ModuleType('_hashlib')"
        self.assertIn(self.found(built_in), ("libcrypto", "pure Python"))

    def test_with_no_libcrypto_anywhere_pure_python_takes_over(self) -> None:
        nowhere = "sys.modules['_hashlib'] = None; import weixin.wire.aes; weixin.wire.aes.SONAMES = ('nowhere.so',)"
        self.assertEqual(self.found(nowhere), "pure Python")

    def test_a_library_that_is_no_libcrypto_is_not_believed(self) -> None:
        for library in ("libc.so.6", "nowhere.so"):
            with self.subTest(library), self.assertRaises((OSError, AttributeError)):
                aes.Libcrypto(library)
