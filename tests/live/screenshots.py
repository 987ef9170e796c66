"""Makes pictures of the console: those of the READMEs again, or of all its views, for people to look at.

    python3 -m tests.live.screenshots [FOLDER]     (FOLDER: all the views, into it)
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.console.rig import Rig
from tests.live import chromium

# The pictures in the READMEs, and which views they are.
IMAGES = Path(__file__).parents[2] / "docs" / "images"
SHOWN = {"desktop-zh-light": "console-zh", "desktop-en-light": "console-en", "phone-zh-dark": "console-phone"}
READY = "document.body?.dataset.ready === '1'"


def settle(page: chromium.Page) -> None:
    """Wait until everything that was sent is answered and drawn."""
    page.until("![...document.querySelectorAll('#rows td:last-child')].some(td => td.textContent.includes('…'))")
    page.until("new Promise(done => requestAnimationFrame(() => setTimeout(() => done(true), 250)))")


def play(rig: Rig) -> None:
    """A conversation worth a picture."""
    client = rig.client_known()
    for order in (
        {"kind": "subscribe", "words": []},
        {"kind": "text", "words": ["你好"]},
        {"kind": "image", "words": []},
        {"kind": "location", "words": []},
        {"kind": "text", "words": ["人工"]},
        {"kind": "text", "words": ["还在吗"], "fault": "bad-signature"},
        {"kind": "text", "words": ["图文"], "mode": "safe"},
        {"kind": "text", "words": ["讲个故事"], "slow": 7},
    ):
        client.send(**order)


def main() -> int:
    path = chromium.find()
    if path is None:
        print("there is no Chromium", file=sys.stderr)
        return 1
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    rig = Rig()
    browser = chromium.Browser(path)
    try:
        page = browser.page(rig.url)
        page.until(READY)
        cookies = page.call("Network.getCookies", urls=[f"http://127.0.0.1:{rig.port}/"])["cookies"]
        rig.cookie = f"{cookies[0]['name']}={cookies[0]['value']}"
        play(rig)
        settle(page)
        for lang in ("zh", "en"):
            page.js(f"localStorage.setItem('wxserve.lang', '{lang}')")
            for scheme in ("light", "dark"):
                page.media(prefers_color_scheme=scheme)
                for name, width, height in (("desktop", 1280, 800), ("phone", 390, 844)):
                    page.size(width, height, mobile=name == "phone")
                    page.go(f"http://127.0.0.1:{rig.port}/?{lang}{scheme}{name}")
                    page.until(f"location.search === '?{lang}{scheme}{name}' && {READY}")
                    settle(page)
                    view = f"{name}-{lang}-{scheme}"
                    if folder is not None:
                        page.shot(str(folder / f"{view}.png"))
                        views(page, folder, view)
                    elif view in SHOWN:
                        page.shot(str(IMAGES / f"{SHOWN[view]}.png"))
    finally:
        browser.close()
        rig.close()
    print(*sorted(os.listdir(folder or IMAGES)), sep="\n")
    return 0


def views(page: chromium.Page, folder: Path, name: str) -> None:
    """The other pages and panes, once each is enough."""
    if name.endswith(("en-light", "zh-dark")):
        if name.startswith("phone"):
            for pane in ("list", "inspector"):
                page.js(f"document.querySelector('.tabs [data-pane={pane}]').click()")
                settle(page)
                page.shot(str(folder / f"{name}-{pane}.png"))
            page.js("document.querySelector('.tabs [data-pane=phone]').click()")
        page.js("document.getElementById('plus').click()")
        settle(page)
        page.shot(str(folder / f"{name}-sheet.png"))
        for view in ("rules", "health", "settings"):
            page.js(f"document.querySelector('.views [data-view={view}]').click()")
            settle(page)
            page.shot(str(folder / f"{name}-{view}.png"))


if __name__ == "__main__":
    sys.exit(main())
