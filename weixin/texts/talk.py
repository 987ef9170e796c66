"""What the commands of conversation say: ``chat``, ``test``, ``dev``, and what can be wrong in a ``.chat`` file."""

from __future__ import annotations

CODES: dict[str, dict[str, tuple[str, str, str]]] = {
    "WX-TST-01": {
        "zh": ("{problem}", ".chat 文件里写错了", "改正它"),
        "en": ("{problem}", "a slip in a .chat file", "correct it"),
    },
}

SLIPS: dict[str, dict[str, tuple[str, str]]] = {
    "stray-chat": {
        "zh": ("不是 > 用户，不是 < 应有的回复，也没有缩进：{text}", "行首写 > 或 <；说明写在 # 后面；接上一行就缩进"),
        "en": (
            "neither > user nor < expected, and not indented: {text}",
            "begin it with > or <, a remark with #; indent it if it goes on with the line above",
        ),
    },
    "no-said": {
        "zh": ("前面没有 >：{text}", "先写用户说什么"),
        "en": ("there is no > before it: {text}", "write first what the user says"),
    },
    "said-nothing": {
        "zh": ("> 后面什么都没有", "写上用户说什么"),
        "en": ("there is nothing behind >", "write what the user says"),
    },
    "kind": {
        "zh": ("没有叫 {name} 的消息或事件{hint}", "改正它；以 / 开头的文字要写成 //"),
        "en": ("no message or event is called {name}{hint}", "correct it; a text that begins with / is written with //"),
    },
    "word-value": {
        "zh": ("{element} 不能是 {word}", "改正它"),
        "en": ("{element} cannot be {word}", "correct it"),
    },
    "word-place": {
        "zh": ("{word} 在这里没有用处", "删掉它；中间有空格的词用引号括起来"),
        "en": ("there is no place for {word}", "delete it; put words with blanks in them in quotes"),
    },
    "raw-alone": {
        "zh": ("/raw 后面要有 XML", "写上它"),
        "en": ("there is no XML behind /raw", "write it there"),
    },
    "unknown-option": {
        "zh": ("没有 @{name} 这个选项{hint}", "有：@user @slow @fault @within @attempt"),
        "en": ("there is no option @{name}{hint}", "there are: @user @slow @fault @within @attempt"),
    },
    "option-value": {
        "zh": ("@{name} 不能是「{value}」", "例如：@slow 7　@within 1s　@attempt 2　@fault bad-signature　@user oABC"),
        "en": ("@{name} cannot be “{value}”", "for example: @slow 7, @within 1s, @attempt 2, @fault bad-signature, @user oABC"),
    },
    "fault-sealed": {
        "zh": ("明文模式里没有 {fault} 这种错误", "加上 --mode safe"),
        "en": ("there is no fault {fault} in plain mode", "add --mode safe"),
    },
    "fault-wire": {
        "zh": ("{fault} 要有真的连接，这里没有", "用 python3 wxserve.py send --to 试它"),
        "en": ("{fault} takes a real connection, and here is none", "try it with python3 wxserve.py send --to"),
    },
}  # fmt: skip

