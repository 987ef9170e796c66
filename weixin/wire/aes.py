"""AES-256-CBC without padding, from the libcrypto that Python already loaded or in pure Python.

The standard library has no AES, but ``hashlib`` is linked against OpenSSL: the extension module's own handle finds
``EVP_aes_256_cbc`` with no search on disk and no program started. Where there is no such module or it is linked
against something else, a table-driven implementation of FIPS-197 takes over: hundreds of times slower, and right.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Union

BLOCK = 16
KEY = 32

# Tried in turn where hashlib's module has no file (a static Python). ctypes.util.find_library is no help: it starts
# ldconfig or a compiler, which a sandbox forbids.
SONAMES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib", "libcrypto.1.1.dylib")


class Libcrypto:
    """AES-256-CBC by OpenSSL's EVP interface (man EVP_EncryptInit)."""

    name = "libcrypto"

    def __init__(self, library: str) -> None:
        """Load *library*; raise OSError or AttributeError where it is missing or has no EVP."""
        # PyDLL keeps the interpreter's lock: a message takes under a microsecond of cipher, a hand-over costs more.
        evp = ctypes.PyDLL(library)
        pointer, number = ctypes.c_void_p, ctypes.c_int
        evp.EVP_aes_256_cbc.restype = pointer
        evp.EVP_CIPHER_CTX_new.restype = pointer
        evp.EVP_CIPHER_CTX_free.argtypes = [pointer]
        evp.EVP_CIPHER_CTX_free.restype = None
        evp.EVP_CIPHER_CTX_set_padding.argtypes = [pointer, number]
        evp.EVP_CipherInit_ex.argtypes = [pointer, pointer, pointer, ctypes.c_char_p, ctypes.c_char_p, number]
        evp.EVP_CipherUpdate.argtypes = [
            pointer, ctypes.c_char_p, ctypes.POINTER(number), ctypes.c_char_p, number,
        ]  # fmt: skip
        self._evp = evp
        self._cipher = evp.EVP_aes_256_cbc()
        if not self._cipher or self.encrypt(bytes(KEY), bytes(BLOCK), bytes(BLOCK)) != _ZERO_ANSWER:
            raise OSError(f"{library} does not do AES-256-CBC")

    def encrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """Encrypt whole blocks. Raise ValueError for a wrong length."""
        return self._run(1, key, iv, data)

    def decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """Decrypt whole blocks. Raise ValueError for a wrong length."""
        return self._run(0, key, iv, data)

    def _run(self, direction: int, key: bytes, iv: bytes, data: bytes) -> bytes:
        _check(key, iv, data)
        evp = self._evp
        context = evp.EVP_CIPHER_CTX_new()
        if not context:
            raise MemoryError("EVP_CIPHER_CTX_new")
        try:
            # Room for one block more than the data, as the man page asks of every EVP_CipherUpdate.
            out = ctypes.create_string_buffer(len(data) + BLOCK)
            written = ctypes.c_int()
            done = (
                evp.EVP_CipherInit_ex(context, self._cipher, None, key, iv, direction)
                and evp.EVP_CIPHER_CTX_set_padding(context, 0)
                and evp.EVP_CipherUpdate(context, out, ctypes.byref(written), data, len(data))
            )
            if not done or written.value != len(data):
                raise OSError("libcrypto refused AES-256-CBC")
            return out.raw[: len(data)]
        finally:
            evp.EVP_CIPHER_CTX_free(context)


