"""Asking the rules about a message, whatever their functions do: there is always an outcome, and never an exception."""

from __future__ import annotations

import itertools
import logging
import threading
import traceback
from collections.abc import Iterator
from typing import NamedTuple

from weixin.wire.messages import Message
from weixin.wire.replies import Reply, ReplyError, Success, Text

from .call import Answer, Asking, Call, Context, Function
from .rules import Hit, Rule, Rules

log = logging.getLogger("wxserve.routing")

# Of an exception's text, in a line of the log; the traceback has all of it.
ERROR_SHOWN = 200


class BadReply(TypeError):
    """A handler returned what is no reply; ``got`` is its type."""

    def __init__(self, value: object, words: str) -> None:
        self.got = type(value).__name__
        super().__init__(f"returned {words.format(self.got)}")


class Outcome(NamedTuple):
    """What is to be answered, by which rule (None: nobody had an answer), and what was raised on the way."""

    reply: Reply
    rule: Rule | None = None
    error: BaseException | None = None


class Later(NamedTuple):
    """A slow rule's turn has come: the rule, and whom to ask elsewhere, it first."""

    rule: Rule
    hits: Iterator[Hit]


ASK_ALL = Asking()


def answer(
    rules: Rules, message: Message, now: float, context: Context, delivery: str = "", asking: Asking = ASK_ALL
) -> Outcome | Later:
    """Ask the rules for *message*, first to last, until one answers; *delivery* is its name in the log.

    Raises nothing but KeyboardInterrupt, and that in the main thread only.
    """
    hit: Hit | None = None
    hits = rules.candidates(message, now) if asking.hits is None else asking.hits
    slow = asking.slow
    call = Call(message, now, context, asking)
    reply: Reply | None = None
    try:
        for hit in hits:
            if slow is not None and slow(hit.rule):
                asking.close(True)
                return Later(hit.rule, itertools.chain((hit,), hits))
            call.match = hit.match
            reply = _reply(hit.rule.answer(call), context)
            if reply is not None:
                break
            asking.passed(hit.rule)
        asking.close(True)
    # A handler may raise anything, SystemExit too, and the user is to be answered all the same.
    except BaseException as error:
        asking.close(False)
        _unless_interrupted(error)
        rule = hit.rule if hit is not None else None
        report(error, message, delivery, rule)
        call.error = error
        return Outcome(_apology(rules, call, asking, context, delivery), rule, error)
    if reply is None or hit is None:
        return Outcome(Success())
    return Outcome(reply, hit.rule)


def apologize(
    rules: Rules, message: Message, now: float, context: Context, error: BaseException, asking: Asking
) -> Outcome:
    """What ``on.error`` has to say to *error*, which no handler of this message raised."""
    call = Call(message, now, context, asking, error=error)
    return Outcome(_apology(rules, call, asking, context, ""), None, error)


def _apology(rules: Rules, call: Call, asking: Asking, context: Context, delivery: str) -> Reply:
    """Ask the functions of ``on.error``; one that fails itself is reported, and nothing is said."""
    function: Function | None = None
    reply: Reply | None = None
    try:
        for function in rules.errors:
            reply = _reply(function(call), context)
            if reply is not None:
                break
        asking.close(True)
    except BaseException as error:
        asking.close(False)
        _unless_interrupted(error)
        report(error, call.msg, delivery, None, function)
        return Success()
    return reply or Success()


def _reply(value: object, context: Context) -> Reply | None:
    """Make a reply of what a handler returned; None means that the next is asked."""
    if value is None or isinstance(value, Reply):
        return value
    if isinstance(value, str):
        try:
            return Text(value)
        except ReplyError:  # there is nothing to be seen in it
            return Success()
    import inspect  # for what is to be awaited, when asyncio needs it as well, and for mistakes

    if inspect.isawaitable(value):
        return _reply(context.loop.run(value), context)
    if isinstance(value, (list, tuple, set)) or inspect.isgenerator(value) or inspect.isasyncgen(value):
        raise BadReply(value, "several ({}); WeChat takes one reply")
    raise BadReply(value, "{}; a reply is a str, a reply object or None")


def _unless_interrupted(error: BaseException) -> None:
    """Ctrl-C is for the program, not for the handler it happened to hit."""
    if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
        raise error


def report(
    error: BaseException, message: Message, delivery: str, rule: Rule | None, asked: Answer | None = None
) -> None:
    """Write one line about what *rule* raised, or what was *asked* without one, with the traceback behind it."""
    if asked is None and rule is not None:
        asked = rule.answer
    at = _at(asked, error) or (rule.at if rule is not None else "")
    fields = {"d": delivery, "at": at, "error": said(error)[:ERROR_SHOWN], "user": message.user}
    if isinstance(error, BadReply):  # it was raised here: a traceback would show nothing of theirs
        log.error("handler", extra={"code": "WX-HND-04", "fields": {**fields, "got": error.got}})
    else:
        log.error("handler", exc_info=error, extra={"code": "WX-HND-05", "fields": fields})


def said(error: BaseException) -> str:
    """Return ``ValueError: no such city``."""
    words = ""
    try:
        words = error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:  # its __str__ is a handler's as well
        pass
    return f"{type(error).__name__}: {words}".rstrip(": ")


def _at(asked: Answer | None, error: BaseException) -> str:
    """Where a function failed: the innermost line in its own file, else its first."""
    if not isinstance(asked, Function):
        return ""
    import inspect  # for failures: everybody else starts sooner

    code = getattr(inspect.unwrap(asked.function), "__code__", None)
    if code is None:
        return ""
    line = code.co_firstlineno
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == code.co_filename:
            line = number
    return f"{asked.file}:{line}"
