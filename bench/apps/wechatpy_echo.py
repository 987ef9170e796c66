"""wechatpy in a Flask view, as its quick start shows it, for plain and safe mode."""

from __future__ import annotations

import os

from flask import Flask, abort, request
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.replies import create_reply
from wechatpy.utils import check_signature

TOKEN = os.environ["BENCH_TOKEN"]

application = Flask(__name__)
crypto = WeChatCrypto(TOKEN, os.environ["BENCH_AES_KEY"], os.environ["BENCH_APPID"])


def answer(xml):
    message = parse_message(xml)
    return create_reply("echo: " + message.content, message).render()


@application.route("/weixin", methods=["GET", "POST"])
def weixin():
    query = request.args
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    try:
        check_signature(TOKEN, query.get("signature", ""), timestamp, nonce)
        if request.method == "GET":
            return query.get("echostr", "")
        if query.get("encrypt_type") != "aes":
            return answer(request.data)
        xml = crypto.decrypt_message(request.data, query.get("msg_signature", ""), timestamp, nonce)
    except (InvalidAppIdException, InvalidSignatureException):
        abort(403)
    return crypto.encrypt_message(answer(xml), nonce, timestamp)
