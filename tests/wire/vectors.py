"""The worked examples that Tencent publishes (消息与事件推送, 消息加解密说明, the Python sample of cryptoDemo.zip)."""

from __future__ import annotations

import base64
from typing import NamedTuple


class Sealed(NamedTuple):
    """One worked example of safe mode: what is known of it, from the outside in."""

    name: str
    token: str
    aes_key: str
    appid: str
    timestamp: str
    nonce: str
    msg_signature: str
    encrypted: str
    random: bytes
    message: bytes

    @property
    def key(self) -> bytes:
        return base64.b64decode(self.aes_key + "=")


# token, timestamp, nonce, signature
SIGNATURES = (
    ("AAAAA", "1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),  # GET
    ("AAAAA", "1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),  # a plain push
    ("AAAAA", "1714112445", "415670741", "6c5c811b55cc85e0e1b54100749188c20beb3f5d"),  # a sealed push
    ("spamtest", "1409735669", "1320562132", "16120ec1b8dbb870f510d87ce6bc2463eae6ca1a"),  # the Python sample
    ("GreedIsGood", "1668869542", "973755032", "8e54ae7d2bee997f244afeea959387250adfb889"),  # recorded
)

PUSH = Sealed(
    name="the worked example of a push",
    token="AAAAA",
    aes_key="A" * 43,
    appid="wxba5fad812f8e6fb9",
    timestamp="1714112445",
    nonce="415670741",
    msg_signature="046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    encrypted=(
        "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsX"
        "UnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajA"
        "sjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
    ),
    random=b"a8eedb185eb2fecf",
    message=(
        b'{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,'
        b'"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}'
    ),
)

REPLY = Sealed(
    name="the worked example of a reply",
    token="AAAAA",
    aes_key="A" * 43,
    appid="wxba5fad812f8e6fb9",
    timestamp="1713424427",
    nonce="415670741",
    msg_signature="1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1",
    encrypted="ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==",
    random=b"707722b803182950",
    message=b'{"demo_resp":"good luck"}',
)

SAMPLE = Sealed(
    name="the Python sample",
    token="spamtest",
    aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    appid="wx2c2769f8efd9abc2",
    timestamp="1409735669",
    nonce="1320562132",
    msg_signature="5d197aaffba7e9b25a30732f161a50dee96bd5fa",
    encrypted=(
        "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9"
        "FrXpbUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3y"
        "t+WGzjlpKn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v"
        "6h0EIBYYI1BD1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
    ),
    random=b"89465c840c5f116f",
    message=(
        b"<xml><ToUserName><![CDATA[gh_10f6c3c3ac5a]]></ToUserName>\n"
        b"<FromUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></FromUserName>\n"
        b"<CreateTime>1409735668</CreateTime>\n"
        b"<MsgType><![CDATA[text]]></MsgType>\n"
        b"<Content><![CDATA[abcdteT]]></Content>\n"
        b"<MsgId>6054768590064713728</MsgId>\n"
        b"</xml>"
    ),
)

SEALED = (PUSH, REPLY, SAMPLE)
