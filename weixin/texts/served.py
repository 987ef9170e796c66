"""What is said while serving: to users of the account, to who looks at its address, to who starts it."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "page": {
        "zh": "wxserve 正在运行。这是给微信服务器用的地址。",
        "en": "wxserve is running. This address is for WeChat's servers.",
    },
    # What users of the account read.
    "reply.rest": {"zh": "（未完，回复「{word}」看后面）", "en": "(to be continued: say {word})"},
    "reply.more": {"zh": "（还有 {n} 条，回复「{word}」查看）", "en": "({n} more: say {word})"},
    "reply.crowded": {"zh": "现在太忙了，请过一会儿再发一次", "en": "Too busy just now: please send it again in a while"},
    # The command `run`.
    "run.demo": {
        "zh": """wxserve {version}  (Python {python}，没有配置文件 → 演示模式，只限本机)
  微信 URL     http://{listen}{path}      token {token}（每次启动都不同）
  回复         {rules} 条规则，来自 {handlers}/
  控制台       {console}   ← 打开它，说「你好」
  自己的项目   python3 wxserve.py init mybot
  停止         Ctrl-C""",
        "en": """wxserve {version}  (Python {python}, no config file found -> demo mode, this machine only)
  WeChat URL   http://{listen}{path}      token {token} (new each start)
  Replies      {rules} rules from {handlers}/
  Console      {console}   <- open this and say 你好
  Your own     python3 wxserve.py init mybot
  Stop         Ctrl-C""",
    },
    "run.banner": {
        "zh": """wxserve {version}  pid {pid}  配置 {config}
  监听      {listen}  路径 {path}  模式 {mode}
  回复      {rules} 条规则，来自 {files} 个文件""",
        "en": """wxserve {version}  pid {pid}  config {config}
  listen    {listen}  path {path}  mode {mode}
  replies   {rules} rules from {files} files""",
    },
    "run.console": {"zh": "  控制台    {console}", "en": "  console   {console}"},
    "run.ready": {"zh": "已就绪，用时 {seconds} 秒", "en": "ready in {seconds} s"},
}
