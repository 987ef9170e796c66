"""What the commands that look back say: ``deliveries``, ``stats``, ``forget``."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "command.deliveries": {"zh": "看最近的消息和回答，或边来边看", "en": "look back at messages and answers, or follow them"},
    "command.stats": {"zh": "计数：消息、用户、关键词", "en": "counts of messages, users and rules"},
    "command.forget": {"zh": "删除一个用户的状态、信箱和内容", "en": "delete a user's state, mail and content"},
    "kept.missing": {
        "zh": "还没有记录：{file} 不存在，或是空的。服务启动时生成它，写不了就先用别处（日志里有 WX-STO-01）；"
        "看看 [store] url，或是不是另一个配置",
        "en": "nothing is recorded: {file} is not there, or empty. The server makes it at its start, and goes on elsewhere "
        "where it cannot (its log says WX-STO-01); see [store] url, and whether this is its configuration",
    },
    "kept.unreadable": {"zh": "无法读取 {file}：{error}", "en": "cannot read {file}: {error}"},
    "kept.memory": {
        "zh": "store 是 memory:，只在服务的进程里。设 [store] url = sqlite:wxserve.db 后重启",
        "en": "the store is memory:, in the server's own process. Set [store] url = sqlite:wxserve.db and restart",
    },
    # deliveries
    "deliveries.help.action": {
        "zh": "list 列出（默认）；show ID 看一条的全部；replay ID 在本机再处理一次",
        "en": "list (the default); show ID, all of one; replay ID, run the handlers again on this machine",
    },
    "deliveries.help.id": {"zh": "消息的名字，日志里的 d=", "en": "a message's name, d= in the log"},
    "deliveries.help.follow": {"zh": "边来边看，Ctrl-C 结束", "en": "go on as they come, until Ctrl-C"},
    "deliveries.help.failed": {"zh": "只看出了问题的", "en": "only what went wrong"},
    "deliveries.help.limit": {"zh": "最近多少条（默认 20）", "en": "how many of the last (default 20)"},
    "deliveries.id": {"zh": "{action} 后面要有消息的名字：deliveries {action} 8f5a01", "en": "{action} takes a message's name: deliveries {action} 8f5a01"},
    "deliveries.no-id": {"zh": "list 后面没有别的；看一条用 show {id}", "en": "list takes no name; for one of them: show {id}"},
    "deliveries.alone": {"zh": "{option} 只用于 list", "en": "{option} is for list"},
    "deliveries.limit": {"zh": "--limit 是 1 以上的整数", "en": "--limit is a number from 1 on"},
    "deliveries.unknown": {
        "zh": "记录里没有 {id}：名字不对，或已不在最近 {keep} 条里（[store] keep）",
        "en": "there is no {id}: another name, or no longer among the last {keep} ([store] keep)",
    },
    "deliveries.none": {"zh": "还没有消息", "en": "no messages yet"},
    "deliveries.attempt": {"zh": "第 {n} 次推送", "en": "attempt {n} of 3"},
    "deliveries.mailbox": {"zh": "稍后再取", "en": "waits in the mailbox"},
    "deliveries.running": {"zh": "还没有结果", "en": "no result yet"},
    "deliveries.user": {"zh": "用户", "en": "user"},
    "deliveries.text": {"zh": "内容", "en": "text"},
    "deliveries.rule": {"zh": "规则", "en": "rule"},
    "deliveries.result": {"zh": "结果", "en": "result"},
    "deliveries.request": {"zh": "推送", "en": "request"},
    "deliveries.reply": {"zh": "回复", "en": "reply"},
    "deliveries.forgotten": {"zh": "已删除", "en": "forgotten"},
    "deliveries.unkept": {
        "zh": "没有保存：现在 [store] content = {content}；full 才保存推送和回复，最多 24 小时",
        "en": "not kept: [store] content = {content}; full keeps the request and the reply, for 24 h at most",
    },
    "deliveries.gone": {
        "zh": "已经没有了：内容最多保存 24 小时，用户取消关注时删除",
        "en": "no longer kept: content goes after 24 h, or when its user leaves",
    },
    "deliveries.cannot-replay": {"zh": "无法重放 {id}，它的推送{why}", "en": "cannot replay {id}; its request is {why}"},
    "deliveries.replaying": {
        "zh": "在本机重放 {id}：新的 MsgId，msg.replayed 为 True，state 从空开始；什么都不会发给用户",
        "en": "replaying {id} on this machine: a new MsgId, msg.replayed is True, state begins empty; nothing is sent to the user",
    },
    # stats
    "stats.help.since": {"zh": "多久以来：30m、24h（默认）、7d；按整点计", "en": "since when: 30m, 24h (the default), 7d; in whole hours"},
    "stats.duration": {"zh": "{text} 不是时间；写 30m、24h 或 7d（最多 31d）", "en": "{text} is no time; write 30m, 24h or 7d (31d at most)"},
    "stats.messages": {"zh": "消息 {n}", "en": "messages {n}"},
    "stats.users": {"zh": "用户 {n}", "en": "users {n}"},
    "stats.new": {"zh": "新关注 {n}", "en": "new {n}"},
    "stats.left": {"zh": "取消关注 {n}", "en": "left {n}"},
    "stats.unmatched": {"zh": "没有匹配 {n} %", "en": "unmatched {n} %"},
    "stats.slow": {"zh": "慢（超过 1 秒）{n}", "en": "slow(>1 s) {n}"},
    "stats.timeouts": {"zh": "超时 {n}", "en": "timeouts {n}"},
    "stats.errors": {"zh": "出错 {n}", "en": "errors {n}"},
    "stats.rules": {"zh": "最多的规则", "en": "top rules"},
    "stats.texts": {"zh": "最多的没有匹配", "en": "top unmatched"},
    "stats.add": {"zh": "← 可以加进 replies.ini", "en": "← add these to replies.ini"},
    # forget
    "forget.help.user": {"zh": "用户的 OpenID，要完整", "en": "the user's openid, the whole of it"},
    "forget.masked": {
        "zh": "{user} 不是完整的 OpenID；deliveries show ID 里有",
        "en": "{user} is not a whole openid; deliveries show ID has it",
    },
    "forget.cannot": {"zh": "无法写入 {file}：{error}", "en": "cannot write {file}: {error}"},
    "forget.done": {
        "zh": "已删除 {user} 的状态、信箱和内容。记录里不再有名字和文字的消息：{n} 条",
        "en": "deleted the state, mail and content of {user}. Messages in the list that no longer say whose they are, or what was said: {n}",
    },
    # send
    "send.slow-run": {
        "zh": "让处理函数多用这么多秒：看三次推送",
        "en": "the handler takes so many seconds longer: watch the three deliveries",
    },
    "send.slow-here": {"zh": "--slow 只在本进程里有，不能和 --to 一起用", "en": "--slow works in process only, not with --to"},
    "send.slow-value": {"zh": "--slow 是 0–{most} 秒", "en": "--slow is 0–{most} seconds"},
}  # fmt: skip
