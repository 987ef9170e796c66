"""The console in a real Chromium: what a developer does, what nobody may do, and that everybody can use it."""

from __future__ import annotations

import re
import time
import unittest
from typing import Any

from tests.console.rig import Client, Rig
from tests.live import chromium
from weixin.console.app import Hooks
from weixin.console.ledger import Record
from weixin.simulator import FAULT_NOTICE, kinds

NAMED = {"button", "textbox", "link", "combobox", "slider", "checkbox", "radio", "searchbox"}
READY = "document.body?.dataset.ready === '1'"
# WeChat's five seconds, shortened.
CUT = 1.2

# Of what a browser says when the other end ends: also the details of a delivery of which the new one knows nothing.
RESTARTED = "ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|Failed to fetch|401|404 .*/api/deliveries/"

HELPERS = """
window.test = {
  last: () => [...document.querySelectorAll('#log .turn')].pop(),
  them: () => [...document.querySelectorAll('#log .line.them')].pop()?.innerText || '',
  idle: n => document.querySelectorAll('#rows tr').length >= n &&
    ![...document.querySelectorAll('#rows td:last-child')].some(td => td.textContent.includes('…')),
  set: (id, value) => { const el = document.getElementById(id); el.value = value;
    for (const name of ['input', 'change']) el.dispatchEvent(new Event(name, { bubbles: true })); },
  find: words => { const q = document.getElementById('q'); q.value = words; q.dispatchEvent(new Event('input')); },
  verdict: () => (document.getElementById('verdict') || {}).innerText || '',
};
"""


def setUpModule() -> None:
    """One browser and one console for all tests; each has a page of its own."""
    path = chromium.find()
    if path is None:
        raise unittest.SkipTest("Chromium is not installed")
    start(0, b"secret of the tests")
    Case.browser = chromium.Browser(path)
    unittest.addModuleCleanup(Case.browser.close)
    page = Case.browser.page(Case.rig.url)
    page.until(READY)
    page.close()


FINDING = {"group": "aes", "result": "ok", "text": "ok"}


def load() -> None:
    """What the console's button does."""
    Case.loaded = time.time()


def start(port: int, secret: bytes) -> None:
    """Start a console in place of the one that is there."""
    hooks = Hooks(reload=load, loaded=lambda: Case.loaded, doctor=lambda settings, lang: [FINDING])
    Case.rig = Rig(cut=CUT, port=port, secret=secret, hooks=hooks)
    unittest.addModuleCleanup(Case.rig.close)


class Case(unittest.TestCase):
    browser: chromium.Browser
    rig: Rig
    loaded = 0.0

    def setUp(self) -> None:
        self.rig.console.ledger.forget("oTEST0001")
        self.pages: list[chromium.Page] = []
        self.may_fail = ""

    def tearDown(self) -> None:
        for page in self.pages:
            page.js("1")  # whatever was still to be heard is heard now
            page.close()
            errors = [error for error in page.errors if not (self.may_fail and re.search(self.may_fail, error))]
            self.assertEqual(errors, [])
            own = f"http://127.0.0.1:{self.rig.port}/"
            self.assertEqual([each for each in page.addresses if not each.startswith((own, "data:", "blob:"))], [])

    def open(self, query: str = "", **size: Any) -> chromium.Page:
        page = self.browser.page(**size)
        self.pages.append(page)
        own = f"http://127.0.0.1:{self.rig.port}"
        page.call("Storage.clearDataForOrigin", origin=own, storageTypes="local_storage")
        page.go(f"http://127.0.0.1:{self.rig.port}/{query}")
        page.until(READY)
        page.js(HELPERS)
        return page

    def say(self, page: chromium.Page, text: str) -> None:
        page.js("document.getElementById('text').focus()")
        page.type(text)
        page.key("Enter")


