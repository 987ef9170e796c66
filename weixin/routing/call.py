"""One question to one answer: what a function may ask for, by the names of its arguments.

``ARGUMENTS`` is the whole list. A function is looked at once, when it is loaded; calling it is a dictionary and a call.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .errors import Misuse, hint
from .loop import RUN_MAX, Loop

if TYPE_CHECKING:
    from weixin.wire.messages import Message

    from .rules import Hit, Rule

ARGUMENTS = ("msg", "match", "state", "user", "deadline", "log", "config")
#: A function of ``on.error`` may ask for the exception too.
ERROR_ARGUMENTS = (*ARGUMENTS, "error")

# What most handlers ask for.
_MESSAGE_ALONE = ("msg",)
# How an argument may be given: by its place alone, by its name, or as any other name.
_BY_PLACE, _BY_NAME, _BY_ANY_NAME = range(3)
# https://docs.python.org/3/library/inspect.html#inspect-module-co-flags
_CO_VARARGS, _CO_VARKEYWORDS = 4, 8

HANDLER_LOG = logging.getLogger("wxserve.handlers")


class Context:
    """What all messages of a process share: what handlers are given, and the loop of the asynchronous ones."""

    def __init__(
        self,
        config: object = None,
        handler_log: logging.Logger | logging.LoggerAdapter[Any] = HANDLER_LOG,
        *,
        run_max: float = RUN_MAX,
    ) -> None:
        """*config*: whatever the application gives its handlers, ``config.secret("name")`` first of all.

        *run_max*: seconds after which an asynchronous one is cancelled.
        """
        self.config = config
        self.log = handler_log
        self.loop = Loop(run_max)

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

    def passed(self, rule: Rule) -> None:
        """*rule* had nothing to say; it is the next one's turn."""

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
    for name, way, needed in _parameters(target):
        if way == _BY_ANY_NAME:
            names += [known for known in allowed if known not in names]
        elif way == _BY_PLACE:
            raise _misuse(name, allowed)
        elif name in allowed:
            if name not in names:
                names.append(name)
        elif needed:
            raise _misuse(name, allowed)
    return Function(target, tuple(names))


def _parameters(target: Callable[..., object]) -> Iterator[tuple[str, int, bool]]:
    """Each argument of *target*, in order: its name, how it may be given, and whether it must be."""
    if type(target) is not FunctionType or vars(target).keys() & {"__wrapped__", "__signature__"}:
        yield from _parameters_of_any(target)
        return
    code, defaults = target.__code__, target.__kwdefaults__ or {}
    many = code.co_argcount
    optional = many - len(target.__defaults__ or ())
    names = code.co_varnames
    by_name = many + code.co_kwonlyargcount
    rest = iter(names[by_name:])
    for at, name in enumerate(names[:many]):
        yield name, _BY_PLACE if at < code.co_posonlyargcount else _BY_NAME, at < optional
    if code.co_flags & _CO_VARARGS:
        yield next(rest), _BY_PLACE, False
    for name in names[many:by_name]:
        yield name, _BY_NAME, name not in defaults
    if code.co_flags & _CO_VARKEYWORDS:
        yield next(rest), _BY_ANY_NAME, False


def _parameters_of_any(target: Callable[..., object]) -> Iterator[tuple[str, int, bool]]:
    """The same of a function that stands for another, and of whatever else can be called."""
    import inspect  # for these alone: it costs every start as much as all of our routing

    for parameter in inspect.signature(target).parameters.values():
        way = _BY_NAME
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            way = _BY_PLACE
        elif parameter.kind is parameter.VAR_KEYWORD:
            way = _BY_ANY_NAME
        rest = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        yield parameter.name, way, parameter.default is parameter.empty and not rest


def _misuse(name: str, allowed: tuple[str, ...]) -> Misuse:
    words = f"no argument is called {name}; there are {', '.join(allowed)}"
    return Misuse("argument", words, name=name, allowed=" ".join(allowed), hint=hint(name, allowed))
