"""The console's API over real connections: what it refuses, what it tells, and that its pushes walk the real path."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
import unittest
from typing import Any

from tests.console.rig import Client, Rig, until
from weixin import texts
from weixin.console import app
from weixin.problem import Problem
from weixin.simulator import kinds

# WeChat's five seconds, in a hurry: of a delay these tests look at the order of things, not at its length.
CUT = 0.5
# Fewer than may be under way at once.
TOGETHER = 12


class Case(unittest.TestCase):
    mode = "plain"
    rig: Rig
    client: Client

    @classmethod
    def setUpClass(cls) -> None:
        cls.rig = Rig(cls.mode, cut=CUT)
        cls.client = cls.rig.client()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.rig.close()


class Refusals(Case):
    def status(self, method: str, path: str, body: Any = None, **headers: str) -> int:
        return self.client.ask(method, path, body, **headers).status

    def test_a_strange_name_is_misdirected(self) -> None:
        for path in ("/", "/api/state", "/metrics", "/-/healthz"):
            self.assertEqual(self.status("GET", path, Host="evil.example"), 421)

    def test_a_post_from_another_page_is_refused(self) -> None:
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{self.rig.port + 1}"):
            with self.subTest(origin):
                self.assertEqual(self.status("POST", "/api/clear", {}, Origin=origin), 403)

    def test_without_a_key_there_is_nothing_but_the_page(self) -> None:
        stranger = Client(self.rig.port)
        for path in ("/api/state", "/api/deliveries", "/api/events", "/api/rules", "/api/deliveries/x"):
            with self.subTest(path):
                self.assertEqual(stranger.ask("GET", path).status, 401)
        for path in ("/api/send", "/api/replay/x", "/api/try", "/api/reload", "/api/clear", "/send"):
            with self.subTest(path):
                self.assertEqual(stranger.ask("POST", path, {}).status, 401)
        for path in ("/", "/console.css", "/console.js", "/texts.json", "/-/healthz", "/-/readyz"):
            with self.subTest(path):
                self.assertEqual(stranger.ask("GET", path).status, 200)

    def test_a_key_that_was_used_is_no_key(self) -> None:
        answer = Client(self.rig.port).ask("POST", "/api/login", {"key": self.rig.key})
        self.assertEqual(answer.status, 401)
        self.assertEqual(answer.header("Set-Cookie"), "")

    def test_ten_megabytes_are_not_read(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.rig.port, timeout=10)
        try:
            host = f"127.0.0.1:{self.rig.port}"
            connection.putrequest("POST", "/api/send", skip_host=True)
            headers = {"Host": host, "Origin": f"http://{host}", "Cookie": self.client.cookie}
            for name, value in {**headers, "Content-Length": "10485760"}.items():
                connection.putheader(name, value)
            connection.endheaders()
            self.assertEqual(connection.getresponse().status, 413)
        finally:
            connection.close()

    def test_a_path_is_what_it_says_and_nothing_else(self) -> None:
        strange = ("/../weixin/app.py", "/static/console.js", "/..%2f..%2fetc/passwd", "/console.js/..", "//etc/passwd")
        for path in (*strange, "/api"):
            with self.subTest(path):
                self.assertEqual(self.status("GET", path), 404)
        for path in ("/api/deliveries/../state", "/api/deliveries/..%2f", "/api/deliveries/", "/api/nothing"):
            with self.subTest(path):
                self.assertEqual(self.status("GET", path), 404)
        self.assertEqual(self.status("DELETE", "/api/clear"), 405)

    def test_what_is_no_order_is_refused_with_the_field(self) -> None:
        for order, field in (
            ({"kind": "nothing"}, "kind"), ({"kind": "text", "words": "x"}, "words"), ({"user": "<b>"}, "user"),
            ({"mode": "open"}, "mode"), ({"fault": "x"}, "fault"), ({"fault": "wrong-key"}, "fault"),
            ({"slow": -1}, "slow"), ({"slow": True}, "slow"), ({"slow": 1e9}, "slow"), ({"latency": 7}, "latency"),
            ({"first": 4}, "first"), ({"kind": "raw"}, "xml"), ({"kind": "text", "xml": "<xml/>"}, "xml"),
            ({"kind": "location", "words": ["here"]}, "words"), ({"words": ["x"] * 13}, "words"),
        ):  # fmt: skip
            with self.subTest(order):
                answer = self.client.ask("POST", "/api/send", order)
                self.assertEqual((answer.status, json.loads(answer.body).get("field")), (400, field))
        self.assertEqual(self.status("POST", "/api/send", b"{"), 400)
        self.assertEqual(self.status("POST", "/api/send", b"[]"), 400)

    def test_json_that_cannot_be_taken_in_is_refused_and_spoils_nothing(self) -> None:
        half = b'{"words": ["\\ud800"], "kind": "text", "key": "\\udfff"}'
        for path in ("/api/login", "/api/send", "/api/try", "/api/clear"):
            for body in (half, b'{"words": ' + b"[" * 100_000, b'{"key": ' + b"9" * 5_000 + b"}", b"\xff"):
                with self.subTest(path, body=body[:20]):
                    self.assertLess(self.status("POST", path, body), 500)
        self.assertEqual(self.status("POST", "/api/send", half), 400)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self.assertEqual(self.status("POST", "/login", b"key=%ed%a0%80%ff", **form), 303)
        self.assertEqual(self.status("POST", "/send", b"kind=text&text=%ed%a0%80%ff", **form), 303)
        self.assertEqual(self.status("GET", "/api/deliveries"), 200)

    def test_a_place_in_the_list_that_is_none_is_the_beginning(self) -> None:
        boot = json.loads(self.client.ask("GET", "/api/deliveries").body)["cursor"].partition(".")[0]
        for number in ("9" * 5_000, "%c2%b2", "-1", "1.2", "%ed%a0%80", ""):
            with self.subTest(number[:10]):
                self.assertEqual(self.status("GET", f"/api/deliveries?after={boot}.{number}&q=%ff&limit=%c2%b2"), 200)

    def test_asking_for_a_streams_head_begins_none(self) -> None:
        for _ in range(5):
            self.assertEqual(self.status("HEAD", "/api/events"), 200)

    def test_every_answer_says_what_a_browser_may_do_with_it(self) -> None:
        for path in ("/", "/console.js", "/api/state", "/api/nothing"):
            answer = self.client.ask("GET", path)
            policy = answer.header("Content-Security-Policy")
            with self.subTest(path):
                self.assertIn("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'", policy)
                self.assertNotIn("http:", policy)
                self.assertNotIn("unsafe", policy)
                self.assertEqual(answer.header("X-Content-Type-Options"), "nosniff")
                self.assertEqual(answer.header("Cache-Control"), "no-store")

    def test_pictures_from_elsewhere_are_allowed_after_a_click_alone(self) -> None:
        policy = self.client.ask("GET", "/?pictures=1").header("Content-Security-Policy")
        self.assertIn("img-src 'self' data: http: https:;", policy)
        self.assertIn("script-src 'self';", policy)


class Page(Case):
    def test_the_page_is_under_a_hundred_kilobytes_and_has_no_script_or_style_of_its_own(self) -> None:
        files = [(app.STATIC / name).read_bytes() for name, _ in app.FILES.values()]
        self.assertLess(sum(map(len, files)), 100_000)
        # With all its words in both languages, as a browser fetches it.
        paths = ("/", "/console.css", "/console.js", "/texts.json")
        sent = [self.client.ask("GET", path, Accept_Encoding="gzip, br") for path in paths]
        self.assertLess(sum(len(answer.body) for answer in sent), 60_000)
        self.assertEqual(gzip.decompress(sent[2].body), (app.STATIC / "console.js").read_bytes())
        self.assertEqual(self.client.ask("GET", "/console.js").body, gzip.decompress(sent[2].body))
        html = files[0].decode()
        self.assertEqual(html.count("<script"), 1)
        self.assertNotIn("style=", html)
        self.assertNotIn("http://", html.replace("http://www.w3.org/2000/svg", ""))

    def test_health_and_readiness(self) -> None:
        self.assertEqual(self.client.ask("GET", "/-/healthz").body, b"ok\n")
        self.assertEqual(self.client.ask("GET", "/-/readyz").status, 200)
        self.assertEqual(self.client.ask("HEAD", "/-/healthz").body, b"")

    def test_the_state_shows_no_secret(self) -> None:
        answer = self.client.ask("GET", "/api/state")
        self.assertNotIn(self.rig.settings.token.encode(), answer.body)
        state = json.loads(answer.body)
        self.assertEqual({kind["kind"] for kind in state["kinds"]}, set(kinds()))
        self.assertEqual(state["menu"][0]["key"], "MENU_NEWS")

    def test_without_javascript_there_is_a_form_and_a_table(self) -> None:
        stranger = Client(self.rig.port)
        self.assertIn(b"name=key", stranger.ask("GET", "/plain").body)
        answer = self.client.ask("POST", "/send", "kind=text&text=%3Cb%3E你好".encode())
        self.assertEqual((answer.status, answer.header("Location")), (303, "/plain"))
        page = self.client.ask("GET", "/plain").body.decode()
        self.assertIn("&lt;b&gt;", page)
        self.assertNotIn("<b>", page)
        self.assertIn(texts.say("login.how", "zh").encode(), stranger.ask("GET", "/plain").body)
        answer = Client(self.rig.port).ask("POST", "/login", b"key=wrong")
        self.assertEqual(answer.header("Location"), "/plain?failed=1")


class Pushes(Case):
    def test_every_kind_in_every_mode_is_answered(self) -> None:
        for mode in ("plain", "compat", "safe"):
            names = kinds()
            for at in range(0, len(names), TOGETHER):
                some = names[at : at + TOGETHER]
                sent = {kind: self.client.json("/api/send", {"kind": kind, "mode": mode})["id"] for kind in some}
                for kind, id in sent.items():
                    with self.subTest(mode=mode, kind=kind):
                        found = self.client.wait(id)
                        self.assertIn(found["outcome"], ("reply", "nothing"), found["why"])

    def test_each_mode_gives_the_same_bubble(self) -> None:
        bubbles = [self.client.send(words=["图文"], mode=mode)["bubble"] for mode in ("plain", "compat", "safe")]
        self.assertEqual(bubbles[0]["articles"][0]["title"], "上海 晴 26°C")
        self.assertEqual(bubbles[0], bubbles[1])
        self.assertEqual(bubbles[0], bubbles[2])

    def test_each_fault_shows_its_code(self) -> None:
        for fault, mode, code in (
            ("bad-signature", "plain", "WX-SIG-02"), ("no-signature", "plain", "WX-SIG-01"),
            ("old-timestamp", "plain", "WX-SIG-04"), ("not-xml", "plain", "WX-XML-01"), ("json", "plain", "WX-XML-02"),
            ("gbk", "plain", "WX-XML-01"), ("oversize", "plain", "WX-XML-04"), ("truncated", "plain", "WX-XML-01"),
            ("bad-signature", "safe", "WX-SIG-02"), ("bad-msg-signature", "safe", "WX-SIG-02"),
            ("wrong-key", "safe", "WX-AES-03"), ("wrong-appid", "safe", "WX-AES-03"),
            ("bad-padding", "safe", "WX-AES-03"), ("truncated", "compat", "WX-AES-03"),
        ):  # fmt: skip
            with self.subTest(fault=fault, mode=mode):
                found = self.client.send(words=["你好"], fault=fault, mode=mode)
                self.assertEqual((found["outcome"], found["code"]), ("refused", code))
                self.assertGreaterEqual(found["attempts"][0]["status"], 400)

    def test_harmless_oddities_are_answered(self) -> None:
        for fault, attempts in (("duplicate", 2), ("replayed-request", 2), ("idle", 1)):
            with self.subTest(fault):
                found = self.client.send(words=["你好"], fault=fault)
                self.assertEqual((found["outcome"], len(found["attempts"])), ("reply", attempts))

    def test_a_slow_handler_is_asked_again_and_answers_the_second_delivery(self) -> None:
        found = self.client.send(words=["讲个故事"], slow=CUT * 1.4)
        self.assertEqual([each["state"] for each in found["attempts"]], ["timeout", "reply"])
        self.assertGreater(found["seconds"], CUT)
        self.assertIn("@attempt 2", found["copies"]["chat"])

    def test_a_handler_slower_than_three_deliveries_is_a_fault(self) -> None:
        found = self.client.send(words=["讲个故事"], slow=CUT * 6)
        self.assertEqual([each["state"] for each in found["attempts"]], ["timeout"] * 3)
        self.assertEqual((found["outcome"], found["why"], found["shown"]), ("fault", "timeout", True))

    def test_what_is_sent_as_the_second_delivery_begins_with_it(self) -> None:
        found = self.client.send(words=["你好"], first=2)
        self.assertEqual([each["n"] for each in found["attempts"]], [2])

    def test_raw_xml_is_sent_as_it_is(self) -> None:
        xml = "<xml><ToUserName>gh_1</ToUserName><FromUserName>oRAW</FromUserName><CreateTime>1</CreateTime>" \
              "<MsgType>text</MsgType><Content>你好</Content><MsgId>1</MsgId></xml>"  # fmt: skip
        found = self.client.send(kind="raw", xml=xml)
        self.assertEqual((found["xml"], found["user"], found["outcome"]), (xml, "oRAW", "reply"))
        found = self.client.send(kind="raw", xml="hello")
        self.assertEqual((found["outcome"], found["code"]), ("refused", "WX-XML-01"))

    def test_replays_are_another_message_or_the_same(self) -> None:
        first = self.client.send(words=["你好"])
        again = self.client.wait(self.client.json("/api/replay/" + first["id"], {})["id"])
        same = self.client.wait(self.client.json("/api/replay/" + first["id"], {"same": True})["id"])
        self.assertNotEqual(first["xml"], again["xml"])
        self.assertEqual(first["xml"], same["xml"])
        self.assertEqual((again["replay_of"], again["bubble"]), (first["id"], first["bubble"]))
        self.assertNotEqual(first["requests"][0]["query"], same["requests"][0]["query"])
        self.assertEqual(self.client.ask("POST", "/api/replay/nothing", {}).status, 404)

    def test_the_inspector_has_every_step(self) -> None:
        found = self.client.send(words=["你好"], mode="safe")
        request = found["requests"][0]
        self.assertTrue(all(check["ok"] for check in request["checks"]))
        self.assertEqual(request["signature"]["ours"], request["signature"]["theirs"])
        self.assertEqual(request["opened"]["step"], "")
        self.assertIn("<Encrypt>", request["body"])
        self.assertIn("<Encrypt>", request["answer"])
        self.assertIn("你好呀", found["reply_xml"])
        self.assertEqual((found["rule"], found["rule_at"]), ("[你好 | hello]", "replies.ini:1"))
        self.assertEqual(found["candidates"][0]["at"], "replies.ini:1")
        whole = json.dumps(found)
        self.assertNotIn(self.rig.settings.token, whole)
        self.assertNotIn("X-Wxserve-Console", whole)
        self.assertTrue(found["copies"]["curl"].startswith("curl "))
        self.assertEqual(found["copies"]["chat"], "> 你好\n< 你好呀！很高兴见到你。\n")

    def test_a_push_copied_for_send_is_the_same_push(self) -> None:
        for order, options in (
            ({"words": ["你好"]}, "text '你好'"),
            ({"words": ["你好"], "user": "oTEST0002", "mode": "safe"}, "text '你好' --user oTEST0002 --mode safe"),
            ({"words": ["慢"], "slow": 0.25}, "text '慢' --slow 0.25"),
            ({"kind": "raw", "xml": "<xml>'</xml>"}, "raw - <<'END-OF-XML'\n<xml>'</xml>\nEND-OF-XML"),
        ):
            with self.subTest(order):
                self.assertEqual(self.client.send(**order)["copies"]["send"], f"python3 wxserve.py send {options}")

    def test_sixteen_are_under_way_and_no_more(self) -> None:
        # None ends before its three deliveries are over, and by then all have been asked for.
        sent = [{"words": ["x"], "slow": CUT * 4, "user": f"oTEST{number:04d}"} for number in range(20)]
        answers = [self.client.ask("POST", "/api/send", order).status for order in sent]
        self.assertEqual((answers.count(202), answers.count(503)), (16, 4))
        until(lambda: all(row["done"] for row in self.client.json("/api/deliveries")["deliveries"]))


class Lists(Case):
    def test_only_what_changed_comes_after_a_cursor(self) -> None:
        self.client.send(words=["一"])
        before = self.client.json("/api/deliveries")
        found = self.client.send(words=["二"])
        after = self.client.json("/api/deliveries?after=" + before["cursor"])
        self.assertEqual([row["id"] for row in after["deliveries"]], [found["id"]])
        self.assertEqual(self.client.json("/api/deliveries?after=" + after["cursor"])["deliveries"], [])
        of_another = self.client.json("/api/deliveries?after=abc.99999")["deliveries"]
        self.assertGreaterEqual(len(of_another), 2)

    def test_a_list_can_be_searched_and_cut(self) -> None:
        self.client.send(words=["针"])
        rows = self.client.json("/api/deliveries?q=" + "%E9%92%88")["deliveries"]
        self.assertEqual([row["text"] for row in rows], ["针"])
        self.assertEqual(len(self.client.json("/api/deliveries?limit=1")["deliveries"]), 1)

    def test_a_user_can_be_forgotten(self) -> None:
        self.client.send(words=["x"], user="oGONE")
        self.client.json("/api/clear", {"user": "oGONE"})
        self.assertNotIn("oGONE", [row["user"] for row in self.client.json("/api/deliveries")["deliveries"]])

    def test_rules_are_listed_in_order_with_their_hits(self) -> None:
        self.client.send(words=["你好"])
        rules = self.client.json("/api/rules")["rules"]
        self.assertEqual(rules[0]["at"], "replies.ini:1")
        self.assertGreater(rules[0]["hits"], 0)
        self.assertEqual(rules[-1]["name"], "bot.echo")

    def test_a_text_is_tried_without_asking_a_handler(self) -> None:
        before = self.client.json("/api/deliveries")["cursor"]
        candidates = self.client.json("/api/try", {"kind": "text", "text": "今天天气"})["candidates"]
        self.assertEqual([each["name"] for each in candidates], ["[包含: 天气]", "bot.echo"])
        self.assertEqual(candidates[0]["word"], "天气")
        clicked = self.client.json("/api/try", {"kind": "click", "text": "MENU_NEWS"})["candidates"]
        self.assertEqual(clicked[0]["name"], "bot.menu")
        self.assertEqual(self.client.json("/api/deliveries")["cursor"], before)


class Reload(Case):
    def test_a_mistake_is_told_with_its_place_and_what_was_there_stays(self) -> None:
        path = self.rig.base / "replies.ini"
        good = path.read_text(encoding="utf-8")
        rules = len(self.client.json("/api/rules")["rules"])
        stream = Listener(self.rig.port, self.client.cookie)
        try:
            path.write_text(good + "\n[坏]\n", encoding="utf-8")
            told = stream.until("reload")
            self.assertEqual(told["problems"][0]["code"], "WX-RPL-03")
            self.assertEqual((told["problems"][0]["file"], told["problems"][0]["line"]), ("replies.ini", 7))
            self.assertEqual(len(self.client.json("/api/rules")["rules"]), rules)
            path.write_text(good + "\n[新]\ntext = 新的\n", encoding="utf-8")
            self.assertEqual(stream.until("reload")["problems"], [])
            self.assertEqual(len(self.client.json("/api/rules")["rules"]), rules + 1)
        finally:
            stream.close()


class Listener:
    """One stream of events, read line by line."""

    def __init__(self, port: int, cookie: str, last: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"Host": f"127.0.0.1:{port}", "Cookie": cookie, **({"Last-Event-ID": last} if last else {})}
        self._connection.request("GET", "/api/events", headers=headers)
        self.response = self._connection.getresponse()
        self.status = self.response.status
        self.last = last

    def next(self) -> tuple[str, dict[str, Any]]:
        event, data = "", {}
        while True:
            line = self.response.readline().decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if name == "id":
                self.last = value
            elif name == "event":
                event = value
            elif name == "data":
                data = json.loads(value)
            elif not line and event:
                return event, data

    def until(self, event: str) -> dict[str, Any]:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            name, data = self.next()
            if name == event:
                return data
        raise AssertionError(f"no {event}")

    def close(self) -> None:
        # Closing is not enough while the response holds the socket's file.
        sock = self._connection.sock
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)
        self.response.close()
        self._connection.close()


class Files(unittest.TestCase):
    """What the page says of files that are not what answers."""

    def setUp(self) -> None:
        self.loaded, self.faults = time.time() + 60, list[Problem]()
        hooks = app.Hooks(
            loaded=lambda: self.loaded,
            configuration=lambda: self.faults,
            doctor=lambda settings, lang: [{"group": "aes", "result": "ok", "text": f"{settings.mode} {lang}"}],
        )
        self.rig = Rig(cut=CUT, hooks=hooks)
        self.addCleanup(self.rig.close)
        self.client = self.rig.client()

    def health(self) -> Any:
        return self.client.json("/api/state")["health"]

    def test_files_younger_than_what_answers_are_pending_until_they_are_loaded(self) -> None:
        self.assertFalse(self.health()["pending"])
        tab = Listener(self.rig.port, self.client.cookie, self.client.json("/api/deliveries")["cursor"])
        self.addCleanup(tab.close)
        self.loaded = time.time() - 60
        self.assertTrue(tab.until("reload")["pending"])
        self.loaded = time.time() + 60
        self.assertFalse(tab.until("reload")["pending"])

    def test_a_mistake_in_the_configuration_is_a_problem_like_any_other(self) -> None:
        self.assertEqual(self.health()["problems"], [])
        self.faults = [Problem("WX-CFG-08", {"name": "mode"}, str(self.rig.base / "wxserve.ini"), 3)]
        (self.rig.base / "replies.ini").write_text("[新]\ntext = 新\n", encoding="utf-8")
        until(lambda: bool(self.health()["problems"]))
        problem = self.health()["problems"][0]
        self.assertEqual((problem["code"], problem["file"], problem["line"]), ("WX-CFG-08", "wxserve.ini", 3))

    def test_the_doctors_findings_are_in_the_pages_language(self) -> None:
        for lang in ("zh", "en"):
            findings = self.client.json("/api/doctor?lang=" + lang)["findings"]
            self.assertEqual([each["text"] for each in findings], [f"plain {lang}"])


class Streams(Case):
    def listen(self, last: str = "") -> Listener:
        listener = Listener(self.rig.port, self.client.cookie, last)
        self.addCleanup(listener.close)
        return listener

    def tearDown(self) -> None:
        self.doCleanups()
        until(lambda: self.rig.console.ledger.streams == 0)

    def test_two_tabs_hear_of_a_delivery_from_its_first_step_to_its_last(self) -> None:
        tabs = [self.listen(self.client.json("/api/deliveries")["cursor"]) for _ in range(2)]
        sent = self.client.send(words=["你好"])
        for tab in tabs:
            heard = [tab.until("delivery")]
            while not heard[-1]["done"]:
                heard.append(tab.until("delivery"))
            self.assertEqual({each["id"] for each in heard}, {sent["id"]})
            self.assertEqual(heard[-1]["bubble"]["text"], "你好呀！很高兴见到你。")

    def test_who_comes_back_hears_what_was_missed_and_nothing_twice(self) -> None:
        tab = self.listen(self.client.json("/api/deliveries")["cursor"])
        first = self.client.send(words=["一"])
        while not tab.until("delivery")["done"]:
            pass
        tab.close()
        second = self.client.send(words=["二"])
        back = self.listen(tab.last)
        row = back.until("delivery")
        self.assertEqual(row["id"], second["id"])
        self.assertNotEqual(row["id"], first["id"])

    def test_the_fifth_stream_is_told_to_poll(self) -> None:
        tabs = [self.listen() for _ in range(4)]
        self.assertEqual([tab.status for tab in tabs], [200] * 4)
        answer = self.client.ask("GET", "/api/events")
        self.assertEqual((answer.status, json.loads(answer.body)["error"]), (503, "streams"))
        tabs[0].close()
        until(lambda: self.rig.console.ledger.streams == 3)
        self.assertEqual(self.listen().status, 200)

    def test_the_headers_keep_proxies_from_holding_it_back(self) -> None:
        tab = self.listen()
        self.assertEqual(tab.response.getheader("X-Accel-Buffering"), "no")
        self.assertEqual(tab.response.getheader("Cache-Control"), "no-store")
        self.assertIn("text/event-stream", str(tab.response.getheader("Content-Type")))


if __name__ == "__main__":
    unittest.main()
