"""For every way to answer wrongly: a small site that does, and exactly that code, in both languages."""

from __future__ import annotations

import gzip
import re
import time
import unittest
from email.utils import formatdate
from typing import Any, Callable
from unittest import mock

from weixin import texts
from weixin.doctor import strain

from . import sites
from .sites import after, between, honest, page, serve


def drop_query(environ: dict[str, Any]) -> None:
    environ["QUERY_STRING"] = ""


def spoil_query(environ: dict[str, Any]) -> None:
    environ["QUERY_STRING"] = environ["QUERY_STRING"].replace("nonce=", "nonce=0")


def limited(app: sites.App, most: int) -> sites.App:
    def proxy(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if int(environ.get("CONTENT_LENGTH") or 0) > most:
            return page("413 Content Too Large", b"")(environ, start_response)
        return app(environ, start_response)

    return proxy


def impatient(app: sites.App) -> sites.App:
    """nginx with a short proxy_read_timeout: what is late is a 504."""

    def proxy(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        began = time.monotonic()
        started: list[Any] = []
        body = app(environ, lambda *given: started.extend(given))
        if time.monotonic() - began > 0.25:
            return page("504 Gateway Time-out", b"")(environ, start_response)
        start_response(*started)
        return body

    return proxy


def slow(app: sites.App, seconds: float) -> sites.App:
    return between(app, lambda _: time.sleep(seconds))


def leaking(app: sites.App) -> sites.App:
    def proxy(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] == "/metrics":
            return page("200 OK", b"wxserve_build_info 1\n")(environ, start_response)
        return app(environ, start_response)

    return proxy


def echoing(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """A tutorial's first server: echostr to everybody; it looks like wxserve to make the point."""
    found = re.search("echostr=([0-9]+)", environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "text/plain"), ("Wxserve-Instance", "x")])
    return [found[1].encode() if found else b""]


ICP = "<html><title>网站暂时无法访问</title>该网站未进行备案，请联系管理员</html>".encode()
CHALLENGE = b"<!DOCTYPE html><title>Just a moment...</title>"

# What stands at the address, the code, and the reason where the code stands for several.
CASES: list[tuple[str, sites.App, str, str]] = [
    ("a slash is added", page("301 Moved Permanently", b"", Location="/weixin/"), "WX-NET-07", ""),
    ("https is forced", page("302 Found", b"", Location="https://wx.example.com/weixin"), "WX-NET-07", ""),
    ("the host is not registered", page("200 OK", ICP), "WX-NET-09", "block-icp"),
    ("the host is not registered, as a 403", page("403 Forbidden", ICP), "WX-NET-09", "block-icp"),
    ("a CDN wants to see a browser", page("503 Unavailable", CHALLENGE), "WX-NET-09", "block-firewall"),
    ("no such path", page("404 Not Found", b"<html>404"), "WX-NET-08", "status-404"),
    ("GET is refused", page("405 Method Not Allowed", b""), "WX-NET-08", "status-405"),
    ("the upstream is down", page("502 Bad Gateway", b"<html>502"), "WX-NET-08", "status-502"),
    ("the upstream is silent", page("504 Gateway Time-out", b""), "WX-NET-08", "status-504"),
    ("something is a teapot", page("418 I'm a teapot", b""), "WX-NET-08", "status-other"),
    ("another token", honest(token="ZZZZZ"), "WX-SIG-01", ""),
    ("the query is lost", between(honest(), drop_query), "WX-NET-10", ""),
    ("a line feed behind it", after(honest(), lambda body: body + b"\n"), "WX-SIG-05", "extra-space"),
    ("a BOM before it", after(honest(), lambda body: b"\xef\xbb\xbf" + body), "WX-SIG-05", "extra-bom"),
    ("quotes around it", after(honest(), lambda body: b'"' + body + b'"'), "WX-SIG-05", "extra-json"),
    ("compressed", after(honest(), gzip.compress, Content_Encoding="gzip"), "WX-SIG-05", "extra-gzip"),
    ("some page", page("200 OK", b"<!doctype html><title>Welcome</title>"), "WX-SIG-05", "extra-html"),
    ("some text", page("200 OK", b"it works"), "WX-SIG-05", "extra-other"),
    ("another program", after(honest(), bytes, Wxserve_Instance=""), "WX-NET-12", "other-program"),
    ("echostr for everybody", echoing, "WX-SIG-03", ""),
    ("a clock that is wrong", after(honest(), bytes, Date=formatdate(time.time() - 900)), "WX-SIG-04", ""),
    ("metrics for everybody", leaking(honest()), "WX-OPS-04", ""),
    ("a small body at most", limited(honest(), 8192), "WX-NET-11", ""),
    ("a proxy that hangs up early", impatient(honest()), "WX-NET-14", ""),
    ("a crowd is too much", slow(honest(), 0.15), "WX-TIM-03", ""),
]


@mock.patch.object(strain, "PATIENCE", 0.5)
@mock.patch.object(strain, "PATIENCE_OF_WECHAT", 0.5)
class Misbehaving(unittest.TestCase):
    def test_exactly_that_code_is_found(self) -> None:
        for name, app, code, reason in CASES:
            patience = 5.0 if code != "WX-TIM-03" else 0.1
            with self.subTest(name), serve(app) as port, mock.patch.object(strain, "CROWD_SECONDS", patience):
                found = sites.problems(sites.visit(port))
                self.assertEqual([problem.code for problem in found], [code])
                self.assertEqual(found[0].values.get("reason", ""), reason)
                self.speaks_both_languages(found[0])

    def speaks_both_languages(self, problem: Any) -> None:
        said = [texts.explain(problem.code, lang, problem.values) for lang in texts.LANGUAGES]
        self.assertNotEqual(said[0], said[1])
        for part in (*said[0], *said[1]):
            self.assertNotRegex(part, r"\{|^$", "a sentence without its values")

    def test_one_silent_connection_blocks_a_single_threaded_server(self) -> None:
        with serve(honest(), threads=False) as port:
            found = sites.problems(sites.visit(port))
        self.assertEqual([problem.code for problem in found], ["WX-NET-13"])

    def test_a_proxy_that_spoils_the_query_is_told_from_a_service_with_another_token(self) -> None:
        with serve(honest()) as service, serve(honest(token="ZZZZZ")) as stale:
            with serve(between(honest(), spoil_query)) as public:
                ours = sites.settings(f"127.0.0.1:{service}")
                found = sites.problems(sites.visit(public, settings=ours))
                self.assertEqual([problem.code for problem in found], ["WX-NET-10"])
            old = sites.settings(f"127.0.0.1:{stale}")
            found = sites.problems(sites.visit(stale, settings=old))
            self.assertEqual([(p.code, p.values["reason"]) for p in found], [("WX-NET-12", "other-token")])

    def test_another_process_with_the_same_token_is_found_out(self) -> None:
        with serve(honest()) as service, serve(after(honest(), bytes, Wxserve_Instance="feed")) as old:
            ours = sites.settings(f"127.0.0.1:{service}")
            found = sites.problems(sites.visit(old, settings=ours))
        self.assertEqual([(p.code, p.values["reason"]) for p in found], [("WX-NET-12", "other-process")])


class Honest(unittest.TestCase):
    def test_nothing_is_found_at_an_honest_service_in_any_mode(self) -> None:
        for mode in ("plain", "compat", "safe"):
            more = {} if mode == "plain" else {**sites.SAFE, "mode": mode}
            with self.subTest(mode), serve(honest(**more)) as port, mock.patch.object(strain, "PATIENCE", 0.2):
                looked = sites.visit(port, settings=sites.settings(f"127.0.0.1:{port}", **more))
                self.assertEqual(sites.problems(looked), [])
                for group in ("http", "push", "speed"):
                    for lang in texts.LANGUAGES:
                        self.assertNotIn("{", texts.say(f"ok.{group}", lang, **looked.notes[group]))

    def test_probes_run_no_handler_and_count_nothing(self) -> None:
        app = honest()
        with serve(app) as port, mock.patch.object(app, "_look_back", side_effect=AssertionError) as record:
            with mock.patch.object(strain, "PATIENCE", 0.2):
                self.assertEqual(sites.problems(sites.visit(port)), [])
        record.assert_not_called()

    def test_what_is_above_a_problem_is_not_asked(self) -> None:
        with serve(page("404 Not Found", b"")) as port:
            found = sites.findings(sites.visit(port))
        self.assertEqual(found["push"].skipped, "after-problem")
        self.assertEqual(found["speed"].skipped, "after-problem")

    def test_single_groups_and_codes_can_be_asked_for(self) -> None:
        with serve(honest()) as port:
            self.assertEqual(list(sites.findings(sites.visit(port), "http")), ["http"])
            self.assertEqual(list(sites.findings(sites.visit(port), "WX-NET-07")), ["http"])
            self.assertEqual(list(sites.findings(sites.visit(port), "config", "tcp")), ["config", "tcp"])

    def test_without_an_address_nobody_is_asked(self) -> None:
        found = sites.findings(sites.visit(url=""))
        self.assertEqual(found["http"].skipped, "needs-url")