class PurePython:
    """AES-256-CBC after FIPS-197, with the usual four tables a direction.

    Table look-ups take a time that depends on the key, which matters to somebody who shares the processor's cache; the
    scheme's fixed initial vector gives away more than that. Good for a machine without libcrypto, and nothing better.
    """

    name = "pure Python"

    def __init__(self) -> None:
        self._sbox, self._inverse = _boxes()
        self._forward = _tables([_column(s, (2, 1, 1, 3)) for s in self._sbox])
        self._backward = _tables([_column(s, (14, 9, 13, 11)) for s in self._inverse])

    def encrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """Encrypt whole blocks. Raise ValueError for a wrong length."""
        _check(key, iv, data)
        schedule = self._expand(key)
        words = struct.unpack(f">{len(data) // 4}I", data)
        chain: Sequence[int] = struct.unpack(">4I", iv)
        out: list[int] = []
        for at in range(0, len(words), 4):
            chain = self._block(
                [word ^ before for word, before in zip(words[at : at + 4], chain)],
                schedule, self._forward, self._sbox, 1,
            )  # fmt: skip
            out += chain
        return struct.pack(f">{len(out)}I", *out)

    def decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """Decrypt whole blocks. Raise ValueError for a wrong length."""
        _check(key, iv, data)
        schedule = self._expand_backward(key)
        words = struct.unpack(f">{len(data) // 4}I", data)
        chain: Sequence[int] = struct.unpack(">4I", iv)
        out: list[int] = []
        for at in range(0, len(words), 4):
            block = words[at : at + 4]
            plain = self._block(block, schedule, self._backward, self._inverse, 3)
            out += [word ^ before for word, before in zip(plain, chain)]
            chain = block
        return struct.pack(f">{len(out)}I", *out)

    def _expand(self, key: bytes) -> list[int]:
        """The key schedule of FIPS-197 section 5.2: 60 words for a key of 8."""
        words = list(struct.unpack(">8I", key))
        box, constant = self._sbox, 1
        for i in range(8, 60):
            word = words[i - 1]
            if i % 8 == 0:
                word = _substitute(box, ((word << 8) | (word >> 24)) & 0xFFFFFFFF) ^ (constant << 24)
                constant = _double(constant)
            elif i % 8 == 4:
                word = _substitute(box, word)
            words.append(words[i - 8] ^ word)
        return words

    def _expand_backward(self, key: bytes) -> list[int]:
        """The schedule of the equivalent inverse cipher (section 5.3.5): rounds reversed, inner ones unmixed."""
        words = self._expand(key)
        t0, t1, t2, t3 = self._backward
        box = self._sbox
        schedule: list[int] = []
        for at in range(56, -1, -4):
            for word in words[at : at + 4]:
                if 0 < at < 56:
                    word = (
                        t0[box[word >> 24]] ^ t1[box[word >> 16 & 255]] ^ t2[box[word >> 8 & 255]] ^ t3[box[word & 255]]
                    )
                schedule.append(word)
        return schedule

    @staticmethod
    def _block(
        words: Sequence[int], schedule: list[int], tables: list[list[int]], box: list[int], step: int
    ) -> Sequence[int]:
        """One block; *step* is how ShiftRows picks columns: 1 forward, 3 (that is, -1) backward."""
        t0, t1, t2, t3 = tables
        state = [word ^ round_key for word, round_key in zip(words, schedule)]
        for at in range(4, 56, 4):
            state = [
                t0[state[i] >> 24]
                ^ t1[state[(i + step) & 3] >> 16 & 255]
                ^ t2[state[(i + 2) & 3] >> 8 & 255]
                ^ t3[state[(i - step) & 3] & 255]
                ^ schedule[at + i]
                for i in (0, 1, 2, 3)
            ]
        return [
            (
                box[state[i] >> 24] << 24
                | box[state[(i + step) & 3] >> 16 & 255] << 16
                | box[state[(i + 2) & 3] >> 8 & 255] << 8
                | box[state[(i - step) & 3] & 255]
            )
            ^ schedule[56 + i]
            for i in (0, 1, 2, 3)
        ]


Aes = Union[Libcrypto, PurePython]

# AES-256 of one block of zeros under the zero key: a loaded library has to say the same before it is believed.
_ZERO_ANSWER = bytes.fromhex("dc95c078a2408989ad48a21492842087")


def find() -> Aes:
    """Return the best AES there is on this machine; ``.name`` says which."""
    return _libcrypto() or PurePython()


def _libcrypto() -> Libcrypto | None:
    candidates: list[str] = []
    try:
        import _hashlib

        candidates += [_hashlib.__file__]
    except (ImportError, AttributeError):  # built without OpenSSL, or built in and without a file
        pass
    for library in (*candidates, *SONAMES):
        try:
            return Libcrypto(library)
        except (OSError, AttributeError):
            continue
    return None


def _check(key: bytes, iv: bytes, data: bytes) -> None:
    if len(key) != KEY or len(iv) != BLOCK or len(data) % BLOCK:
        raise ValueError("AES-256-CBC takes a key of 32 bytes, a vector of 16, and whole blocks")


def _double(value: int) -> int:
    """Multiply by x in GF(2^8) (FIPS-197 section 4.2.1)."""
    return (value << 1) ^ (0x11B if value & 0x80 else 0)


def _multiply(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        a, b = _double(a), b >> 1
    return product


def _boxes() -> tuple[list[int], list[int]]:
    """The S-box of section 5.1.1 and its inverse, from their definition."""
    sbox = [0] * 256
    p = q = 1
    while True:  # p runs over all powers of 3, q over their inverses
        p ^= _double(p)
        for shift in (1, 2, 4):
            q ^= q << shift
        q &= 255
        if q & 0x80:
            q ^= 0x09
        value = q
        for turn in (1, 2, 3, 4):
            value ^= (q << turn | q >> (8 - turn)) & 255
        sbox[p] = value ^ 0x63
        if p == 1:
            break
    sbox[0] = 0x63
    inverse = [0] * 256
    for i, value in enumerate(sbox):
        inverse[value] = i
    return sbox, inverse


def _column(value: int, factors: Sequence[int]) -> int:
    a, b, c, d = (_multiply(value, factor) for factor in factors)
    return a << 24 | b << 16 | c << 8 | d


def _tables(first: list[int]) -> list[list[int]]:
    tables = [first]
    for _ in range(3):
        tables.append([(word >> 8) | (word << 24) & 0xFFFFFFFF for word in tables[-1]])
    return tables


def _substitute(box: list[int], word: int) -> int:
    return box[word >> 24] << 24 | box[word >> 16 & 255] << 16 | box[word >> 8 & 255] << 8 | box[word & 255]