WORDS: dict[str, dict[str, str]] = {
    "command.chat": {"zh": "在终端里和公众号对话", "en": "talk to the account in the terminal"},
    "command.test": {"zh": "跑一遍 .chat 文件里的对话", "en": "play the conversations of .chat files"},
    "command.dev": {"zh": "启动服务；改了文件就重新载入", "en": "serve, and load again whatever is edited"},
    # How an answer came.
    "seen.attempt": {"zh": "第 {n} 次", "en": "attempt {n}"},
    "seen.hung-up": {"zh": "微信断开了连接", "en": "connection closed by WeChat"},
    "seen.answered": {"zh": "有回答", "en": "answered"},
    "seen.joined": {"zh": "接上了还在运行的处理函数", "en": "joined the running handler"},
    "seen.again": {"zh": "处理函数又运行了一次", "en": "the handler ran again"},
    "seen.no-rule": {"zh": "没有对 {kind} 的规则", "en": "no rule for {kind}"},
    # chat
    "chat.user": {"zh": "以这个 OpenID 说话", "en": "the openid to talk as"},
    "chat.mode": {
        "zh": "plain | compat | safe；两边一起换，缺的密钥临时生成",
        "en": "plain | compat | safe; both sides change, and a missing key is made up",
    },
    "chat.hello": {
        "zh": "在本进程里和 {name} 对话：模式 {mode}，用户 {user}。/help 列出所有命令",
        "en": "talking to {name} in process, mode {mode}, as user {user}.  /help lists all",
    },
    "chat.help": {
        "zh": """直接写文字就是发文字；/ 开头的：
  /user [OPENID|new]      换一个用户
  /slow 秒 话             让处理函数多用这么久：看三次推送
  /fault 错误 话          故意弄错一处：{faults}
  /again [new]            原样再发一次（同一个 MsgId）；new：新的 MsgId
  /why 话                 哪些规则会匹配，先问谁
  /xml                    上一次的 XML：推送、请求、回复
  /raw XML                任意内容
  /save 文件              把这次对话存成 .chat，以后用 test 重放
  /reload                 重新载入（文件改了会自动载入）
  /quit                   结束，也可以 Ctrl-D
消息和事件，后面可以写内容，例如 /click KEY　/scan 场景值　/subscribe 场景值　/location 纬度 经度 地名：
{kinds}
以 / 开头的文字写两个 /：//help""",
        "en": """A plain line is sent as a text. With a slash:
  /user [OPENID|new]      be another user
  /slow SECONDS LINE      the handler takes so much longer: watch the three deliveries
  /fault FAULT LINE       something wrong on purpose: {faults}
  /again [new]            the same push again (same MsgId); new: with a MsgId of its own
  /why LINE               which rules would match, first asked first
  /xml                    the last exchange in XML: push, request, reply
  /raw XML                anything
  /save FILE              keep this conversation as a .chat file, for test to play
  /reload                 load again (edited files are loaded by themselves)
  /quit                   leave; so does Ctrl-D
Messages and events; what they say stands behind, as in /click KEY, /scan SCENE, /subscribe SCENE, /location 23.1 113.3 here:
{kinds}
A text that begins with a slash is written with two: //help""",
    },
    "chat.unknown": {"zh": "没有 /{name}{hint}（/help 列出所有命令）", "en": "there is no /{name}{hint}  (/help lists all)"},
    "chat.hint": {"zh": "，是不是 /{name}？", "en": "; is it /{name}?"},
    "chat.usage": {"zh": "这样写：{usage}", "en": "usage: {usage}"},
    "chat.as": {"zh": "现在是用户 {user}", "en": "now as user {user}"},
    "chat.reloaded": {"zh": "已重新载入：{files}", "en": "loaded again: {files}"},
    "chat.kept": {"zh": "仍用原来的回答", "en": "the old rules go on answering"},
    "chat.nothing-yet": {"zh": "还没有发过什么", "en": "nothing has been sent yet"},
    "chat.saved": {
        "zh": "已存入 {file}：{n} 句。重放：python3 wxserve.py test {file}",
        "en": "saved in {file}: {n} turns. To play it: python3 wxserve.py test {file}",
    },
    "chat.exists": {"zh": "{file} 已经有了，没有改动", "en": "{file} is there already; nothing was changed"},
    "chat.cannot-save": {"zh": "无法写入 {file}：{error}", "en": "cannot write {file}: {error}"},
    "chat.no-rules": {"zh": "没有规则匹配", "en": "no rule matches"},
    "chat.closed": {"zh": "现在不在时间段内", "en": "not at this hour"},
    "chat.xml-push": {"zh": "推送", "en": "push"},
    "chat.xml-request": {"zh": "请求", "en": "request"},
    "chat.xml-answer": {"zh": "回答", "en": "answer"},
    "chat.xml-reply": {"zh": "解密后的回复", "en": "reply, opened"},
    "chat.stopped": {"zh": "不等了", "en": "no longer waiting"},
    # test
    "test.files": {
        "zh": ".chat 文件或文件夹；不写就是配置旁边的 tests/*.chat",
        "en": ".chat files or folders; without, tests/*.chat beside the configuration",
    },
    "test.none": {
        "zh": "没有找到 .chat 文件：找过 {looked}。init 会生成一个，chat 里的 /save 也会",
        "en": "no .chat files: looked for {looked}. init makes one, and so does /save in chat",
    },
    "test.unreadable": {"zh": "读不了 {file}：{error}", "en": "cannot read {file}: {error}"},
    "test.turns": {"zh": "{n} 句", "en": "{n} turns"},
    "test.line": {"zh": "第 {line} 行", "en": "line {line}"},
    "test.reply": {"zh": "应为  {expected}   得到  {got}", "en": "expected  {expected}   got  {got}"},
    "test.fault": {"zh": "用户看到故障：{got}", "en": "the user sees a fault: {got}"},
    "test.within": {"zh": "应在 {expected} 之内   用了 {got}", "en": "expected within {expected}   took {got}"},
    "test.attempt": {
        "zh": "应在第 {expected} 次推送时回答   实际第 {got} 次",
        "en": "expected on delivery {expected}   came on delivery {got}",
    },
    "test.nothing": {"zh": "（没有回复）", "en": "(nothing)"},
    "test.failed": {"zh": "{failed} 个失败，{passed} 个通过", "en": "{failed} failed, {passed} passed"},
    "test.passed": {"zh": "{passed} 个通过", "en": "{passed} passed"},
    # dev
    "dev.watching": {
        "zh": "  开发模式  只限本机；{files} 改了就重新载入",
        "en": "  dev       this machine only; {files} are loaded again when they change",
    },
    "dev.changed": {"zh": "改了 {files}，重新载入", "en": "changed: {files}; loading again"},
    "dev.loaded": {"zh": "已载入：{rules} 条规则，来自 {files} 个文件", "en": "loaded: {rules} rules from {files} files"},
    "dev.waiting": {"zh": "改好之后会自动启动", "en": "it will start once this is mended"},
    "dev.loopback": {
        "zh": "dev 只听本机：{asked} 改成了 {listen}",
        "en": "dev listens to this machine only: {listen} in place of {asked}",
    },
    # init
    "init.chat": {
        "zh": """# > 用户说什么   < 应有的回复（* 和 ? 是通配符）   缩进的 @ 是选项
# 运行：python3 wxserve.py test     从真的对话生成：python3 wxserve.py chat，然后 /save tests/名字.chat

> /subscribe
< 欢迎*

> 你好
< 你好呀！
< 在呢～

> 查123456
< 单号 123456 已收到
  @within 1s

> 时间
< 现在是 ??:??
""",
        "en": """# > what the user says   < what has to come back (* and ? are wild)   an indented @ is an option
# To run it: python3 wxserve.py test     To make one by talking: python3 wxserve.py chat, then /save tests/name.chat

> /subscribe
< Welcome*

> hello
< Hello!
< Hi there.

> track 123456
< Number 123456 is noted.
  @within 1s

> time
< It is ??:??.
""",
    },
}
