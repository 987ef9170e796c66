"""What ``send`` says: its help, and what was wrong with the words."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "send.type": {"zh": "消息或事件的名字，见下", "en": "the name of a message or an event, see below"},
    "send.words": {
        "zh": "它的内容：文字、菜单 KEY、场景值、经纬度……；raw 后面是文件名，或 -",
        "en": "what it says: a text, a menu KEY, a scene, coordinates …; behind raw a file, or -",
    },
    "send.user": {"zh": "发送者的 OpenID", "en": "the sender's openid"},
    "send.to": {
        "zh": "发到这个地址（http://…、https://… 或 unix:/…）；不写就在本进程里，不用启动服务",
        "en": "post it to this address (http://…, https://… or unix:/…); without it, in process, no server needed",
    },
    "send.mode": {
        "zh": "plain | compat | safe；不用 --to 时两边一起换，缺的密钥临时生成",
        "en": "plain | compat | safe; without --to both sides change, and a missing key is made up",
    },
    "send.fault": {"zh": "故意弄错一处，见下", "en": "something wrong on purpose, see below"},
    "send.scene": {"zh": "扫码关注或扫码的场景值", "en": "the scene of the QR code that was scanned"},
    "send.key": {"zh": "菜单按钮的 KEY", "en": "a menu button's KEY"},
    "send.expect": {
        "zh": "用户看到的要符合这个式样（* ? 通配），否则退出码为 1；图文写 news: 标题*",
        "en": "what the user sees has to match (wildcards * ?), else the exit status is 1; articles: news: title*",
    },
    "send.within": {"zh": "要在这段时间内：1s、500ms", "en": "it has to come within this time: 1s, 500ms"},
    "send.epilog": {
        "zh": """TYPE 消息：
  text 文字  image [MEDIA_ID]  voice [识别结果]  video  shortvideo  location [纬度 经度 地名]  link [网址 标题]
TYPE 事件：
  subscribe  unsubscribe  scan 场景值  click KEY  view 网址  view-miniprogram 页面  location-event
  scancode-push KEY [结果]  scancode-waitmsg KEY [结果]  pic-sysphoto KEY  pic-album KEY  pic-weixin KEY
  location-select KEY  template-finish [结果]  kf-create  kf-close，以及平台其他事件的名字，例如 user_get_card
TYPE raw FILE|-：任意内容

FAULT：
{faults}""",
        "en": """TYPE, messages:
  text WORDS  image [MEDIA_ID]  voice [RECOGNITION]  video  shortvideo  location [LAT LONG LABEL]  link [URL TITLE]
TYPE, events:
  subscribe  unsubscribe  scan SCENE  click KEY  view URL  view-miniprogram PAGE  location-event
  scancode-push KEY [RESULT]  scancode-waitmsg KEY [RESULT]  pic-sysphoto KEY  pic-album KEY  pic-weixin KEY
  location-select KEY  template-finish [STATUS]  kf-create  kf-close, and any other by its name, as user_get_card
TYPE raw FILE|-: anything

FAULT:
{faults}""",
    },
    "send.unknown": {"zh": "没有叫 {name} 的消息或事件{hint}", "en": "no message or event is called {name}{hint}"},
    "send.hint": {"zh": "，是不是 {name}？", "en": "; is it {name}?"},
    "send.bad-word": {"zh": "{element} 不能是 {word}", "en": "{element} cannot be {word}"},
    "send.no-place": {"zh": "{word} 在这里没有用处", "en": "there is no place for {word}"},
    "send.raw": {"zh": "raw 后面要有一个文件名，或 -（标准输入）", "en": "raw takes one file, or - for standard input"},
    "send.unreadable": {"zh": "无法读取 {file}：{error}", "en": "cannot read {file}: {error}"},
    "send.address": {
        "zh": "{address} 不是地址；要 http://…、https://… 或 unix:/…，不带参数",
        "en": "{address} is no address; wanted: http://…, https://… or unix:/…, without a query",
    },
    "send.duration": {"zh": "{text} 不是时间；写 1s 或 500ms", "en": "{text} is no time; write 1s or 500ms"},
    "send.no-key": {
        "zh": "配置里没有 aes_key 或 appid，不能用 {mode} 模式发给别的服务",
        "en": "mode {mode} needs aes_key and appid in the configuration to reach another server",
    },
    "send.sealed-only": {"zh": "{fault} 只在 --mode compat 或 safe 里有", "en": "{fault} exists in --mode compat and safe"},
    "send.wire-only": {"zh": "{fault} 要有真的连接：加上 --to", "en": "{fault} takes a real connection: add --to"},
    "send.not-refused": {
        "zh": "服务器没有拒绝 {fault}，它必须拒绝",
        "en": "the server did not refuse {fault}, which it has to",
    },
    "send.differs": {
        "zh": "第二次的回答不同：先是 {first}，后是 {second}",
        "en": "the second answer differs: first {first}, then {second}",
    },
    "send.missed": {"zh": "应为 {expected}   得到 {got}", "en": "expected {expected}   got {got}"},
    "send.slow": {"zh": "用了 {n} 毫秒，超过 {limit} 毫秒", "en": "it took {n} ms, over {limit} ms"},
}