class Flows(Case):
    def test_hello_is_typed_and_its_bubble_comes(self) -> None:
        page = self.open()
        self.say(page, "你好")
        page.until("test.them().includes('你好呀')")
        page.until("document.querySelector('[data-sec=decrypted]')")
        self.assertIn("秒看到回复", page.js("test.verdict()"))
        self.assertIn("replies.ini:1", page.js("test.last().innerText"))
        self.assertIn("<Content>", page.js("document.querySelector('[data-sec=decrypted] pre').textContent"))

    def test_follow_menu_picture_and_raw_xml(self) -> None:
        page = self.open()
        page.js("document.getElementById('plus').click(); document.querySelector('[data-kind=subscribe]').click()")
        page.js("document.querySelector('#sheet .primary').click()")
        page.until("test.them().includes('欢迎关注')")
        page.js("[...document.querySelectorAll('#menu button')].find(b => b.textContent === '最新').click()")
        page.until("document.querySelectorAll('#log .card .more').length === 2")
        page.js("[...document.querySelectorAll('#menu button')].find(b => b.textContent.includes('更多')).click()")
        page.js("[...document.querySelectorAll('#menu li button')].find(b => b.textContent === '扫一扫').click()")
        page.until("test.last().innerText.includes('扫码等待') && test.last().innerText.includes('（不回复）')")
        page.js("document.querySelector('#sheet .grow').click(); document.querySelector('[data-kind=image]').click()")
        page.js("document.querySelector('#sheet .primary').click()")
        page.until("document.querySelectorAll('#log .them .pic').length === 1")
        page.js("document.querySelector('#sheet .grow').click(); document.querySelector('[data-kind=raw]').click()")
        xml = page.js("document.getElementById('raw').value")
        self.assertIn("oTEST0001", xml)
        page.js("document.getElementById('raw').value = document.getElementById('raw').value.replace('你好', '天气')")
        page.js("document.querySelector('#sheet .primary').click()")
        page.until("test.them().includes('上海 晴')")

    def test_every_kind_has_a_form_that_sends_it(self) -> None:
        page = self.open()
        for n, kind in enumerate(kinds(), 1):
            page.js(
                "document.getElementById('sheet').hidden && document.getElementById('plus').click();"
                "document.querySelector('#sheet .grow')?.click();"
                f"(tile => tile ? tile.click() : test.set('others', '{kind}'))"
                f"(document.querySelector('#sheet [data-kind={kind}]'));"
                "document.querySelector('#sheet .primary').click()"
            )
            if n % 10 == 0 or kind == kinds()[-1]:
                page.until(f"test.idle({n})")
        rows = {row["kind"] for row in page.js("fetch('/api/deliveries').then(r => r.json())")["deliveries"]}
        self.assertEqual(rows, set(kinds()))

    def test_each_mode_gives_the_same_bubble(self) -> None:
        page = self.open()
        for n, mode in enumerate(("plain", "compat", "safe"), 1):
            page.js(f"document.querySelector('[name=mode][value={mode}]').click()")
            self.say(page, "图文")
            page.until(f"document.querySelectorAll('#log .card').length === {n}")
        page.until("document.querySelector('[data-sec=encryption]')")
        self.assertEqual(len(set(page.js("[...document.querySelectorAll('#log .card')].map(c => c.innerText)"))), 1)

    def test_faults_show_their_code_in_the_phone_the_list_and_the_inspector(self) -> None:
        page = self.open()
        for fault, code in (("bad-signature", "WX-SIG-02"), ("old-timestamp", "WX-SIG-04"), ("json", "WX-XML-02")):
            with self.subTest(fault):
                page.js(f"test.set('fault', '{fault}')")
                self.say(page, "你好")
                page.until(f"test.verdict().includes('{code}')")
                self.assertIn(FAULT_NOTICE, page.js("test.last().innerText"))
                page.until(f"document.querySelector('#rows tr').innerText.includes('{code}')")
        page.js("document.querySelector('#active button').click()")
        self.say(page, "你好")
        page.until("test.them().includes('你好呀')")

    def test_a_slow_answer_comes_on_the_second_delivery_and_the_ruler_says_so(self) -> None:
        page = self.open()
        page.js(f"test.set('slow', {CUT * 1.5})")
        self.say(page, "讲个故事")
        page.until("document.querySelector('.ruler .bar-running')")
        page.until("document.querySelector('.ruler .bar-reply')")
        self.assertIn("第 2 次请求", page.js("test.verdict()"))
        self.assertEqual(page.js("document.querySelectorAll('#steps li').length"), 2)
        self.assertEqual(page.js("document.querySelectorAll('.ruler .bar-bad').length"), 1)
        self.assertIn("①✕ ②✓", page.js("test.last().innerText"))

    def test_an_answer_that_never_comes_is_the_fault_notice(self) -> None:
        page = self.open()
        page.js(f"test.set('slow', {CUT * 5})")
        self.say(page, "讲个故事")
        page.until("test.verdict().includes('故障')")
        self.assertIn(FAULT_NOTICE, page.js("test.last().innerText"))
        self.assertEqual(page.js("document.querySelectorAll('.ruler .bar-bad').length"), 3)

    def test_replay_edit_and_copy(self) -> None:
        page = self.open()
        self.say(page, "你好")
        page.until("test.idle(1) && document.querySelector('[data-do=replay]:not([disabled])')")
        page.js("document.querySelector('[data-do=replay]').click()")
        page.until("test.idle(2) && document.activeElement.matches('#rows tr')")
        self.assertIn("重放", page.js("document.querySelector('#rows tr').innerText"))
        page.js("document.querySelector('[data-do=same]').click()")
        page.until("test.idle(3)")
        self.assertIn("同一条", page.js("document.querySelector('#rows tr').innerText"))
        page.until("document.querySelector('[data-do=chat]')")
        page.js("document.querySelector('[data-do=chat]').click()")
        page.until("document.body.dataset.copied")
        self.assertEqual(page.js("document.body.dataset.copied"), "> 你好\n< 你好呀！很高兴见到你。\n")
        page.js("document.querySelector('[data-do=edit]').click()")
        self.assertEqual(page.js("document.getElementById('text').value"), "你好")

    def test_the_list_is_filtered(self) -> None:
        page = self.open()
        for text in ("你好", "图文", "闭嘴"):
            self.say(page, text)
        page.until("test.idle(3)")
        page.js("test.find('图文')")
        self.assertEqual(page.js("document.querySelectorAll('#rows tr:not([hidden])').length"), 1)
        page.js("test.find('')")
        page.js("test.set('only', 'failed')")
        self.assertTrue(page.js("!document.getElementById('none').hidden"))

    def test_the_last_inputs_come_back_with_the_arrow(self) -> None:
        page = self.open()
        for text in ("一", "二"):
            self.say(page, text)
        page.key("ArrowUp")
        page.key("ArrowUp")
        self.assertEqual(page.js("document.getElementById('text').value"), "一")

    def test_users_have_conversations_of_their_own(self) -> None:
        page = self.open()
        self.say(page, "你好")
        page.until("test.them().includes('你好呀')")
        page.js("test.set('user', '+')")
        self.assertEqual(page.js("document.querySelectorAll('#log .turn').length"), 0)
        self.say(page, "图文")
        page.until("document.querySelectorAll('#log .card').length === 1")
        page.js("document.getElementById('clear').click()")
        page.until("document.querySelectorAll('#log .turn').length === 0")
        page.js("test.set('user', 'oTEST0001')")
        page.until("test.them().includes('你好呀')")

    def test_the_other_pages_show_rules_health_and_settings(self) -> None:
        page = self.open()
        self.say(page, "你好")
        page.until("test.idle(1)")
        page.js("document.querySelector('[data-view=rules]').click()")
        page.until("document.querySelectorAll('#rules tr').length > 10")
        page.js("document.getElementById('try-text').value = '天气好'; document.getElementById('try').requestSubmit()")
        page.until("document.querySelector('#tried .win')")
        self.assertIn("replies.ini:4", page.js("document.querySelector('#tried .win').innerText"))
        page.js("document.querySelector('[data-view=health]').click()")
        page.until("document.querySelectorAll('#charts svg[role=img]').length === 4")
        page.until("document.querySelectorAll('#findings li').length > 0")
        self.assertIn("aes", page.js("document.getElementById('findings').innerText"))
        page.js("document.querySelector('[data-view=settings]').click()")
        self.assertIn("body_max", page.js("document.getElementById('settings').innerText"))
        self.assertNotIn(self.rig.settings.token, page.js("document.documentElement.outerHTML"))

    def test_a_mistake_in_a_file_is_a_red_strip_until_it_is_mended(self) -> None:
        page = self.open()
        path = self.rig.base / "replies.ini"
        good = path.read_text(encoding="utf-8")
        try:
            path.write_text(good + "\n[坏]\n", encoding="utf-8")
            page.until("!document.getElementById('strip').hidden")
            self.assertIn("replies.ini:7", page.js("document.getElementById('strip').innerText"))
        finally:
            path.write_text(good, encoding="utf-8")
        page.until("document.getElementById('strip').hidden")

    def test_files_that_are_not_loaded_are_said_to_be_with_a_button_that_loads_them(self) -> None:
        page = self.open()
        Case.loaded = time.time() - 3600
        try:
            page.until("!document.getElementById('strip').hidden")
            page.js("document.querySelector('#strip button').click()")
            page.until("document.getElementById('strip').hidden")
        finally:
            Case.loaded = time.time() + 3600

    def test_a_new_answer_stays_in_sight_when_the_panel_takes_its_room(self) -> None:
        page = self.open()
        for n in range(8):
            self.say(page, f"第 {n} 句")
        page.until("test.idle(8)")
        page.js("document.getElementById('plus').click()")
        log = "document.getElementById('log')"
        page.until(f"{log}.scrollHeight - {log}.scrollTop - {log}.clientHeight < 2")


