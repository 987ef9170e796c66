"""``doctor``: why WeChat cannot reach us, or is not answered. It changes nothing and prints no secret."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Any

from .. import config, doctor, texts
from ..doctor import Finding
from ..doctor.visit import Visit, parse_address, parse_url
from ..problem import Problem
from ..texts.codes import CODES
from . import FAILED, FINE, USAGE
from .check import examine
from .explain import BLANK, plain
from .terminal import pad, shorten
from .watching import watch

if TYPE_CHECKING:
    from . import Call

# A request that somebody saved is a push: small.
MAX_REQUEST = 1 << 20
WORD = re.compile(r"\w")


def configure(parser: argparse.ArgumentParser, lang: str) -> None:
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=texts.say("doctor.help.checks", lang))
    parser.add_argument("--url", help=texts.say("doctor.help.url", lang))
    parser.add_argument("--via", metavar="HOST:PORT", help=texts.say("doctor.help.via", lang))
    parser.add_argument("--request", metavar="TEXT|FILE", help=texts.say("doctor.help.request", lang))
    parser.add_argument("--watch", action="store_true", help=texts.say("doctor.help.watch", lang))
    parser.add_argument("--list-checks", action="store_true", help=texts.say("doctor.help.list", lang))


def run(call: Call) -> int:
    options = call.options
    if options.list_checks:
        _list(call)
        return FINE
    if options.watch:
        return watch(call, call.settings())
    known = {*doctor.GROUPS, *(code for check in doctor.CHECKS for code in check.codes)}
    wanted = [name.upper() if name.upper() in known else name for name in options.checks]
    for name in wanted:
        if name not in known:
            call.terminal.error(texts.say("doctor.unknown", call.lang, name=name, names=" ".join(doctor.GROUPS)))
            return USAGE
    url = parse_url(options.url) if options.url else None
    via = parse_address(options.via) if options.via else None
    if options.url and url is None:
        call.terminal.error(texts.say("doctor.bad_url", call.lang, url=options.url))
        return USAGE
    if options.via and via is None:
        call.terminal.error(texts.say("doctor.bad_via", call.lang, via=options.via))
        return USAGE
    settings, rules, faults = _configuration(call)
    visit = Visit(settings, faults, rules, url=url, via=via, request=_request(options.request or ""))
    return _report(call, visit, wanted)


def _configuration(call: Call) -> tuple[config.Settings | None, int, list[Problem]]:
    """The configuration, how many rules answer, and what is wrong with either."""
    try:
        settings = call.settings()
    except config.ConfigError as error:
        return None, 0, error.problems
    rules, errors, warnings = examine(settings, os.environ)
    return settings, len(rules), [*errors, *warnings]


def _request(given: str) -> str:
    """The text of a request: given as it is, in a file, or on standard input."""
    if given == "-":
        return sys.stdin.read(MAX_REQUEST)
    if given and os.path.isfile(given):
        with open(given, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read(MAX_REQUEST)
    return given


def _report(call: Call, visit: Visit, wanted: list[str]) -> int:
    count, found = 0, []
    for finding in doctor.examine(visit, wanted):
        count += len(finding.problems)
        if call.options.json:
            found += rows(finding, visit, call.lang)
        else:
            _print(finding, visit, call)
    if call.options.json:
        call.terminal.data(found, indent=2)
    else:
        call.terminal.say(texts.say("doctor.problems" if count else "doctor.fine", call.lang, n=count))
    return FAILED if count else FINE


def _print(finding: Finding, visit: Visit, call: Call) -> None:
    say, lang = call.terminal.say, call.lang
    group = pad(finding.group, max(map(len, doctor.GROUPS)))
    for problem in finding.problems:
        title, cause, fix = texts.explain(problem.code, lang, problem.values)
        place = f"{shorten(problem.file)}:{problem.line} " if problem.line else ""
        say(f" {call.terminal.paint('!!', 'red')}  {group}  {place}{call.terminal.paint(problem.code, 'red')} {title}")
        for key, text in (("cause", cause), ("fix", fix)):
            say(" " * (len(group) + 6) + texts.say(f"doctor.{key}", lang, **{key: text}))
        if "last" in problem.values:
            at = time.strftime("%m-%d %H:%M:%S", time.localtime(problem.values["last"]))
            seen = {"times": problem.values["times"], "at": at, "ip": problem.values["ip"] or "-"}
            say(" " * (len(group) + 6) + call.terminal.paint(texts.say("doctor.seen", lang, **seen), "dim"))
    if finding.problems:
        return
    if finding.skipped:
        say(f" --  {group}  {texts.say(f'doctor.skip.{finding.skipped}', lang)}")
    else:
        say(f" {call.terminal.paint('ok', 'green')}  {group}  {_good(finding.group, visit, lang)}")


def _good(group: str, visit: Visit, lang: str) -> str:
    return texts.say(f"ok.{group}", lang, **visit.notes.get(group, {}))


def rows(finding: Finding, visit: Visit, lang: str) -> list[dict[str, Any]]:
    """A finding for programs: one object a problem, or one for the group."""
    group = finding.group
    if finding.skipped:
        text = texts.say(f"doctor.skip.{finding.skipped}", lang)
        return [{"group": group, "result": "skipped", "why": finding.skipped, "text": text}]
    if not finding.problems:
        values = visit.notes.get(group, {})
        return [{"group": group, "result": "ok", "values": values, "text": _good(group, visit, lang)}]
    found = []
    for problem in finding.problems:
        title, cause, fix = texts.explain(problem.code, lang, problem.values)
        row = {"group": group, "result": "problem", "code": problem.code, "file": problem.file, "line": problem.line}
        found.append({**row, "title": title, "cause": cause, "fix": fix, "values": dict(problem.values)})
    return found


def _list(call: Call) -> None:
    codes = list(dict.fromkeys((check.group, code) for check in doctor.CHECKS for code in check.codes))
    if call.options.json:
        rows = [{"group": group, "code": code} for group, code in codes]
        call.terminal.data(rows, indent=2)
        return
    for group, code in codes:
        title, cause, _ = CODES[code][call.lang]
        # Some titles are what was found and nothing else: then the cause says what the code is about.
        about = plain(title if WORD.search(BLANK.sub("", title)) else cause)
        call.terminal.say(f"{pad(group, max(map(len, doctor.GROUPS)))}  {code}  {about}")
