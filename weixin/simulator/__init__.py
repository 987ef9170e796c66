"""WeChat's side of the wire, for tests, ``send``, and whatever else wants to talk to a server without WeChat.

A ``Platform`` plays WeChat for one ``Account``: it makes a ``Push`` of any kind, signs and seals it the way WeChat
does, delivers it to a WSGI callable (``InProcess``) or an address (``Http``), up to three times, hanging up after five
seconds, and says in ``Delivery.seen`` what the user would see. It reads answers as strictly as WeChat does.

    platform = Platform(Account(token="…"))
    delivery = platform.deliver(platform.push("text", "你好"), InProcess(application))
    delivery.seen.text

``samples`` says what pushes look like, ``pushes`` makes them, ``requests`` signs and seals, ``transports`` carries,
``judge`` reads the answer, ``platform`` puts these together. Of the program it knows ``wire`` and nothing else.
"""

from __future__ import annotations

from .judge import FAULT_NOTICE, Seen
from .platform import ATTEMPTS, Attempt, Delivery, Platform
from .pushes import BadWord, Push, UnknownKind, canonical, kinds, make, renewed
from .requests import FAULTS, Account, Fault, Request
from .transports import Answer, Http, InProcess, Transport

__all__ = [
    "ATTEMPTS",
    "FAULTS",
    "FAULT_NOTICE",
    "Account",
    "Answer",
    "Attempt",
    "BadWord",
    "Delivery",
    "Fault",
    "Http",
    "InProcess",
    "Platform",
    "Push",
    "Request",
    "Seen",
    "Transport",
    "UnknownKind",
    "canonical",
    "kinds",
    "make",
    "renewed",
]
