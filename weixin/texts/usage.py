"""The command line: what help says around the options, and what is said of a slip."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "help.usage": {"zh": "用法：", "en": "usage: "},
    "help.any-options": {"zh": "[选项]", "en": "[options]"},
    "help.words": {"zh": "参数", "en": "words"},
    "help.options": {"zh": "选项", "en": "options"},
    "help.help": {"zh": "显示这段说明", "en": "print this, and nothing else"},
    "help.version": {"zh": "显示版本", "en": "print the version"},
    "help.examples": {"zh": "例子：", "en": "examples:"},
    "usage.help": {"zh": "用法见 {program} -h", "en": "see {program} -h"},
    "usage.command": {
        "zh": "没有 {name} 这个命令{hint}\n有这些：{commands}。用法见 python3 wxserve.py -h",
        "en": "there is no command {name}{hint}\nthere are: {commands}. See python3 wxserve.py -h",
    },
    "usage.option": {"zh": "没有 {name} 这个选项{hint}", "en": "there is no option {name}{hint}"},
    "usage.secret": {
        "zh": "没有 {name} 这个选项：别人用 ps 就能看到。写进 wxserve.ini，或用 {variable} 指向一个文件",
        "en": "there is no option {name}: everybody could read it in ps. Put it into wxserve.ini, or name a file in {variable}",
    },
    "usage.word": {"zh": "多了一个词：{name}", "en": "one word too many: {name}"},
    "usage.missing": {"zh": "缺少 {names}", "en": "{names} is missing"},
    "usage.choice": {"zh": "{name} 不能是 {value}{hint}", "en": "{name} cannot be {value}{hint}"},
    "usage.choices": {"zh": "{name} 不能是 {value}（应为 {choices}）", "en": "{name} cannot be {value} (wanted: {choices})"},
    "usage.value": {"zh": "{name} 不能是 {value}", "en": "{name} cannot be {value}"},
    "usage.no-value": {"zh": "{name} 后面要跟一个值", "en": "{name} takes a value"},
    "usage.other": {"zh": "用法不对：{message}", "en": "wrong usage: {message}"},
    "output": {"zh": "写不出去：{error}", "en": "cannot write the output: {error}"},
}

# Three of each command, the same in both languages.
EXAMPLES: dict[str, tuple[str, str, str]] = {
    "run": ("run", "run -c /etc/wxserve/wxserve.ini", "run --listen 127.0.0.1:9627 --console on"),
    "dev": ("dev", "dev -c mybot/wxserve.ini", "dev --listen 127.0.0.1:9627 --admin-listen 127.0.0.1:9628"),
    "init": ("init", "init mybot", "init mybot --lang zh"),
    "check": ("check", "check --dump", "check -c mybot/wxserve.ini"),
    "doctor": ("doctor", "doctor --url https://your.domain/weixin", "doctor --watch"),
    "chat": ("chat", "chat --mode safe", "chat --user oABC"),
    "send": ("send text 你好", "send text 讲个故事 --slow 7", "send text 你好 --mode safe --fault bad-signature"),
    "deliveries": ("deliveries", "deliveries --follow", "deliveries show 8f5a01"),
    "stats": ("stats", "stats --since 7d", "stats --json"),
    "forget": ("forget oABC", "forget oABC --json", "forget oABC -c mybot/wxserve.ini"),
    "test": ("test", "test tests/hello.chat", "test --mode safe"),
    "explain": ("explain -40001", "explain WX-SIG-02", "explain 该公众号提供的服务出现故障"),
}
