"""One question to one answer: what a function may ask for, by the names of its arguments.

``ARGUMENTS`` is the whole list. A function is looked at once, when it is loaded; calling it is a dictionary and a call.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .errors import Misuse, hint

if TYPE_CHECKING:
    from weixin.wire.messages import Message

ARGUMENTS = ("msg", "match", "state", "user", "deadline", "log", "config")
#: A function of ``on.error`` may ask for the exception too.
ERROR_ARGUMENTS = (*ARGUMENTS, "error")

HANDLER_LOG = logging.getLogger("wxserve.handlers")


class Call(NamedTuple):
    """The values behind ``ARGUMENTS``, and the clock."""

    #: The message, and its sender's openid.
    msg: Message
    user: str
    #: What a regular expression matched; of a prefix rule, a match with the groups ``word`` and ``rest``.
    match: re.Match[str] | None
    #: Seconds since 1970.
    now: float
    log: logging.Logger | logging.LoggerAdapter[Any] = HANDLER_LOG
    #: Whatever the application gives its handlers, ``config.secret("name")`` first of all.
    config: object = None
    #: Opens the user's state, for who asks for it; and how long the answer may take.
    opens: Callable[[], object] | None = None
    deadline: object = None
    error: BaseException | None = None

    @property
    def state(self) -> object:
        """What is remembered of the user; without a store, a dictionary for this once."""
        return {} if self.opens is None else self.opens()


class Answer(Protocol):
    """What a rule has to say: a Reply, a str, None for "ask the next rule", or something to await for one of these."""

    def __call__(self, call: Call, /) -> object: ...


class Function(NamedTuple):
    """A handler's function, the arguments it takes, and the file it stands in."""

    function: Callable[..., object]
    names: tuple[str, ...]
    file: str = ""

    def __call__(self, call: Call, /) -> object:
        return self.function(**{name: getattr(call, name) for name in self.names})


def function(target: Callable[..., object], allowed: tuple[str, ...] = ARGUMENTS) -> Function:
    """Wrap *target*; raise Misuse (``argument``) where it asks for what there is not."""
    names: list[str] = []
    for parameter in inspect.signature(target).parameters.values():
        name = parameter.name
        if parameter.kind is parameter.VAR_KEYWORD:
            names += [known for known in allowed if known not in names]
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise _misuse(name, allowed)
        elif name in allowed:
            if name not in names:
                names.append(name)
        elif parameter.default is parameter.empty:
            raise _misuse(name, allowed)
    return Function(target, tuple(names))


def _misuse(name: str, allowed: tuple[str, ...]) -> Misuse:
    words = f"no argument is called {name}; there are {', '.join(allowed)}"
    return Misuse("argument", words, name=name, allowed=" ".join(allowed), hint=hint(name, allowed))