class Words(Case):
    def test_the_other_language_leaves_no_key_and_no_text_behind(self) -> None:
        page = self.open()
        self.say(page, "你好")
        page.until("test.idle(1)")
        for lang, html in (("en", "en"), ("zh", "zh-CN")):
            page.js("document.getElementById('lang').click()")
            self.assertEqual(page.js("document.documentElement.lang"), html)
            for view in ("chat", "rules", "health", "settings"):
                page.js(f"document.querySelector('.views [data-view={view}]').click()")
                page.until("new Promise(done => setTimeout(() => done(true), 150))")
                shown = page.js("document.body.innerText")
                with self.subTest(lang=lang, view=view):
                    self.assertEqual(re.findall(r"\b[a-z-]+\.[a-z]+(?:\.[a-z-]+)+\b", shown), [])
                    self.assertNotRegex(shown, r"undefined|\[object|\{\w+\}|NaN")

    def test_every_key_the_page_uses_is_in_the_catalogue(self) -> None:
        from weixin import texts
        from weixin.console.app import STATIC

        script, html = ((STATIC / name).read_text(encoding="utf-8") for name in ("console.js", "index.html"))
        used = set(re.findall(r'\bt\("([a-z0-9.-]+)"', script)) | set(re.findall(r'data-t[lp]?="([^"]+)"', html))
        known = texts.catalogue()["zh"]
        prefixes = {name for name in used if name.endswith(".")}
        self.assertEqual({name for name in used - prefixes if name not in known}, set())
        for prefix in prefixes:
            self.assertTrue(any(name.startswith(prefix) for name in known), prefix)


