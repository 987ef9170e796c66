"""One question to one answer: what a function may ask for, by the names of its arguments.

``ARGUMENTS`` is the whole list. A function is looked at once, when it is loaded; calling it is a dictionary and a call.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .errors import Misuse, hint
from .loop import Loop

if TYPE_CHECKING:
    from weixin.wire.messages import Message

    from .rules import Hit, Rule

ARGUMENTS = ("msg", "match", "state", "user", "deadline", "log", "config")
#: A function of ``on.error`` may ask for the exception too.
ERROR_ARGUMENTS = (*ARGUMENTS, "error")

# What most handlers ask for.
_MESSAGE_ALONE = ("msg",)

HANDLER_LOG = logging.getLogger("wxserve.handlers")


class Context:
    """What all messages of a process share: what handlers are given, and the loop of the asynchronous ones."""

    def __init__(
        self, config: object = None, handler_log: logging.Logger | logging.LoggerAdapter[Any] = HANDLER_LOG
    ) -> None:
        """*config*: whatever the application gives its handlers, ``config.secret("name")`` first of all."""
        self.config = config
        self.log = handler_log
        self.loop = Loop()

    def close(self) -> None:
        self.loop.close()


class Asking:
    """How the rules are asked about a message. As it stands here: everybody, with nothing remembered and no hurry."""

    __slots__ = ()

    @property
    def hits(self) -> Iterator[Hit] | None:
        """Whom to ask; None: whoever is for the message."""
        return None

    @property
    def slow(self) -> Callable[[Rule], bool] | None:
        """Which rules are not asked here, because they are slow: where one's turn comes, the asking ends."""
        return None

    def state(self) -> object:
        """What is remembered of the user; without a store, a dictionary for this once."""
        return {}

    def deadline(self) -> object:
        """How long the answer may take."""
        return None

    def close(self, keep: bool) -> None:
        """Nobody is asked any more: *keep* what changed in the state, or do not."""


class Call:
    """The values behind ``ARGUMENTS``, and the clock."""

    __slots__ = ("_asking", "_context", "error", "match", "msg", "now")

    def __init__(
        self,
        msg: Message,
        now: float,
        context: Context,
        asking: Asking,
        match: re.Match[str] | None = None,
        error: BaseException | None = None,
    ) -> None:
        self.msg = msg
        #: Seconds since 1970.
        self.now = now
        self._context = context
        self._asking = asking
        #: What a regular expression matched; of a prefix rule, a match with the groups ``word`` and ``rest``.
        self.match = match
        self.error = error

    @property
    def user(self) -> str:
        """The sender's openid."""
        return self.msg.user

    @property
    def log(self) -> logging.Logger | logging.LoggerAdapter[Any]:
        return self._context.log

    @property
    def config(self) -> object:
        return self._context.config

    @property
    def state(self) -> object:
        return self._asking.state()

    @property
    def deadline(self) -> object:
        return self._asking.deadline()


class Answer(Protocol):
    """What a rule has to say: a Reply, a str, None for "ask the next rule", or something to await for one of these."""

    def __call__(self, call: Call, /) -> object: ...


class Function(NamedTuple):
    """A handler's function, the arguments it takes, and the file it stands in."""

    function: Callable[..., object]
    names: tuple[str, ...]
    file: str = ""

    def __call__(self, call: Call, /) -> object:
        if self.names == _MESSAGE_ALONE:
            return self.function(msg=call.msg)
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
