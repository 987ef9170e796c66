"""A whole console for tests: the application behind a private unix socket, the console before it, both over HTTP.

The server is wsgiref's with a thread for each request and ``wait_gone`` added: fast to start in a test's own process.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import socketserver
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Callable
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from tests import waiting
from weixin import app, config, log
from weixin.console.access import Access, make_key
from weixin.console.app import Console, Hooks
from weixin.console.door import Door, in_modes
from weixin.console.pace import Pace, Paced
from weixin.store import Store, open_store

HANDLERS = '''
from wxserve import Article, Handover, Image, Message, Music, News, Success, Video, Voice, on


@on.text("图文", "news")
def news() -> News:
    return News("上海 晴 26°C", "点击看详情", pic="https://example.com/a.jpg", url="https://example.com/a")


@on.text("无网址")
def nowhere() -> News:
    return News("没有网址", "x", pic="a.jpg", url="b")


@on.text("记住")
def remember(state: dict) -> str:
    state["n"] = state.get("n", 0) + 1
    return f"第 {state['n']} 次"


@on.text("坏话")
def evil() -> str:
    return (
        '<img src=x onerror="window.__pwned=1"> <script>window.__pwned=1</script> '
        '<a href="javascript:window.__pwned=1">点我</a> <a href="https://example.com/">好的</a> ]]> \\u202eabc '
        '<a href="weixin://bizmsgmenu?msgmenucontent=图文&msgmenuid=1">看图文</a> [微笑]'
    )


@on.text("长话")
def long() -> str:
    return "长" * 900 + "\\n" + "x" * 10_000


@on.text("长行")
def line() -> str:
    return "x" * 2_000


@on.text("视频")
def video() -> Video:
    return Video("MEDIA_ID_1", "一段视频", "说明")


@on.text("音乐")
def music() -> Music:
    return Music("THUMB_ID", "夜曲", "试听", "https://example.com/m.mp3")


@on.text("语音")
def voice() -> Voice:
    return Voice("MEDIA_ID_2")


@on.text("人工")
def human() -> Handover:
    return Handover("kf2001@shop")


@on.text("闭嘴")
def quiet() -> Success:
    return Success()


@on.click("MENU_NEWS")
def menu() -> News:
    return News([Article(f"第 {n} 条", "说明", "https://example.com/p.jpg", "https://example.com/") for n in (1, 2, 3)])


@on.image
def image(msg: Message) -> Image:
    return Image(msg.media_id)


@on.subscribe
def welcome() -> str:
    return "欢迎关注！\\n回复「图文」看看。"


@on.any(priority=-100)
def echo(msg: Message) -> str:
    return f"对啊，{msg.text or msg.kind}，然后呢"
'''

REPLIES = """[你好 | hello]
text = 你好呀！很高兴见到你。