class Live(Case):
    def test_two_tabs_both_hear_what_one_sends(self) -> None:
        one, two = self.open(), self.open()
        self.say(one, "你好")
        for page in (one, two):
            page.until("test.them().includes('你好呀')")
        self.assertEqual(two.js("document.querySelectorAll('#rows tr').length"), 1)

    def test_polling_shows_the_same(self) -> None:
        streamed, polled = self.open(), self.open("?live=poll")
        self.say(streamed, "图文")
        for page in (streamed, polled):
            page.until("test.idle(1) && document.querySelectorAll('#log .card').length === 1")
        shown = [page.js("document.getElementById('log').innerText") for page in (streamed, polled)]
        self.assertEqual(shown[0], shown[1])
        self.assertEqual(polled.js("document.getElementById('live').dataset.state"), "poll")

    def test_the_fifth_tab_polls(self) -> None:
        self.may_fail = "503"
        pages = [self.open() for _ in range(5)]
        for page in pages:
            page.until("['on', 'poll'].includes(document.getElementById('live').dataset.state)")
        states = [page.js("document.getElementById('live').dataset.state") for page in pages]
        self.assertEqual(states, ["on"] * 4 + ["poll"])
        self.say(pages[0], "你好")
        pages[4].until("test.them().includes('你好呀')")

    def test_after_a_restart_nothing_is_lost_and_nothing_is_double(self) -> None:
        self.may_fail = RESTARTED
        page = self.open()
        self.say(page, "你好")
        page.until("test.idle(1)")
        port, secret = self.rig.port, self.rig.secret
        self.rig.close()
        page.until("document.getElementById('live').dataset.state !== 'on'")
        start(port, secret)
        page.until("document.getElementById('live').dataset.state === 'on'", 30)
        self.say(page, "图文")
        page.until("test.idle(2) && document.querySelectorAll('#log .card').length === 1")
        self.assertEqual(page.js("document.querySelectorAll('#log .turn').length"), 2)
        ids = page.js("[...document.querySelectorAll('#rows tr')].map(tr => tr.dataset.id)")
        self.assertEqual(len(ids), len(set(ids)))

    def test_after_a_restart_what_the_store_knows_by_another_name_is_no_double(self) -> None:
        self.may_fail = RESTARTED
        page = self.open()
        self.say(page, "你好")
        page.until("test.idle(1)")
        at = page.js("Date.parse(document.querySelector('#rows time').dateTime) / 1000")
        port, secret = self.rig.port, self.rig.secret
        self.rig.close()
        page.until("document.getElementById('live').dataset.state !== 'on'")
        start(port, secret)
        record = Record("d1", at + 0.1, "oTEST0001", "text")
        with self.rig.console.ledger.change(record):
            record.text, record.done, record.outcome = "你好", True, "reply"
            record.said, record.bubble = {"kind": "text", "text": "你好"}, {"kind": "text", "text": "你好呀"}
        page.until("document.querySelector('#rows tr[data-id=d1]')", 30)
        page.until("document.querySelectorAll('#rows tr').length === 1")
        self.assertEqual(page.js("document.querySelectorAll('#log .turn').length"), 1)

    def test_a_thousand_deliveries_leave_the_page_responsive(self) -> None:
        page = self.open()
        ledger = self.rig.console.ledger
        page.js("window.slowest = 0; let at = performance.now(); (function look() { const now = performance.now();"
                "window.slowest = Math.max(window.slowest, now - at); at = now; requestAnimationFrame(look); })()")
        for n in range(1000):
            record = Record(f"n{n}", 1_790_000_000 + n, "oTEST0001", "text")
            with ledger.change(record):
                record.text, record.done, record.outcome = f"第 {n} 条", True, "reply"
                record.said = {"kind": "text", "text": record.text}
                record.bubble = {"kind": "text", "text": "好"}
        page.until("document.querySelector('#rows tr')?.dataset.id === 'n999'")
        page.until("document.querySelectorAll('#rows tr').length === 500")
        self.assertLess(page.js("window.slowest"), 2000)


