"""WeRoBot answering the race's push, at its best: without the SQLite session that is its default."""

from __future__ import annotations

import os

from werobot import WeRoBot

robot = WeRoBot(
    token=os.environ["BENCH_TOKEN"],
    app_id=os.environ["BENCH_APPID"],
    encoding_aes_key=os.environ["BENCH_AES_KEY"],
    SESSION_STORAGE=False,
)


@robot.text
def echo(message):
    return "echo: " + message.content


application = robot.wsgi
