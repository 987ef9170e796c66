"""``doctor``: why WeChat cannot reach us, or is not answered. One check a function, each with the codes it can find.

Checks look and change nothing. Those on the way from the name to the answer are a ladder: what is above a broken step
is not asked, because everything there would fail for the same reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Callable, NamedTuple

from ..problem import Problem
from . import answers, host, offline, reach, records, strain
from .visit import Visit


class Check(NamedTuple):
    """One question: the group that it is reported under, what it may find, and the function that looks."""

    group: str
    codes: tuple[str, ...]
    look: Callable[[Visit], Iterator[Problem]]
    #: A step of the ladder: asked only while every step below it holds.
    step: bool = False


class Finding(NamedTuple):
    """What a group of checks came to: problems; or none; or not asked, and why."""

    group: str
    problems: list[Problem]
    #: «needs-url», «after-problem», «unseen», … or nothing
    skipped: str = ""


CHECKS = (
    Check("config", offline.CONFIG_CODES, offline.configuration),
    Check("aes", ("WX-AES-01",), offline.encryption),
    Check("request", offline.REQUEST_CODES, offline.request),
    Check("unit", ("WX-OPS-01",), host.unit),
    Check("disk", ("WX-OPS-02",), host.disk),
    Check("wechat", ("WX-OPS-02",), records.readable),
    Check("wechat", ("WX-SIG-02", "WX-SIG-04", *records.GENUINE), records.refused),
    Check("wechat", ("WX-OPS-03",), records.failures),
    Check("wechat", ("WX-TIM-01",), records.slow),
    Check("wechat", ("WX-TIM-02",), records.lag),
    Check("wechat", ("WX-DUP-01",), records.again),
    Check("wechat", records.REPLY_CODES, records.replies),
    Check("url", ("WX-NET-03",), reach.port, step=True),
    Check("url", ("WX-NET-04",), reach.bare_address),
    Check("dns", ("WX-NET-01",), reach.name, step=True),
    Check("dns", ("WX-NET-02",), reach.family, step=True),
    Check("tcp", ("WX-NET-05",), reach.connection, step=True),
    Check("tls", ("WX-NET-06",), reach.certificate, step=True),
    Check("tls", ("WX-NET-06",), reach.renewal),
    Check("http", ("WX-NET-07",), answers.redirect, step=True),
    Check("http", ("WX-NET-09",), answers.block_page, step=True),
    Check("http", ("WX-NET-10", "WX-SIG-01"), answers.refusal, step=True),
    Check("http", ("WX-NET-08",), answers.status, step=True),
    Check("http", ("WX-SIG-05",), answers.echo, step=True),
    Check("http", ("WX-NET-12",), answers.instance, step=True),
    Check("http", ("WX-SIG-03",), answers.forgery, step=True),
    Check("http", ("WX-SIG-04",), answers.clock),
    Check("http", ("WX-OPS-04",), answers.admin),
    Check("push", ("WX-NET-11",), strain.size, step=True),
    Check("push", ("WX-NET-13",), strain.idle, step=True),
    Check("push", ("WX-NET-14",), strain.patience, step=True),
    Check("speed", ("WX-TIM-03",), strain.crowd, step=True),
)

GROUPS = tuple(dict.fromkeys(check.group for check in CHECKS))
# What a group with nothing to look at says.
_NOTHING = {"wechat": "unseen", "request": "needs-request", "unit": "no-unit"}
#: Those that nobody needs to hear who has not asked for the group.
IDLE = ("needs-request", "no-unit", "nothing")
# Groups that ask the URL.
OUTSIDE = ("url", "dns", "tcp", "tls", "http", "push", "speed")


def examine(visit: Visit, wanted: Collection[str] = ()) -> Iterator[Finding]:
    """Look at everything, or at the groups and codes in *wanted*; yield a Finding for each group as soon as it is done.

    Steps below a wanted one are taken too, unseen unless they break: without them it would be a guess.
    """
    named = [group for group in GROUPS if not wanted or group in wanted or _codes(group) & set(wanted)]
    broken = False
    for group in GROUPS[: GROUPS.index(named[-1]) + 1] if named else ():
        outside = group in OUTSIDE
        reason = ""
        if outside and (visit.url is None or visit.settings is None):
            reason = "needs-url" if visit.url is None else "needs-config"
        elif outside and broken:
            reason = "after-problem"
        problems, broke = ([], False) if reason else _look(group, visit, everything=group in named)
        broken = broken or broke
        if problems or group in named:
            if not (reason or problems or group in visit.notes):
                reason = _unasked(group, visit)
            yield Finding(group, problems, reason)


def _unasked(group: str, visit: Visit) -> str:
    if visit.settings is None and (group == "wechat" or (group == "request" and visit.request)):
        return "needs-config"
    return _NOTHING.get(group, "nothing")


def _look(group: str, visit: Visit, everything: bool) -> tuple[list[Problem], bool]:
    """The problems of a group, and whether one of them is a broken step of the ladder."""
    problems: list[Problem] = []
    for check in CHECKS:
        if check.group == group and (everything or check.step):
            found = list(check.look(visit))
            problems += found
            if found and check.step:
                return problems, True
    return problems, False


def _codes(group: str) -> set[str]:
    return {code for check in CHECKS if check.group == group for code in check.codes}