class Safety(Case):
    def test_no_script_of_a_reply_runs_and_nothing_overflows(self) -> None:
        page = self.open()
        page.js("document.addEventListener('securitypolicyviolation', e => { window.__csp = e.blockedURI; })")
        markup = "<img src=x onerror='window.__pwned=1'>"
        for text in ("坏话", "长话", "长行", markup, "x" * 10_000, "]]>", "\u202eabc"):
            self.say(page, text)
        page.until("test.idle(7)")
        self.assertIsNone(page.js("window.__pwned"))
        self.assertIsNone(page.js("window.__csp"))
        self.assertEqual(page.js("document.querySelectorAll('#log img, #log script').length"), 0)
        links = page.js("[...document.querySelectorAll('#log a')].map(a => [a.href, a.rel, a.target])")
        self.assertEqual(links, [["https://example.com/", "noopener noreferrer", "_blank"]])
        self.assertTrue(page.js("(log => log.scrollWidth <= log.clientWidth)(document.getElementById('log'))"))
        page.js("document.querySelector('.choice').click()")
        page.until("document.querySelectorAll('#log .card').length === 1")

    def test_the_key_leaves_the_address_and_a_used_one_asks_for_another(self) -> None:
        self.may_fail = "401"
        Client(self.rig.port).ask("POST", "/api/login", {"key": self.rig.key})  # whoever was first
        page = self.browser.page()
        self.pages.append(page)
        page.call("Network.clearBrowserCookies")
        try:
            page.go(self.rig.url)
            page.until("document.getElementById('login')?.open")
            self.assertEqual(page.js("location.hash"), "")
            page.js("document.getElementById('key').value = 'wrong'")
            page.js("document.getElementById('login-form').requestSubmit()")
            page.until("document.getElementById('login-error').textContent")
        finally:
            session = self.rig.console._access._sign  # a session as the first login made it
            until = "9999999999"
            page.call("Network.setCookie", name=f"wxserve-{self.rig.port}", value=f"{until}.{session(until)}",
                      url=f"http://127.0.0.1:{self.rig.port}/", httpOnly=True, sameSite="Strict")


