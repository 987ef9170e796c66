"""The console without JavaScript: one form to send, one table of what happened. No styles, no scripts, no state."""

from __future__ import annotations

import time
from collections.abc import Iterable
from html import escape

from .. import texts
from .ledger import Record
from .orders import catalogue


def page(records: Iterable[Record], lang: str) -> bytes:
    """The form and the table."""
    kinds = "".join(f"<option>{escape(each['kind'])}</option>" for each in catalogue())
    rows = "".join(_row(record, lang) for record in records)
    columns = ("time", "user", "kind", "text", "answer", "ms")
    heads = "".join(f"<th>{_say(f'plain.{name}', lang)}</th>" for name in columns)
    return _html(
        lang,
        f"<form method=post action=/send><p><label>{_say('plain.kind', lang)} "
        f"<select name=kind>{kinds}</select></label> "
        f"<label>{_say('plain.text', lang)} <input name=text autofocus></label> "
        f"<button>{_say('plain.send', lang)}</button></p></form>"
        f"<table border=1><caption>{_say('plain.list', lang)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>",
    )


def login(lang: str, failed: bool) -> bytes:
    """The form that asks for the key."""
    why = f"<p>{_say('login.failed', lang)}</p>" if failed else ""
    return _html(
        lang,
        f"{why}<p>{_say('login.how', lang)}</p><form method=post action=/login><p><label>{_say('login.key', lang)} "
        f"<input name=key type=password autocomplete=off></label> "
        f"<button>{_say('login.enter', lang)}</button></p></form>",
    )


def _row(record: Record, lang: str) -> str:
    bubble = record.bubble
    shown = str(bubble.get("text") or bubble.get("kind") or "")
    if not record.done:
        shown = "…"
    elif not bubble:
        shown = record.code or record.why or texts.say("plain.nothing", lang)
    cells = (
        time.strftime("%H:%M:%S", time.localtime(record.at)),
        record.user,
        record.kind,
        record.text[:200],
        shown[:2_000],
        f"{record.seconds * 1000:.0f}",
    )
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _say(key: str, lang: str) -> str:
    return escape(texts.say(key, lang))


def _html(lang: str, body: str) -> bytes:
    return (
        f'<!doctype html><html lang="{lang}"><meta charset=utf-8><meta name=viewport content="width=device-width">'
        f"<title>wxserve</title><h1>wxserve</h1>{body}</html>\n"
    ).encode()