[包含: 天气]
text = 上海 晴 26°C
"""

MENU = {
    "button": [
        {"type": "click", "name": "最新", "key": "MENU_NEWS"},
        {"name": "更多", "sub_button": [
            {"type": "view", "name": "官网", "url": "https://example.com/"},
            {"type": "scancode_waitmsg", "name": "扫一扫", "key": "MENU_SCAN"},
        ]},
        {"type": "click", "name": "帮助", "key": "MENU_HELP"},
    ]
}  # fmt: skip


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128
    closing = False


class _UnixServer(_Server):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.setup_environ()

    def setup_environ(self) -> None:
        self.server_name, self.server_port = "localhost", 80
        super().setup_environ()


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass

    def address_string(self) -> str:
        return "local"

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ["wxserve.wait_gone"] = self._wait_gone
        return environ

    def _wait_gone(self, timeout: float, until: int = -1) -> bool:
        """As our own server does it: whether the client hangs up, or False when *until* is readable."""
        awaited = [self.connection, *([until] if until >= 0 else [])]
        ready = select.select(awaited, [], [], timeout)[0]
        if self.server.closing:  # type: ignore[attr-defined]
            return True
        return self.connection in ready and not self.connection.recv(1, socket.MSG_PEEK)

    def setup(self) -> None:
        super().setup()
        self.client_address = self.client_address or ("", 0)


class Rig:
    """Starts everything in a temporary project; `close` ends it."""

    def __init__(
        self,
        mode: str = "plain",
        *,
        cut: float = 5.0,
        store: str = "memory:",
        content: str = "full",
        secret: bytes = b"secret of the tests",
        port: int = 0,
        hooks: Hooks | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="wxconsole")
        base = Path(self._folder.name) / "mybot"
        (base / "handlers").mkdir(parents=True)
        (base / "handlers" / "bot.py").write_text(HANDLERS, encoding="utf-8")
        (base / "replies.ini").write_text(REPLIES, encoding="utf-8")
        (base / "menu.json").write_text(json.dumps(MENU), encoding="utf-8")
        self.base = base
        self.cookie = ""
        environ = {"WXSERVE_TOKEN": "token4tests", "WXSERVE_MODE": mode}
        environ.update(WXSERVE_STORE=store, WXSERVE_STORE_CONTENT=content)
        if mode != "plain":
            environ.update(WXSERVE_APPID="wx0123456789abcdef", WXSERVE_AES_KEY="a" * 43)
        self.settings = config.load(None, {}, environ, base=str(base))
        self.key, self.secret = make_key(), secret
        self.journal = log.Journal(sys.stderr, 100, log.Style())
        door_key = make_key()
        pace = Pace()
        self.application = app.build(self.settings, self.journal, wrap=lambda rules: Paced(rules, pace))
        modes = in_modes(self.settings, door_key)
        variants = {name: self.application.sibling(settings) for name, settings in modes.items()}
        self.door = Door(self.application, door_key, variants, pace)
        self.private = _UnixServer(str(base / "private.sock"), _Handler)
        self.private.set_app(self.door)
        access = Access(self.key, secret)
        address = f"unix:{base}/private.sock"
        self.console = Console(self.settings, address, door_key, access, self._store(), hooks, cut=cut)
        self.public = _Server(("127.0.0.1", port), _Handler)
        self.public.set_app(self.console)
        self.port = self.public.server_address[1]
        servers = (self.private, self.public)
        self._threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in servers]
        for thread in self._threads:
            thread.start()

    def _store(self) -> Store | None:
        """The console's own sight of what the workers remember."""
        return open_store(self.settings.store, full=True) if self.settings.store != "memory:" else None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/#k={self.key}"

    def close(self) -> None:
        """End everything; harmless when it has ended."""
        if self.public.closing:
            return
        for server in (self.public, self.private):
            server.closing = True
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()
        self.console.close()
        self.door.close()
        self._folder.cleanup()

    def client_known(self) -> Client:
        """A client with the session that a browser has."""
        client = Client(self.port)
        client.cookie = self.cookie
        return client

    def client(self) -> Client:
        """A client that has given the key."""
        client = Client(self.port)
        client.login(self.key)
        return client


class Client:
    """Speaks to the console as the page does, and as others might."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookie = ""

    def login(self, key: str) -> None:
        answer = self.ask("POST", "/api/login", {"key": key})
        assert answer.status == 200, answer.body
        self.cookie = answer.header("Set-Cookie").split(";")[0]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given.setdefault("Host", f"127.0.0.1:{self.port}")
        if method == "POST":
            given.setdefault("Origin", f"http://127.0.0.1:{self.port}")
        if self.cookie:
            given.setdefault("Cookie", self.cookie)
        try:
            connection.request(method, path, data, {name: value for name, value in given.items() if value})
            response = connection.getresponse()
            return Said(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def json(self, path: str, body: Any = None) -> Any:
        answer = self.ask("POST" if body is not None else "GET", path, body)
        assert answer.status in (200, 202), (answer.status, answer.body)
        return json.loads(answer.body)

    def send(self, **order: Any) -> dict[str, Any]:
        """Send, and wait for the end of it; return its explanation."""
        id = self.json("/api/send", order)["id"]
        return self.wait(id)

    def wait(self, id: str, seconds: float = 20.0) -> dict[str, Any]:
        until(lambda: bool(self.json("/api/deliveries/" + id)["done"]), seconds)
        found: dict[str, Any] = self.json("/api/deliveries/" + id)
        return found


class Said:
    """An answer."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until *true*, which is the only way to wait for another process; fail after *seconds*."""
    waiting.until(true, seconds)
