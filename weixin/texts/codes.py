"""What each code means: (the finding, its usual cause, what to do), in both languages with the same placeholders."""

from __future__ import annotations

from typing import NamedTuple

from . import doctor, talk


class Explanation(NamedTuple):
    """What a code means: the finding, its usual cause, what to do."""

    title: str
    cause: str
    fix: str


CODES: dict[str, dict[str, tuple[str, str, str]]] = {
    **doctor.CODES,
    **talk.CODES,
    "WX-CFG-01": {
        "zh": ("没有配置文件：找过 {looked}", "还没有生成，或不在这个目录里运行", "运行 python3 wxserve.py init 生成一份"),
        "en": ("no config: looked for {looked}", "none was made yet, or it is elsewhere", "run python3 wxserve.py init"),
    },
    "WX-CFG-02": {
        "zh": ("{file} 不是 UTF-8 文本", "用记事本按 GBK 保存过", "另存为 UTF-8"),
        "en": ("{file} is not UTF-8 text", "an editor saved it in another encoding", "save it as UTF-8"),
    },
    "WX-CFG-03": {
        "zh": ("不认识的选项 {name}{hint}", "拼写错误，或放错了段落", "改正它，或删掉这一行"),
        "en": ("unknown option {name}{hint}", "a typing error, or the wrong section", "correct it, or delete the line"),
    },
    "WX-CFG-04": {
        "zh": (
            "Token 必须是 3 到 32 个字母或数字：{problem}",
            "复制时带上了空格或引号",
            "两边都改成同一个只含字母和数字的 Token",
        ),
        "en": (
            "the token must be 3 to 32 letters or digits: {problem}",
            "a blank or quotes were copied along",
            "use the same token of letters and digits here and on the platform",
        ),
    },
    "WX-CFG-05": {
        "zh": (
            "EncodingAESKey 必须是 43 个字母或数字；{name} 有 {n} 个字符",
            "复制时少了一位或多了符号，或没有填写",
            "从公众平台重新复制 43 位",
        ),
        "en": (
            "an EncodingAESKey is 43 letters or digits; {name} has {n} characters",
            "a character was lost or a sign came along, or it was left out",
            "copy all 43 characters from the platform again",
        ),
    },
    "WX-CFG-06": {
        "zh": ("appid 必须是 wx 加 16 位十六进制", "兼容和安全模式需要 AppID", "填写公众平台显示的 AppID"),
        "en": (
            "appid must be wx and 16 hexadecimal digits",
            "compatible and safe mode need the AppID",
            "fill in the AppID that the platform shows",
        ),
    },
    "WX-CFG-07": {
        "zh": ("{file} 里有密钥，而其他用户可以读取", "文件权限太宽", "chmod 600 {file}"),
        "en": ("{file} holds secrets and others may read it", "its mode is too wide", "chmod 600 {file}"),
    },
    "WX-CFG-08": {
        "zh": ("{name} 的值不对：{value}（应为 {wanted}）", "写错了", "改正，或删掉这一行用默认值"),
        "en": ("{name} cannot be {value} (wanted: {wanted})", "a slip", "correct it, or delete it for the default"),
    },
    "WX-CFG-09": {
        "zh": ("这一行读不懂：{problem}", "每行是 name = value，段落是 [name]", "改正这一行"),
        "en": ("cannot read this line: {problem}", "lines are name = value, sections are [name]", "correct the line"),
    },
    "WX-CFG-10": {
        "zh": (
            "无法监听 {listen}：{error}",
            "端口被占用，或没有权限",
            "换一个地址，例如 --listen 127.0.0.1:9627；或停掉占用它的程序（ss -ltnp 看是谁）；80 和 443 由 Nginx 监听，转到这里",
        ),
        "en": (
            "cannot listen on {listen}: {error}",
            "the port is taken, or not allowed",
            "choose another, for example --listen 127.0.0.1:9627, or stop what holds it (ss -ltnp tells); 80 and 443 are for "
            "Nginx, which passes on to it",
        ),
    },
    "WX-CFG-15": {
        "zh": ("读不了 {file}：{error}", "路径写错了，或当前用户没有权限", "检查路径、所有者和权限"),
        "en": (
            "cannot read {file}: {error}",
            "the path is wrong, or this user may not read it",
            "check the path, its owner and its mode",
        ),
    },
    "WX-SIG-01": {
        "zh": ("请求没有带上有效的签名", "不是微信发来的；或代理丢了、改了参数；或回答的服务用的是另一个 Token", "检查代理是否原样转发查询参数"),
        "en": (
            "the request carries no valid signature",
            "it is not WeChat's; or a proxy lost or changed the query; or the service that answers has another token",
            "check that the proxy passes the query on unchanged",
        ),
    },
    "WX-SIG-02": {
        "zh": ("签名不一致：{problem}", "平台上保存的 Token 和这里的不同", "两边填同一个 Token 后重新提交"),
        "en": (
            "the signature does not match: {problem}",
            "the token saved on the platform differs from the one here",
            "enter the same token in both places and submit again",
        ),
    },
    "WX-SIG-04": {
        "zh": ("时间相差 {seconds} 秒，超过 {max_age} 秒", "服务器时钟不准，或请求是重放的", "timedatectl set-ntp true 校准时间"),
        "en": (
            "the clocks differ by {seconds} s, over {max_age} s",
            "this server's clock is wrong, or the request was replayed",
            "set the clock: timedatectl set-ntp true",
        ),
    },
    "WX-AES-02": {
        "zh": ("消息的加密方式和配置不同：这里是 {mode}", "公众平台选的是另一种消息加解密方式", "两边选同一种模式"),
        "en": (
            "the push is not sealed as configured: mode is {mode}",
            "another 消息加解密方式 is chosen on the platform",
            "choose the same mode in both places",
        ),
    },
    "WX-AES-03": {
        "zh": ("加密的消息打不开（{step}）", "EncodingAESKey 或 AppID 和平台上的不同", "重新复制 EncodingAESKey 和 AppID"),
        "en": (
            "the sealed push does not open ({step})",
            "the EncodingAESKey or the AppID differs from the platform's",
            "copy both from the platform again",
        ),
    },
    "WX-XML-01": {
        "zh": ("收到的不是合法的 XML：{problem}", "中间的代理改了内容，或有人在探测", "不用处理；经常出现时检查代理"),
        "en": (
            "the body is not proper XML: {problem}",
            "a proxy changed it, or somebody probes",
            "nothing; if it happens often, look at the proxy",
        ),
    },
    "WX-XML-02": {
        "zh": ("收到的是 JSON", "数据格式选成了 JSON；公众号只用 XML", "在公众平台把数据格式改成 XML"),
        "en": (
            "the body is JSON",
            "数据格式 is set to JSON; an Official Account speaks XML only",
            "choose XML as 数据格式 on the platform",
        ),
    },
    "WX-XML-03": {
        "zh": ("消息的 {element} 不对：{problem}", "不是公众号的推送", "不用处理；经常出现时检查代理"),
        "en": (
            "the element {element}: {problem}",
            "this is no Official Account's push",
            "nothing; if it happens often, look at the proxy",
        ),
    },
    "WX-XML-04": {
        "zh": ("请求体长度不对：{problem}", "没有 Content-Length，超过 body_max，或中途断开", "检查代理；需要时调大 body_max"),
        "en": (
            "the body's length: {problem}",
            "no Content-Length, more than body_max, or cut off",
            "look at the proxy; raise body_max if need be",
        ),
    },
    "WX-RPL-01": {
        "zh": ("回复 {n} 字节，超过 {limit}，已截断", "一个汉字 3 字节，最多约 682 字", "打开 split，或缩短它"),
        "en": (
            "the reply has {n} bytes, over {limit}, and was cut",
            "a Chinese character takes 3 bytes, about 682 fit",
            "turn split on, or shorten it",
        ),
    },
    "WX-RPL-02": {
        "zh": ("{n} 条图文：回复消息只显示第 1 条", "2018 年 10 月起的规则", "只留一条"),
        "en": ("{n} articles: a message is answered with the first alone", "the rule since October 2018", "keep one"),
    },
    "WX-RPL-03": {
        "zh": ("{problem}", "这一段不会生效", "改正后再运行 check"),
        "en": ("{problem}", "this section would not work", "correct it and run check again"),
    },
    "WX-RPL-04": {
        "zh": ("{id} 不是 media_id", "填了文件路径或网址", "先上传素材，再填它的 media_id"),
        "en": ("{id} is no media_id", "it is a path or an address", "upload the file and use its media_id"),
    },
    "WX-RPL-05": {
        "zh": ("回复里有 {n} 个控制字符，已删除", "内容来自别处，没有清理", "在生成回复时去掉它们"),
        "en": (
            "{n} control characters in the reply were taken out",
            "its text came from elsewhere, unwashed",
            "take them out where the reply is made",
        ),
    },
    "WX-RPL-06": {
        "zh": ("图文的 {field} 不是网址", "要以 http:// 或 https:// 开头", "写完整的网址"),
        "en": ("an article's {field} is no address", "it must begin with http:// or https://", "give the whole address"),
    },
    "WX-RPL-07": {
        "zh": ("事件不能转给智能回复", "只有用户的普通消息可以", "在消息的处理函数里用它"),
        "en": ("events cannot be handed to the AI reply", "only a user's messages can", "use it for messages"),
    },
    "WX-RPL-08": {
        "zh": (
            "没有一条规则，用户发什么都得不到回复：{replies} 和 {handlers}/ 里没有",
            "还没有写，或写在别处",
            "写一条，或改 [replies] file 和 handlers",
        ),
        "en": (
            "there is no rule, and nobody gets an answer: neither {replies} nor {handlers}/ has any",
            "none was written yet, or they are elsewhere",
            "write one, or set file and handlers under [replies]",
        ),
    },
    "WX-HND-01": {
        "zh": ("载入失败：{problem}", "处理文件里有错误", "改正后再运行 check"),
        "en": ("does not load: {problem}", "a fault in the file", "correct it and run check again"),
    },
    "WX-HND-02": {
        "zh": ("{function} 的参数 {name} 不认识{hint}", "名字写错了", "可用的参数：{allowed}"),
        "en": ("{function} asks for {name}, which is not known{hint}", "a slip", "what there is: {allowed}"),
    },
    "WX-HND-03": {
        "zh": ("@on 用法有误：{problem}", "装饰器的参数不对", "改正后再运行 check"),
        "en": ("@on is used wrongly: {problem}", "an argument of the decorator", "correct it and run check again"),
    },
    "WX-HND-04": {
        "zh": ("{at} 返回了 {got}，不是一条回复", "微信只收一条回复", "返回 str、一个回复对象或 None"),
        "en": ("{at} returned {got}, which is no reply", "WeChat takes one reply", "return a str, one reply or None"),
    },
    "WX-HND-05": {
        "zh": ("{at} 出错：{error}", "处理函数里有错，日志里有完整的 traceback", "改正它；用户看到的是 on.error 的回复，或没有回复"),
        "en": (
            "{at} raised {error}",
            "the handler is faulty; the traceback is in the log",
            "mend it; the user got on.error's answer, or none",
        ),
    },
    "WX-HND-06": {
        "zh": ("正则 {pattern} 会卡住整个进程", "遇到某些文字时回溯爆炸", "改写它，去掉套在一起的 + 和 *"),
        "en": (
            "the pattern {pattern} can freeze the whole process",
            "it backtracks without end on some texts",
            "rewrite it without nested + and *",
        ),
    },
    "WX-HND-07": {
        "zh": ("正则没有检查：{error}", "这里不允许启动别的进程", "在别处运行 check"),
        "en": (
            "the patterns were not timed: {error}",
            "no other process may be started here",
            "run check elsewhere",
        ),
    },
    "WX-CFG-13": {
        "zh": ("memory: 只能用于一个进程，而 workers = {workers}", "每个进程的内存互相看不到", "用 sqlite:，或 workers = 1"),
        "en": (
            "memory: is for one process, and workers = {workers}",
            "processes do not see each other's memory",
            "use sqlite:, or workers = 1",
        ),
    },
    "WX-INT-01": {
        "zh": ("内部线程 {name} 出错", "wxserve 自己的错误", "请把日志里的堆栈发给我们；服务会继续"),
        "en": ("the background thread {name} failed", "a fault of wxserve's own", "report the traceback; it goes on"),
    },
    "WX-RUN-01": {
        "zh": ("这条消息的处理两次让进程退出，不再处理", "处理函数让 Python 崩溃，或耗尽内存", "用 deliveries show {d} 看是哪条消息"),
        "en": (
            "this message has ended its process twice and is not run again",
            "its handler crashes Python, or eats all memory",
            "deliveries show {d} says which message it is",
        ),
    },
    "WX-RUN-02": {
        "zh": ("{at} 用了 {seconds} 秒，超过了 budget，答案丢弃", "它等的东西太慢", "加大 budget=，或用 deadline.left() 限制等待"),
        "en": (
            "{at} took {seconds} s, longer than its budget: the answer is dropped",
            "what it waits for is slow",
            "raise budget=, or give deadline.left() as the timeout",
        ),
    },
    "WX-RUN-03": {
        "zh": ("处理函数 {seconds} 秒还没有结束，放弃它的答案", "它在等一个不会来的东西；堆栈在下面", "给每个等待加上超时"),
        "en": (
            "a handler has not ended after {seconds} s; its answer is given up",
            "it waits for what does not come: see the stack",
            "give every wait a timeout",
        ),
    },
    "WX-RUN-04": {
        "zh": ("{threads} 个线程卡住了，换一个新进程", "处理函数没有返回", "看 WX-RUN-03 的堆栈"),
        "en": ("{threads} threads are stuck: the worker is replaced", "handlers do not return", "see WX-RUN-03's stacks"),
    },
    "WX-RUN-05": {
        "zh": ("5 分钟内超时太多（上限 {limit}），慢的消息先回复稍后再取", "处理太慢；到 30 次微信会停推一分钟", "让处理函数快一点"),
        "en": (
            "too many time-outs in five minutes (limit {limit}): slow messages are answered with the busy text at once",
            "handlers are slow; at 30 WeChat stops pushing for a minute",
            "make the handlers faster",
        ),
    },
    "WX-RUN-06": {
        "zh": ("{type} 的答案来得太晚，丢弃", "这种推送没有可以回复的对话", "把慢的工作放到后台"),
        "en": (
            "the answer to {type} came too late and was dropped",
            "nobody waits at the screen for this kind of push",
            "do slow work elsewhere",
        ),
    },
    "WX-RUN-07": {
        "zh": ("慢的处理太多，请用户稍后再发", "pool 满了，排队的也太多", "加大 pool，或让处理函数快一点"),
        "en": (
            "too many slow runs: the user was asked to send it again",
            "the pool is full and so is the line before it",
            "raise pool, or make the handlers faster",
        ),
    },
    "WX-STA-02": {
        "zh": ("等用户的 state 等了 {seconds} 秒", "同一用户的另一条消息占着它", "慢的处理函数用 budget= 和 with state:"),
        "en": (
            "waited {seconds} s for the user's state",
            "another message of the same user holds it",
            "give slow handlers budget=, and change state inside with state:",
        ),
    },
    "WX-STO-01": {
        "zh": ("存储 {store} 不能用，暂时改用 {instead}：{error}", "磁盘满、只读或文件损坏", "修好磁盘，或移走损坏的文件：10 秒内自动换回"),
        "en": (
            "the store {store} cannot be used; going on in {instead}: {error}",
            "the disk is full or read-only, or the file is damaged",
            "mend the disk, or move a damaged file away: the store goes back within ten seconds",
        ),
    },
    "WX-STO-02": {
        "zh": ("另一个进程占着存储 {store}：{error}；先照常回答，放开后再写入", "有人用 sqlite3 打开它没有提交，或备份太久", "结束那个进程"),
        "en": (
            "another process holds the store {store}: {error}; messages are answered, and written down when it is free",
            "a shell has a transaction open in it, or a backup takes long",
            "end that process",
        ),
    },
    "WX-CFG-14": {
        "zh": ("控制台无法监听 {listen}：{error}", "端口被占用，或沙箱不允许", "换一个 [admin] listen；消息照常回答"),
        "en": (
            "the console cannot listen on {listen}: {error}",
            "the port is taken, or the sandbox does not allow it",
            "choose another [admin] listen; messages are answered all the same",
        ),
    },
    "WX-CFG-16": {
        "zh": ("控制台的地址写不进 {file}：{error}", "磁盘满了，或权限不对", "清理磁盘，然后 systemctl restart wxserve；消息照常回答"),
        "en": (
            "the console's address cannot be written to {file}: {error}",
            "the disk is full, or the folder is somebody else's",
            "make room, then systemctl restart wxserve; messages are answered all the same",
        ),
    },
}
