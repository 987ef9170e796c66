"""Sentences that are no codes: help, the banner, what commands print. Both languages have the same placeholders."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "page": {
        "zh": "wxserve 正在运行。这是给微信服务器用的地址。",
        "en": "wxserve is running. This address is for WeChat's servers.",
    },
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
  python3 wxserve.py send text 你好           看看用户会收到什么""",
        "en": """wxserve: the server behind a WeChat Official Account, in nothing but Python's standard library.

usage: python3 wxserve.py [command] [options]      (without a command: run)

{commands}

Every command has -h. Examples:
  python3 wxserve.py                          a demo on this machine, where there is no configuration
  python3 wxserve.py init mybot               make a project
  python3 wxserve.py send text 你好           see what a user would get""",
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
    "usage.command": {
        "zh": "没有 {name} 这个命令。有：{commands}",
        "en": "there is no command {name}. There are: {commands}",
    },
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
    "option.body_max": {"zh": "请求体的最大长度", "en": "the largest body of a request"},
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
    # run
    "run.demo": {
        "zh": """wxserve {version}  (Python {python}，没有配置文件 → 演示模式，只限本机)
  微信 URL     http://{listen}{path}      token {token}（每次启动都不同）
  回复         {rules} 条规则，来自 {handlers}
  自己的项目   python3 wxserve.py init mybot
  停止         Ctrl-C""",
        "en": """wxserve {version}  (Python {python}, no config file found -> demo mode, this machine only)
  WeChat URL   http://{listen}{path}      token {token} (new each start)
  Replies      {rules} rules from {handlers}
  Your own     python3 wxserve.py init mybot
  Stop         Ctrl-C""",
    },
    "run.banner": {
        "zh": """wxserve {version}  pid {pid}  配置 {config}
  监听      {listen}  路径 {path}  模式 {mode}
  回复      {rules} 条规则，来自 {files}""",
        "en": """wxserve {version}  pid {pid}  config {config}
  listen    {listen}  path {path}  mode {mode}
  replies   {rules} rules from {files}""",
    },
    "run.ready": {"zh": "已就绪，用时 {seconds} 秒", "en": "ready in {seconds} s"},
    "run.nothing": {"zh": "（没有）", "en": "(nothing)"},
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
    "init.made": {"zh": "生成  {file}", "en": "made  {file}"},
    "init.kept": {"zh": "保留  {file}（已经有了，没有改动）", "en": "kept  {file} (it was there; nothing was changed)"},
    "init.next": {
        "zh": """接下来  cd {folder}
        python3 {script} send text 你好     看看会回复什么
        python3 {script}                    启动
        在公众平台填：URL http(s)://你的域名/weixin，Token 见 wxserve.ini""",
        "en": """next  cd {folder}
      python3 {script} send text 你好     see what is answered
      python3 {script}                    serve
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
text = 没听懂「{text}」。回复「你好」试试。
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
text = I did not understand “{text}”. Try hello.
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
}
