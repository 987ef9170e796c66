"""The signature of WeChat's requests: SHA-1 over the sorted strings (official page 消息与事件推送).

The GET check and every push are signed over token, timestamp and nonce. In compatible and safe mode ``msg_signature``
covers the ciphertext as well; ``signature`` never covers a body.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from hashlib import sha1
from hmac import compare_digest

# The texts of hints in consoles and tutorials, which people copy in place of a token of their own.
PLACEHOLDERS = ("token", "TOKEN", "Token", "weixin", "wechat", "your_token", "yourtoken", "your token", "你的token")


def sign(token: str, *parts: str) -> str:
    """Return the lower-case hex SHA-1 of *token* and *parts*, sorted as strings and joined with nothing between.

    Python sorts by code point, which for UTF-8 is the byte order that the platform uses.
    """
    joined = "".join(sorted((token, *parts)))
    return sha1(joined.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def matches(signature: str, token: str, *parts: str) -> bool:
    """Whether *signature* is the one of *token* and *parts*, compared in constant time."""
    # compare_digest takes texts of ASCII alone, and no signature is anything else.
    return signature.isascii() and compare_digest(sign(token, *parts), signature)


def near_miss(signature: str, token: str, *parts: str) -> str | None:
    """Name the slip that explains a wrong *signature*, or return None.

    Somebody pasted the token with a blank behind it, in quotes, in other letters: the platform then signs with what was
    saved there, and trying the usual slips tells which one it was. Costs a few dozen hashes, so callers ask rarely.
    """
    for kind, candidate in _slips(token):
        if candidate != token and matches(signature, candidate, *parts):
            return kind
    return None


def _slips(token: str) -> Iterator[tuple[str, str]]:
    yield from (("trailing_space", token + blank) for blank in (" ", "\t", "\u00a0", "\u3000"))
    yield from (("leading_space", blank + token) for blank in (" ", "\t", "\u00a0", "\u3000", "\ufeff"))
    yield "surrounding_space", f" {token} "
    yield from (("line_break", token + end) for end in ("\r", "\n", "\r\n"))
    yield from (("quotes", left + token + right) for left, right in ('""', "''", "“”", "‘’", "``", "「」", "<>"))
    yield from (("case", changed) for changed in (token.lower(), token.upper(), token.swapcase(), token.capitalize()))
    yield "full_width", "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in token)
    yield "full_width", unicodedata.normalize("NFKC", token)
    yield "missing_character", token[:-1]
    yield "missing_character", token[1:]
    yield "no_token", ""
    yield from (("placeholder", word) for word in PLACEHOLDERS)
