"""Drives a real Chromium over two pipes: JSON ended by NUL on descriptors 3 and 4, so that nothing but the standard
library is needed (--remote-debugging-pipe; Chrome DevTools Protocol).
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome-headless-shell")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check", "--mute-audio", "--hide-scrollbars",
    "--remote-debugging-pipe", "--accept-lang=zh-CN,zh",
)  # fmt: skip
ANSWER_SECONDS = 30.0
# The browser reads at 3 and writes at 4, whatever numbers these have now; a shell knows no number above 9.
PLUMBING = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD_CLOEXEC, 10) for end in sys.argv[1:3]]
for end, number in zip(ends, (3, 4)):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find() -> str | None:
    """Where a Chromium is, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One Chromium with a profile of its own; `close` ends it."""

    def __init__(self, path: str) -> None:
        self._profile = tempfile.mkdtemp(prefix="chromium")
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        ends = (str(to_browser), str(from_browser))
        browser = (path, *FLAGS, f"--user-data-dir={self._profile}", "about:blank")
        arguments = [sys.executable, "-I", "-S", "-c", PLUMBING, *ends, *browser]
        self._process = subprocess.Popen(arguments, pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._id = 0
        self.pages: dict[str, Page] = {}

    def page(self, url: str = "about:blank", *, width: int = 1280, height: int = 800, mobile: bool = False) -> Page:
        """Open a tab."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self.pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network", "DOM", "Accessibility"):
            page.call(f"{domain}.enable")
        page.size(width, height, mobile=mobile)
        if url != "about:blank":
            page.go(url)
        return page

    def call(self, method: str, params: dict[str, Any] | None = None, session: str = "") -> Any:
        """Ask for something and return the answer."""
        self._id += 1
        asked: dict[str, Any] = {"id": self._id, "method": method, "params": params or {}}
        if session:
            asked["sessionId"] = session
        data = json.dumps(asked).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        end = time.monotonic() + ANSWER_SECONDS
        while True:
            message = self.next(end - time.monotonic())
            if message is None:
                raise TimeoutError(method)
            if message.get("id") == self._id:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]

    def next(self, seconds: float) -> dict[str, Any] | None:
        """The next message, handed to its page if it is an event; None if there is none in time."""
        while b"\0" not in self._buffer:
            if seconds <= 0 or not select.select([self._in], [], [], seconds)[0]:
                return None
            data = os.read(self._in, 1 << 20)
            if not data:
                raise EOFError("the browser is gone")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message and message.get("sessionId") in self.pages:
            self.pages[message["sessionId"]].heard(message["method"], message["params"])
        return message

    def close(self) -> None:
        try:
            self.call("Browser.close")
        except (OSError, EOFError, RuntimeError, TimeoutError):
            self._process.kill()
        self._process.wait(10)
        os.close(self._out)
        os.close(self._in)
        shutil.rmtree(self._profile, ignore_errors=True)


class Page:
    """One tab, and everything it said: errors of the console and every address it asked for."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self._target = target
        self.errors: list[str] = []
        self.addresses: list[str] = []

    def heard(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details["text"])
        if method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        if method == "Network.requestWillBeSent":
            self.addresses.append(params["request"]["url"])

    def call(self, method: str, **params: Any) -> Any:
        return self._browser.call(method, params, self._session)

    def go(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def size(self, width: int, height: int, *, mobile: bool = False, scale: float = 1.0) -> None:
        device = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile}
        self.call("Emulation.setDeviceMetricsOverride", **device)

    def media(self, **features: str) -> None:
        """Emulate ``prefers_color_scheme="dark"``."""
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", features=named)

    def js(self, expression: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            details = found["exceptionDetails"]
            raise AssertionError(details.get("exception", {}).get("description") or details["text"])
        return found["result"].get("value")

    def until(self, expression: str, seconds: float = 20.0) -> None:
        """Wait until *expression*, or what it promises, is true in the page."""
        end = time.monotonic() + seconds
        while not self.js(f"Promise.resolve({expression}).then(Boolean)"):
            if time.monotonic() > end:
                raise AssertionError(f"never true: {expression}")
            self._browser.next(0.05)

    def key(self, key: str, code: int = 0, text: str = "", modifiers: int = 0) -> None:
        """Press and release a key."""
        code = code or KEYS.get(key, 0)
        text = text or {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers, "code": key}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Put *text* in where the focus is, as an input method does when it is done."""
        self.call("Input.insertText", text=text)

    def shot(self, path: str) -> None:
        """Write a picture of what is seen."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as stream:
            stream.write(base64.b64decode(data))

    def tree(self) -> list[dict[str, Any]]:
        """The accessibility tree's nodes that are not ignored."""
        nodes: list[dict[str, Any]] = self.call("Accessibility.getFullAXTree")["nodes"]
        return [node for node in nodes if not node.get("ignored")]

    def close(self) -> None:
        self._browser.call("Target.closeTarget", {"targetId": self._target})


KEYS = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, " ": 32}