class Everybody(Case):
    """WCAG 2.2 AA, as far as a program can tell."""

    def talk(self, page: chromium.Page) -> None:
        for n, text in enumerate(("你好", "图文", "视频", "人工", "闭嘴"), 1):
            self.say(page, text)
            page.until(f"test.idle({n})")
        page.js("test.set('fault', 'bad-signature')")
        self.say(page, "坏")
        page.until("test.idle(6) && test.verdict().includes('WX-SIG-02')")

    def test_everything_has_a_name_and_its_place(self) -> None:
        page = self.open()
        self.talk(page)
        page.js("document.getElementById('plus').click(); document.querySelector('[data-kind=location]').click()")
        for view in ("chat", "rules", "health", "settings"):
            page.js(f"document.querySelector('.views [data-view={view}]').click()")
            page.until("new Promise(done => setTimeout(() => done(true), 150))")
            nodes = page.tree()
            with self.subTest(view):
                for node in nodes:
                    role = node["role"]["value"]
                    if role in NAMED:
                        self.assertTrue(node.get("name", {}).get("value", "").strip(), node)
                logs = [node for node in nodes if node["role"]["value"] == "log"]
                self.assertEqual(len(logs), 1 if view == "chat" else 0)
                self.assertEqual(len([n for n in nodes if n["role"]["value"] == "main"]), 1)
            seen = "[...document.querySelectorAll('h1,h2,h3,h4')].filter(h => h.offsetParent)"
            levels = page.js(f"{seen}.map(h => +h.tagName[1])")
            self.assertEqual(levels[0], 1)
            self.assertTrue(all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels)
            ids = page.js("[...document.querySelectorAll('[id]')].map(e => e.id)")
            self.assertEqual(len(ids), len(set(ids)))

    def test_each_bubble_says_who_speaks(self) -> None:
        page = self.open()
        self.talk(page)
        lines = page.js("[...document.querySelectorAll('#log .line')].map(l => l.textContent)")
        self.assertEqual(lines[0], "我：你好我")
        self.assertEqual(lines[1], "M公众号：你好呀！很高兴见到你。")
        self.assertTrue(all(line.startswith(("我：", "M公众号：")) for line in lines), lines)

    def test_tab_walks_from_the_phone_to_the_list_to_the_inspector(self) -> None:
        page = self.open()
        self.talk(page)
        page.js("document.getElementById('text').focus()")
        walked = []
        for _ in range(30):
            page.key("Tab")
            place = "e.id || (e.closest('#rows') ? 'row' : e.dataset.do || e.tagName)"
            walked.append(page.js(f"(e => {place})(document.activeElement)"))
        for a, b in (("plus", "only"), ("only", "q"), ("q", "row"), ("row", "replay"), ("replay", "chat")):
            self.assertLess(walked.index(a), walked.index(b), walked)
        self.assertEqual(walked.count("row"), 1)

    def test_the_list_moves_with_the_arrows_and_obeys_letters_only_there(self) -> None:
        page = self.open()
        self.talk(page)
        page.js("document.querySelector('#rows tr').focus()")
        for _ in range(5):
            page.key("ArrowDown")
        self.assertEqual(page.js("document.activeElement.innerText.includes('你好')"), True)
        page.until("document.querySelector('#detail strong').textContent === '你好'")
        page.key("c")
        page.until("document.body.dataset.copied")
        page.key("?")
        page.until("document.getElementById('help').open")
        page.js("document.getElementById('keys-on').click()")
        page.key("Escape")
        page.until("!document.getElementById('help').open && document.activeElement.matches('#rows tr')")
        page.key("?")
        self.assertFalse(page.js("document.getElementById('help').open"))

    def test_contrast_in_both_colour_schemes(self) -> None:
        page = self.open()
        self.talk(page)
        page.js("document.getElementById('plus').click()")
        for scheme in ("light", "dark"):
            page.media(prefers_color_scheme=scheme)
            page.until(f"document.documentElement.dataset.theme === '{scheme}'")
            for view in ("chat", "rules", "health", "settings"):
                page.js(f"document.querySelector('.views [data-view={view}]').click()")
                page.until("new Promise(done => setTimeout(() => done(true), 200))")
                with self.subTest(scheme=scheme, view=view):
                    self.assertEqual(page.js(CONTRAST), [])

    def test_nothing_scrolls_sideways_on_a_small_phone_or_at_double_size(self) -> None:
        page = self.open()
        self.talk(page)
        page.js("document.getElementById('plus').click()")
        for width, height in ((320, 640), (360, 740), (640, 400), (800, 600), (1024, 700)):
            page.size(width, height)
            for view in ("chat", "rules", "health", "settings"):
                page.js(f"document.querySelector('.views [data-view={view}]').click()")
                for pane in ("phone", "list", "inspector") if view == "chat" and width < 760 else ("",):
                    if pane:
                        page.js(f"document.querySelector('.tabs [data-pane={pane}]').click()")
                    page.until("new Promise(done => setTimeout(() => done(true), 60))")
                    with self.subTest(width=width, view=view, pane=pane):
                        self.assertLessEqual(page.js("document.documentElement.scrollWidth"), width)
                        self.assertEqual(page.js(CUT_OFF), [])

    def test_targets_are_large_enough(self) -> None:
        page = self.open()
        self.talk(page)
        small = page.js(
            "[...document.querySelectorAll('button, select, input, summary')].filter(e => e.offsetParent && "
            "getComputedStyle(e).opacity !== '0').map(e => [e.id || e.textContent, e.getBoundingClientRect()])"
            ".filter(([, r]) => r.width && (r.height < 23.9 || r.width < 16)).map(([name, r]) => [name, r.height])"
        )
        self.assertEqual(small, [])

    def test_a_word_that_is_being_composed_is_not_sent(self) -> None:
        page = self.open()
        page.js("document.getElementById('text').focus()")
        page.call("Input.imeSetComposition", text="nihao", selectionStart=5, selectionEnd=5)
        page.key("Enter", code=229)
        self.assertEqual(page.js("document.querySelectorAll('#log .turn').length"), 0)
        page.type("你好")
        page.key("Enter")
        page.until("test.them().includes('你好呀')")
        self.assertEqual(page.js("document.querySelectorAll('#log .turn').length"), 1)

    def test_shift_and_enter_break_the_line(self) -> None:
        page = self.open()
        page.js("document.getElementById('text').focus()")
        page.type("一")
        page.key("Enter", modifiers=8)
        page.type("二")
        self.assertEqual(page.js("document.getElementById('text').value"), "一\n二")
        self.assertEqual(page.js("document.querySelectorAll('#log .turn').length"), 0)


