"""Sentences that are no codes: help, and what commands print. Both languages have the same placeholders."""

from __future__ import annotations

from . import deploy, doctor, records, send, served, talk, usage

WORDS: dict[str, dict[str, str]] = {
    **deploy.WORDS,
    **doctor.WORDS,
    **records.WORDS,
    **send.WORDS,
    **served.WORDS,
    **talk.WORDS,
    **usage.WORDS,
    "fix": {"zh": "办法：{fix}", "en": "fix: {fix}"},
    "cause": {"zh": "原因：{cause}", "en": "cause: {cause}"},
    # Help.
    "help.overview": {
        "zh": """wxserve：微信公众号的服务器。只用 Python 标准库。

用法：python3 wxserve.py [命令] [选项]      （不写命令就是 run）

{commands}

每个命令都有 -h。例子：
  python3 wxserve.py                          没有配置文件时：本机演示
  python3 wxserve.py init mybot               生成一个项目
  python3 wxserve.py chat                     在终端里和它对话""",
        "en": """wxserve: the server behind a WeChat Official Account, in nothing but Python's standard library.

usage: python3 wxserve.py [command] [options]      (without a command: run)

{commands}

Every command has -h. Examples:
  python3 wxserve.py                          a demo on this machine, where there is no configuration
  python3 wxserve.py init mybot               make a project
  python3 wxserve.py chat                     talk to it in the terminal""",
    },
    "help.config": {"zh": "配置文件", "en": "the configuration file"},
    "help.lang": {"zh": "语言", "en": "the language of what is printed"},
    "help.color": {"zh": "是否用颜色", "en": "colours; NO_COLOR is respected"},
    "help.json": {"zh": "输出 JSON", "en": "print JSON"},
    "help.quiet": {"zh": "少说", "en": "print less"},
    "help.verbose": {"zh": "多说", "en": "print more"},
    "help.dump": {
        "zh": "打印生效的配置，以及每一项的来源",
        "en": "print the settings in force and where each came from",
    },
    "help.settings": {"zh": "配置项（优先于配置文件）", "en": "settings (before those of the file)"},
    "command.run": {"zh": "启动服务", "en": "serve"},
    "command.check": {"zh": "检查配置、处理函数和回复表", "en": "look through configuration, handlers and replies"},
    "command.init": {"zh": "生成一个新项目", "en": "make a new project"},
    "command.send": {"zh": "发一条消息或事件，看用户会收到什么", "en": "send one message or event, see the answer"},
    # Settings: the explanations in wxserve.ini and behind the flags.
    "option.token": {
        "zh": "3–32 位字母或数字，和微信开发者平台上填的一样",
        "en": "3 to 32 letters or digits, the same as on the platform",
    },
    "option.mode": {
        "zh": "plain 明文 | compat 兼容 | safe 安全",
        "en": "plain 明文 | compat 兼容 | safe 安全, as chosen on the platform",
    },
    "option.appid": {"zh": "兼容和安全模式需要", "en": "needed for compat and safe"},
    "option.aes_key": {
        "zh": "EncodingAESKey，43 位；最好不放在这里，用 WXSERVE_AES_KEY_FILE",
        "en": "EncodingAESKey, 43 characters; better kept out of this file: WXSERVE_AES_KEY_FILE",
    },
    "option.aes_key_previous": {
        "zh": "上一个 EncodingAESKey，更换期间仍然有效",
        "en": "the key before, still accepted while you change it",
    },
    "option.max_age": {
        "zh": "签名的有效时间（秒），0 为不限；因此拒绝时日志写 clock，不写 token",
        "en": "seconds a signed request stays fresh; 0 = any age. Refusals for age say clock, never token",
    },
    "option.listen": {"zh": "监听地址", "en": "where to listen"},
    "option.path": {"zh": "微信访问的路径", "en": "the path of WeChat's requests"},
    "option.workers": {
        "zh": "进程数；一个几乎总是够用；auto = 核数",
        "en": "processes; one is enough for nearly everybody; auto = cores",
    },
    "option.threads": {"zh": "每个进程最多的线程数", "en": "threads a process may have"},
    "option.pool": {
        "zh": "慢的处理函数（budget=，或曾经超过一秒的）另用的线程数",
        "en": "threads for slow handlers: those with budget=, and those that once took over a second",
    },
    "option.silent_max": {
        "zh": "5 分钟内超时到这么多次，慢的消息就先回复 busy（到 30 次微信会停推一分钟）",
        "en": "time-outs in 5 minutes before slow answers say busy at once (WeChat mutes an account at 30)",
    },
    "option.run_max": {
        "zh": "处理超过这么多秒就放弃，并把它的堆栈写进日志",
        "en": "seconds after which a run is given up and its stack logged",
    },
    "option.deadline": {
        "zh": "微信 5 秒断开；到这时还没有答案就不再等",
        "en": "WeChat hangs up at 5 seconds; what has no answer by now is not waited for",
    },
    "option.busy": {
        "zh": "来不及回答时说的话；答案留着，用户说 pickup 来取",
        "en": "what is said when an answer takes too long; it waits for the user to say the pick-up word",
    },
    "option.trust_proxy": {
        "zh": "只相信来自这些地址的 X-Forwarded-For",
        "en": "believe X-Forwarded-For only from these",
    },
    "option.body_max": {"zh": "请求体的最大长度", "en": "the largest body of a request"},
    "option.admin_listen": {
        "zh": "控制台和指标；不要放到公网上，用 ssh -L",
        "en": "console and metrics: never put this on the internet, use ssh -L",
    },
    "option.console": {"zh": "auto = 在 dev 和演示里打开，run 里关闭", "en": "auto = on in dev and demo, off in run"},
    "option.replies": {"zh": "不写代码的回复表", "en": "the table of replies, without code"},
    "option.replies_priority": {
        "zh": "回复表中关键词的优先级；处理函数默认是 0",
        "en": "the priority of its keywords; handlers have 0 unless they say otherwise",
    },
    "option.handlers": {"zh": "处理函数所在的文件夹，里面的 .py 都会载入", "en": "the folder whose .py files answer"},
    "option.final_marks": {
        "zh": "匹配时忽略句末的 。！？",
        "en": "pass over a final 。！? when texts are compared",
    },
    "option.pickup": {
        "zh": "用户说这个词来取迟到的答案，或长文本的后面部分",
        "en": "what a user says to get an answer that came too late, or the rest of a long one",
    },
    "option.split": {
        "zh": "文本超过 2047 字节时在合适的地方断开，后面的留着",
        "en": "cut a long text at 2047 bytes and keep the rest for the pick-up word",
    },
    "option.store": {
        "zh": "记住什么、记在哪里：memory: | sqlite:文件（答案、用户 state、收到的消息、统计）",
        "en": "what is remembered, and where: memory: | sqlite:FILE (answers, user state, deliveries, counts)",
    },
    "option.keep": {"zh": "保留最近多少条消息的记录", "en": "how many of the last messages are listed"},
    "option.store_content": {
        "zh": "记录里写多少：none | short（20 个字）| full（推送和回复，保留 24 小时）",
        "en": "and what of them: none | short (20 characters) | full (the push and the reply, for 24 hours)",
    },
    "option.answers": {
        "zh": "重复的推送在多少秒内得到同样的回复",
        "en": "seconds in which a late duplicate gets the same bytes",
    },
    "option.default_reply": {
        "zh": "什么都没匹配到时的回复；空为不回复",
        "en": "the text when nothing matched; empty = say nothing",
    },
    "option.log_level": {"zh": "debug | info | warning | error", "en": "debug | info | warning | error"},
    "option.log_format": {"zh": "text | json", "en": "text | json"},
    "option.log_content": {
        "zh": "日志里写多少用户的话：none | short（20 个字）| full",
        "en": "how much of a user's text is logged: none | short (20 characters) | full",
    },
    "option.log_openid": {"zh": "日志里的 OpenID：mask | hash | full", "en": "openids in the log: mask | hash | full"},
    "option.lang": {"zh": "语言：auto | zh | en", "en": "language: auto | zh | en"},
    # check
    "check.ok": {"zh": "配置没有问题：{rules} 条规则，AES 用 {aes}", "en": "configuration ok: {rules} rules, AES by {aes}"},
    "check.counts": {"zh": "{errors} 个错误，{warnings} 个警告", "en": "{errors} errors, {warnings} warnings"},
    "check.characters": {"zh": "（{n} 个字符）", "en": "({n} characters)"},
    "check.empty": {"zh": "（空）", "en": "(empty)"},
    # init
    "init.head": {
        "zh": "# wxserve.ini：所有选项。“##” 是说明，“#” 后面是默认值：去掉 # 再改。\n# 改完运行：python3 wxserve.py check",
        "en": '# wxserve.ini: every option. "##" explains, "#" shows the default: remove the # to change it.\n'
        "# Test with: python3 wxserve.py check",
    },
    "init.made": {"zh": "生成  {file}   {what}", "en": "made  {file}   {what}"},
    "init.what.wxserve.ini": {
        "zh": "新的 Token 和 EncodingAESKey；所有选项都列出来了，带说明",
        "en": "a fresh token and EncodingAESKey; every option listed and explained",
    },
    "init.what.replies.ini": {"zh": "不写代码的回复，4 条样例", "en": "replies without code, 4 samples"},
    "init.what.handlers/hello.py": {"zh": "用 Python 回复，1 个样例", "en": "a reply in Python, 1 sample"},
    "init.what.tests/hello.chat": {"zh": "一段对话，也是测试", "en": "a conversation that is a test"},
    "init.kept": {"zh": "保留  {file}（已经有了，没有改动）", "en": "kept  {file} (it was there; nothing was changed)"},
    "init.next": {
        "zh": """接下来  cd {folder}
        python3 {script} chat     在终端里和它对话
        python3 {script} dev      边改边试：改了就重新载入，在网页控制台里对话
        python3 {script} test     跑一遍 tests/*.chat
        python3 {script} doctor --url http://你的域名/weixin     放到服务器上以后
        在公众平台填：URL http(s)://你的域名/weixin，Token 见 wxserve.ini""",
        "en": """next  cd {folder}
      python3 {script} chat     talk to it in the terminal
      python3 {script} dev      edit files, they reload; talk in the console, a page
      python3 {script} test     runs tests/*.chat
      python3 {script} doctor --url http://your.domain/weixin     when it is on the server
      on the platform enter the URL http(s)://your.domain/weixin and the token from wxserve.ini""",
    },
    "init.cannot": {"zh": "无法写入 {file}：{error}", "en": "cannot write {file}: {error}"},
    "init.folder": {"zh": "要生成项目的文件夹（默认：当前）", "en": "the project's folder (default: this one)"},
    "init.replies": {
        "zh": """# 一段一条规则。段名是用户发来的话，| 隔开几种说法；@ 开头的不是文字：
# @关注 @图片 @语音 @位置 @菜单 KEY @扫码 场景值 @默认 …      包含: 词   开头: 词   re: 正则
# 改完运行：python3 wxserve.py check

[@关注]
text =
    欢迎关注！
    回复「你好」试试。

[你好 | hi | hello]
text = 你好呀！ || 在呢～

[re: ^查(?P<no>\\d{6,})$]
text = 单号 {no} 已收到

[@默认]
text = 没听懂，回复「你好」试试。
""",
        "en": """# One section per rule. Its name is what the user sends, | separates alternatives; @ marks what is no text:
# @subscribe @image @voice @location @menu KEY @scan SCENE @default …   contains: word   prefix: word   re: pattern
# Test with: python3 wxserve.py check

[@subscribe]
text =
    Welcome!
    Say hello to begin.

[hello | hi | 你好]
text = Hello! || Hi there.

[re: ^track (?P<no>\\d{6,})$]
text = Number {no} is noted.

[@default]
text = I did not understand that. Try hello.
""",
    },
    "init.handler": {
        "zh": '''"""这个文件夹里的每个 .py 都会载入；以 _ 开头的除外。"""

import time

from wxserve import on


@on.text("时间")
def now(msg):
    """用户发来「时间」时回复。返回的文字就是回复。"""
    return time.strftime("现在是 %H:%M")
''',
        "en": '''"""Every .py file in this folder is loaded; names that begin with _ are not."""

import time

from wxserve import on


@on.text("time")
def now(msg):
    """Answers the text "time". What is returned is the reply."""
    return time.strftime("It is %H:%M.")
''',
    },
    # send
    # What the user sees, and why it is not a reply.
    "seen.nothing": {"zh": "（没有回复）", "en": "(nothing)"},
    "seen.status": {"zh": "{status}，{time}", "en": "{status} in {time}"},
    "seen.expected": {"zh": "（正是要的那个错误）", "en": "(expected: that is the fault you asked for)"},
    "seen.unseen": {
        "zh": "用户看不到什么，但微信记一次失败",
        "en": "the user sees nothing of it, but WeChat counts a failure",
    },
    "seen.detail": {"zh": "：{error}", "en": ": {error}"},
    "note.near-limit": {"zh": "{n} 字节，离上限 {limit} 很近", "en": "{n} bytes, close to the limit of {limit}"},
    "note.cut": {"zh": "{n} 字节，太长，已截断（上限 {limit}）", "en": "{n} bytes: it was too long and was cut at {limit}"},
    "note.articles": {"zh": "共 {n} 条图文，只显示 {most} 条", "en": "of {n} articles {most} are shown"},
    "note.not-shown": {
        "zh": "回复了 {kind}，但这类事件的回复不会显示",
        "en": "the answer was {kind}; replies to this event are not shown",
    },
    "why.status": {"zh": "服务器返回 {status}{location}，微信只认 200", "en": "the answer was {status}{location}, not 200"},
    "why.timeout": {"zh": "{seconds} 秒没有回答，微信已断开", "en": "no answer in {seconds} s; WeChat hung up"},
    "why.unreachable": {"zh": "连不上{detail}", "en": "cannot connect{detail}"},
    "why.dropped": {"zh": "连接断开，没有回答{detail}", "en": "the connection was closed without an answer{detail}"},
    "why.not-http": {"zh": "回答的不是 HTTP{detail}", "en": "the answer is not HTTP{detail}"},
    "why.crashed": {"zh": "程序抛出了异常", "en": "the application raised an exception"},
    "why.html": {"zh": "回答的是网页，不是回复", "en": "the answer is a web page"},
    "why.json": {"zh": "回答的是 JSON；公众号只认 XML", "en": "the answer is JSON; an Official Account takes XML"},
    "why.success-spelt": {
        "zh": "回答的是 {body}；只能是 success 这 7 个字节，没有引号和换行",
        "en": "the answer is {body}; it has to be the 7 bytes success, no quotes, no line feed",
    },
    "why.not-xml": {"zh": "不是合法的 XML：{start}", "en": "not well-formed XML: {start}"},
    "why.sealed": {"zh": "明文模式里回答了密文", "en": "a sealed reply in plain mode"},
    "why.not-sealed": {"zh": "安全模式里回答了明文", "en": "a plain reply in safe mode"},
    "why.reply-signature": {"zh": "回复的 MsgSignature 不对", "en": "the reply's MsgSignature does not match"},
    "why.reply-nonce": {"zh": "回复的 Nonce 不是请求里的", "en": "the reply's Nonce is not the request's"},
    "why.reply-envelope": {"zh": "回复的密文打不开（{step}）", "en": "the sealed reply does not open ({step})"},
    "why.names": {
        "zh": "{element} 是「{found}」，应为「{wanted}」",
        "en": "{element} is “{found}”, and has to be “{wanted}”",
    },
    "why.kind": {"zh": "没有「{kind}」这种回复", "en": "there is no reply of the kind “{kind}”"},
    "why.element": {"zh": "{element} 缺少或不对", "en": "{element} is missing or wrong"},
    "why.empty": {"zh": "{element} 是空的", "en": "{element} is empty"},
    "why.too-long": {"zh": "文字有 {n} 字节，超过 {limit}", "en": "the text has {n} bytes, over {limit}"},
}
