"""What the address answers to the platform's check: with whose words, which status, which bytes. The upper steps."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterator
from urllib.parse import urljoin

from ..problem import Problem
from ..wire import probe
from .visit import Answer, Unanswered, Visit

# Digits, as the platform's own are; and long enough to be recognized in a page.
ECHO = "4375120948345356249"
# More than this between our clock and the answer's, and signatures age before they arrive.
CLOCK_SECONDS = 60
# How much of a wrong answer is shown.
SHOWN = 40

REDIRECTS = (301, 302, 303, 307, 308)
# Words of pages that stand in front of sites: a host without 备案, a web application firewall, a CDN's challenge.
_UNREGISTERED = re.compile(r"备案|非法阻断|non-compliance icp|icp\b.{0,40}(?:required|filing)")
_FIREWALL = re.compile(
    r"web application firewall|\bwaf\b|challenge-platform|cf-challenge|just a moment|captcha|request blocked|"
    r"errors\.aliyun\.com|安全验证|人机验证|访问被拦截"
)


def first(visit: Visit) -> Answer:
    """The answer to the platform's check, asked once for all who look at it. Raise Unanswered."""
    answer = visit.kept.get("first")
    if answer is None:
        answer = visit.kept["first"] = visit.ask("GET", visit.check_query(ECHO))
    return answer


def redirect(visit: Visit) -> Iterator[Problem]:
    """It answers at all, and where it was asked: WeChat follows no redirect."""
    assert visit.url is not None
    try:
        answer = first(visit)
    except Unanswered as error:
        kind = str(error)
        reason = f"silent-{kind}" if kind in ("timeout", "closed", "refused") else "silent-other"
        yield Problem("WX-NET-08", {"reason": reason, "status": "-", "path": visit.url.path, "error": kind})
        return
    if answer.status in REDIRECTS:
        to = urljoin(str(visit.url), answer.headers.get("location", ""))
        yield Problem("WX-NET-07", {"status": answer.status, "to": to.split("?")[0], "path": visit.url.path})


def block_page(visit: Visit) -> Iterator[Problem]:
    """What answers is the site, not a page that somebody put in front of it."""
    answer = first(visit)
    page = answer.body.decode("utf-8", "replace").lower()
    if answer.body.strip() == ECHO.encode() or "<" not in page:
        return
    for pattern, reason in ((_UNREGISTERED, "block-icp"), (_FIREWALL, "block-firewall")):
        found = pattern.search(page)
        if found:
            yield Problem("WX-NET-09", {"reason": reason, "status": answer.status, "found": found[0]})
            return


def refusal(visit: Visit) -> Iterator[Problem]:
    """The signature that we make is taken. If it is not, is it the service that refuses, or what is in front of it?"""
    answer = first(visit)
    if answer.status == 200 and b"wxserve" in answer.body and ECHO.encode() not in answer.body:
        # The page for people: to the service there was no query at all.
        yield Problem("WX-NET-10", {})
    if answer.status != 403:
        return
    directly = visit.ask_directly(visit.check_query(ECHO))
    if directly is None:
        yield Problem("WX-SIG-01", {})
    elif directly.status == 200:
        yield Problem("WX-NET-10", {})
    else:
        yield Problem("WX-NET-12", {"reason": "other-token"})


def status(visit: Visit) -> Iterator[Problem]:
    """The status is 200."""
    assert visit.url is not None
    answer = first(visit)
    if answer.status != 200:
        known = (404, 405, 429, 500, 502, 503, 504)
        reason = f"status-{answer.status}" if answer.status in known else "status-other"
        yield Problem("WX-NET-08", {"reason": reason, "status": answer.status, "path": visit.url.path, "error": ""})


def echo(visit: Visit) -> Iterator[Problem]:
    """The body is echostr, and not a byte more."""
    body, headers = first(visit).body, first(visit).headers
    if body == ECHO.encode() and headers.get("content-encoding", "identity") == "identity":
        visit.note("http", status=200, ms=round(first(visit).seconds * 1000))
        return
    if headers.get("content-encoding", "identity") != "identity":
        reason = "extra-gzip"
    elif body.startswith(b"\xef\xbb\xbf"):
        reason = "extra-bom"
    elif body.strip() == ECHO.encode():
        reason = "extra-space"
    elif b"<html" in body.lower() or b"<!doctype" in body.lower():
        reason = "extra-html"
    elif body.lstrip()[:1] in (b"{", b'"', b"["):
        reason = "extra-json"
    else:
        reason = "extra-other"
    shown = body[:SHOWN].hex(" ")
    yield Problem("WX-SIG-05", {"reason": reason, "bytes": len(body), "hex": shown})


def instance(visit: Visit) -> Iterator[Problem]:
    """It is this service that answers, not an old one, and not another one that knows the token too."""
    public = first(visit).headers.get(probe.HEADER.lower(), "")
    if not public:
        yield Problem("WX-NET-12", {"reason": "other-program"})
        return
    directly = visit.ask_directly(visit.check_query(ECHO))
    ours = directly.headers.get(probe.HEADER.lower(), "") if directly else ""
    if ours and ours != public:
        yield Problem("WX-NET-12", {"reason": "other-process"})


def forgery(visit: Visit) -> Iterator[Problem]:
    """A wrong signature is refused."""
    try:
        answer = visit.ask("GET", visit.check_query(ECHO, wrong=True))
    except Unanswered:
        return
    if answer.status == 200 and ECHO.encode() in answer.body:
        yield Problem("WX-SIG-03", {})


def clock(visit: Visit) -> Iterator[Problem]:
    """The server's clock agrees with the one of whoever asks."""
    date = email.utils.parsedate_to_datetime(first(visit).headers["date"]) if "date" in first(visit).headers else None
    if date is None:
        return
    seconds = round(visit.clock() - date.timestamp())
    if abs(seconds) > CLOCK_SECONDS:
        assert visit.settings is not None
        yield Problem("WX-SIG-04", {"seconds": seconds, "max_age": visit.settings.max_age})


def admin(visit: Visit) -> Iterator[Problem]:
    """The page for people and the metrics are not to be had under the public name."""
    try:
        answer = visit.ask("GET", "", path="/metrics")
    except Unanswered:
        return
    if answer.status == 200 and b"wxserve_" in answer.body:
        yield Problem("WX-OPS-04", {"path": "/metrics"})
