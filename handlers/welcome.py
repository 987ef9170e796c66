"""Greet who follows the account.

``on.subscribe`` is an event; ``msg.scene`` says which QR code was scanned to follow, and is empty without one. To greet
those of one code in their own way, write ``@on.scan("42")`` above another function.
"""

from wxserve import Message, on


@on.subscribe
def welcome(msg: Message) -> str:
    source = f"（来自 {msg.scene}）" if msg.scene else ""
    return f"欢迎关注{source}！随便说点什么吧，回复「人工」可以找客服。"