# Every text that is seen, against what is behind it: 4.5 to 1, or 3 to 1 where it is large (WCAG 2.2, 1.4.3).
CONTRAST = """(() => {
  const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3]));
  const light = rgb => rgb.map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = e => { const layers = []; for (let at = e; at; at = at.parentElement) {
      const c = parse(getComputedStyle(at).backgroundColor); if (c[3]) layers.push(c); if (c[3] === 1) break; }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]); };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !e.getClientRects().length) continue;
    if (e.closest('.sr, .skip, option, script, [disabled], noscript')) continue;
    const style = getComputedStyle(e);
    const color = e.closest('svg') ? style.fill : style.color;
    if (!/^rgb/.test(color)) continue;
    const back = e.closest('svg') ? null : behind(e);
    const under = back || behind(e.closest('svg').parentElement);
    if (e.classList.contains('on')) continue;
    const a = light(over(parse(color), under)), b = light(under);
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && +style.fontWeight >= 700);
    const name = walker.currentNode.textContent.trim().slice(0, 20) + ' | ' + (e.className.baseVal ?? e.className);
    if (ratio < (large ? 3 : 4.5)) found.push(name + ' | ' + ratio.toFixed(2));
  }
  return [...new Set(found)];
})()"""

# Buttons that stand outside the window without anything to scroll them into it.
CUT_OFF = """[...document.querySelectorAll('button, select, input, textarea')].filter(e => e.offsetParent).filter(e => {
  const r = e.getBoundingClientRect();
  return r.width > 1 && (r.right > innerWidth + 1 || r.left < -1) && !e.closest('.scroll-x');
}).map(e => (e.id || e.textContent) + ' ' + Math.round(e.getBoundingClientRect().right))"""


if __name__ == "__main__":
    unittest.main()
