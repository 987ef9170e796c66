#!/usr/bin/env python3
"""wxserve: the server behind a WeChat Official Account, in nothing but Python's standard library.

    python3 wxserve.py              serve; without a configuration, a demo on this machine
    python3 wxserve.py -h           the commands

This file is the command, the WSGI callable ``application`` for any other server, and the names that handlers import.
It keeps no state: run as a script it is ``__main__``, and a handler's ``from wxserve import on`` is a second copy.
"""

import gc
import os
import sys

if sys.version_info < (3, 9):  # noqa: UP036 - said here because nothing below can be read by an older Python
    sys.exit("wxserve needs Python 3.9 or newer / wxserve 需要 Python 3.9 或更新版本")

# `python3 -I` leaves this folder out. Its real name: a link that an upgrade changes must not mix two releases.
if os.path.dirname(os.path.realpath(__file__)) not in sys.path:
    sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

if __name__ == "__main__":
    # What is imported stays: the collector, which commands/ switches on again, need not look through it.
    gc.disable()
    # Ctrl-C while all this is being read: nothing is begun, and nobody wants a traceback.
    try:
        import signal

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt:
        sys.exit(130)

from weixin.lazy import Lazy
from weixin.routing.marks import on
from weixin.wire.messages import Message
from weixin.wire.replies import (
    AIHandover,
    Article,
    Handover,
    Image,
    Music,
    News,
    Reply,
    Success,
    Text,
    Video,
    Voice,
)

__all__ = [
    "AIHandover",
    "Article",
    "Handover",
    "Image",
    "Message",
    "Music",
    "News",
    "Reply",
    "Success",
    "Text",
    "Video",
    "Voice",
    "application",
    "on",
]

application = Lazy()


def main() -> int:
    from weixin.commands import main as command

    return command()


if __name__ == "__main__":
    sys.exit(main())
