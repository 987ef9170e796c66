"""Why a request is refused: the HTTP status it deserves, a code that people can look up, and facts for the log."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A request that no handler will see.

    ``status`` is the HTTP status of the bare answer. ``code`` is looked up in the catalogue of texts. ``fields`` go to
    the log beside it; they never hold a secret or a signature.
    """

    status = 400

    def __init__(self, code: str, reason: str, **fields: Any) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.fields = fields


class SignatureRefused(Refused):
    """The signature is missing or wrong, or the request is too old or too new."""

    status = 403


class ModeRefused(Refused):
    """The push is sealed and should not be, or the other way round: the mode is configured, never negotiated."""

    status = 403

    def __init__(self, mode: str) -> None:
        super().__init__("WX-AES-02", "the push is not sealed as configured", mode=mode)


class EnvelopeRefused(Refused):
    """Safe mode: the envelope does not open.

    Every failure looks the same from outside (one status, one code, one sentence), so that nobody can use the server
    to find out how far a forged envelope came. ``step`` is for our own log and for tests.
    """

    status = 403

    def __init__(self, step: str) -> None:
        super().__init__("WX-AES-03", "the envelope does not open", step=step)
        self.step = step


class MessageRefused(Refused):
    """The body is not a message: not XML, unsafe XML, or without the elements that every message has."""

    status = 400
