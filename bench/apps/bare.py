"""The smallest honest WSGI callable: it reads the push and answers a reply's worth of bytes."""

from __future__ import annotations

REPLY = (
    "<xml><ToUserName><![CDATA[oBench]]></ToUserName><FromUserName><![CDATA[gh_bench]]></FromUserName>"
    "<CreateTime>1700000000</CreateTime><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[echo: 上海 天气]]></Content></xml>"
).encode()
HEADERS = [("Content-Type", "text/xml"), ("Content-Length", str(len(REPLY)))]


def application(environ, start_response):
    environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    start_response("200 OK", HEADERS[:])
    return [REPLY]
