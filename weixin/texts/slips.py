"""Slips in files that people write: (what is wrong, what to do), by reason, for the codes that stand for many of them."""

from __future__ import annotations

from . import found, talk

SLIPS: dict[str, dict[str, tuple[str, str]]] = {
    **found.SLIPS,
    **talk.SLIPS,
    # The line reader.
    "encoding": {
        "zh": ("文件不是 UTF-8（像是 {encoding}）", "另存为 UTF-8"),
        "en": ("the file is not UTF-8 (it looks like {encoding})", "save it as UTF-8"),
    },
    "junk": {
        "zh": ("[{name}] 后面还有 {rest}，像是上面回复里的一行，却写在了行首", "属于回复的话，这一行缩进四个空格"),
        "en": (
            "something follows [{name}]: {rest}. It looks like a line of the reply above",
            "if it belongs to the reply, indent it by four spaces",
        ),
    },
    "stray": {
        "zh": ("不是 [段落]，不是 name = value，也没有缩进：{text}", "属于上面的回复就缩进四个空格；是说明就在行首加 #"),
        "en": (
            "neither [section] nor name = value, and not indented: {text}",
            "indent it by four spaces if it belongs to the reply above; begin it with # if it is a remark",
        ),
    },
    "bracket": {
        "zh": ("[ 没有对应的 ]：{text}", "在段名后面补上 ]；属于上面的回复就缩进四个空格"),
        "en": ("a [ without its ]: {text}", "write ] behind the name; indent it by four spaces if it belongs to the reply above"),
    },
    "colon": {
        "zh": ("{key} 后面要用 =，这里是冒号", "把冒号改成 =；属于上面的回复就缩进四个空格"),
        "en": (
            "a colon follows {key}, where = is needed",
            "write =; indent it by four spaces if it belongs to the reply above",
        ),
    },
    # The same in wxserve.ini, where there is no reply above, and where a line may hold a secret.
    "option-junk": {
        "zh": ("[{name}] 后面不能再有别的内容", "说明另起一行，以 # 开头"),
        "en": ("nothing may follow [{name}]", "put a remark on a line of its own that begins with #"),
    },
    "option-bracket": {"zh": ("[ 没有对应的 ]", "在段名后面补上 ]"), "en": ("a [ without its ]", "write ] behind the name")},
    "option-colon": {"zh": ("{key} 后面要用 =，这里是冒号", "把冒号改成 ="), "en": ("a colon follows {key}", "write = in its place")},
    "option-stray": {
        "zh": ("不是 [段落]，也不是 name = value", "改成 name = value；是说明就在行首加 #"),
        "en": ("neither [section] nor name = value", "write name = value; begin it with # if it is a remark"),
    },
    "option-indented": {
        "zh": ("这一行缩进了，上面却没有可以接着的值", "去掉行首的空白"),
        "en": ("it is indented, and there is no value above that it could go on with", "take the blanks before it away"),
    },
    # The token, which may not be shown.
    "token-missing": {
        "zh": ("还没有填", "在 [wechat] 下写 token = …，和平台上填的一样"),
        "en": ("there is none", "write token = … under [wechat], the same as on the platform"),
    },
    "token-quotes": {"zh": ("它带着引号", "去掉引号，两边都不要"), "en": ("it stands in quotes", "take them away, here and on the platform")},
    "token-blank": {
        "zh": ("中间有空白（行末的 # 也算内容）", "去掉空白；说明另起一行"),
        "en": ("there is a blank in it (a # behind it counts)", "take it away; put a remark on a line of its own"),
    },
    "token-wide": {
        "zh": ("里面有全角字符", "用半角重新输入，两边一样"),
        "en": ("there are full-width characters in it", "type plain ones, the same in both places"),
    },
    "token-length": {
        "zh": ("它有 {n} 个字符", "换一个，两边一样"),
        "en": ("it has {n} characters", "choose another, the same in both places"),
    },
    "token-letters": {
        "zh": ("里面有别的字符", "换一个只含字母和数字的，两边一样"),
        "en": ("there is another character in it", "choose one of letters and digits, the same in both places"),
    },
    "wide": {
        "zh": ("这里用了全角的 {found}", "改成半角的 {wanted}"),
        "en": ("a full-width {found} stands here", "write {wanted}"),
    },
    "no-section": {
        "zh": ("{key} 不在任何段落里", "在它前面写上 [段落]"),
        "en": ("{key} stands before the first section", "put a [section] before it"),
    },
    "indented": {
        "zh": (
            "缩进的一行，上面却没有可以接着的值：{text}",
            "在它上面写 text =；连同上一行都属于更上面的回复的话，把上一行也缩进四个空格",
        ),
        "en": (
            "an indented line that continues nothing: {text}",
            "write text = above it; if it and the line before belong to a reply further up, indent that line as well",
        ),
    },
    "cut-off": {
        "zh": (
            "缩进的一行，接不上更上面的回复，中间有以 # 开头的行：{text}",
            "# 那一行也缩进四个空格就是回复的一部分；是说明就移到这一段前面",
        ),
        "en": (
            "an indented line that a line with # has cut off from the reply above: {text}",
            "indent the # line by four spaces if it belongs to the reply; put it before the section if it is a remark",
        ),
    },
    "duplicate-key": {
        "zh": ("{key} 写了两次，第一次在第 {first} 行", "只留一个"),
        "en": ("{key} stands twice, first in line {first}", "keep one"),
    },
    "duplicate-section": {
        "zh": ("[{name}] 写了两次，第一次在第 {first} 行", "合成一段"),
        "en": ("[{name}] stands twice, first in line {first}", "make one section of both"),
    },
    # A push that is refused.
    "the body is too large": {
        "zh": ("太长", "需要时调大 body_max，以及 Nginx 的 client_max_body_size"),
        "en": ("it is too large", "raise body_max if need be, and Nginx's client_max_body_size"),
    },
    "the body is cut off": {
        "zh": ("没有收完就断了", "检查代理和网络"),
        "en": ("it was cut off", "look at the proxy and the network"),
    },
    "there is no Content-Length": {
        "zh": ("没有 Content-Length", "检查代理"),
        "en": ("there is no Content-Length", "look at the proxy"),
    },
    "the body does not begin with the element xml": {
        "zh": ("开头不是 <xml>", "经常出现时检查代理"),
        "en": ("it does not begin with <xml>", "if it happens often, look at the proxy"),
    },
    "the body is not in UTF-8": {
        "zh": ("不是 UTF-8", "检查代理有没有转码"),
        "en": ("it is not in UTF-8", "see whether a proxy recodes it"),
    },
    "the body is not well-formed": {
        "zh": ("有语法错误（{at}）", "经常出现时检查代理"),
        "en": ("a fault at {at}", "if it happens often, look at the proxy"),
    },
    "the body has too many or too deeply nested elements": {
        "zh": ("元素太多，或嵌套太深", "不用处理，不是微信的推送"),
        "en": ("too many or too deeply nested elements", "nothing: no push of WeChat's is like that"),
    },
    "an element is too long": {
        "zh": ("{element} 太长", "不用处理，不是微信的推送"),
        "en": ("{element} is too long", "nothing: no push of WeChat's is like that"),
    },
    "an element is missing or repeated": {
        "zh": ("没有，或不止一个", "不用处理，不是公众号的推送；经常出现时检查代理"),
        "en": ("it is missing, or there are several", "nothing: no account's push is like that; often, look at the proxy"),
    },
    "no name is like that": {
        "zh": ("太长，或有不可见的字符", "不用处理，不是微信的推送"),
        "en": ("it is too long, or cannot be printed", "nothing: no push of WeChat's is like that"),
    },
    "CreateTime is not a number": {
        "zh": ("不是数字", "不用处理，不是公众号的推送；经常出现时检查代理"),
        "en": ("it is not a number", "nothing: no account's push is like that; often, look at the proxy"),
    },
    # The table of replies.
    "unreadable": {"zh": ("读不了：{error}", "检查路径和权限"), "en": ("cannot be read: {error}", "check path and mode")},
    "empty": {
        "zh": ("[{name}] 没有回复。像是上面回复里的一个表情，却写在了行首", "属于回复的话，这一行缩进四个空格"),
        "en": (
            "[{name}] says nothing. It looks like an emoji code at the start of a line inside the reply above",
            "if it belongs to the reply, indent it by four spaces",
        ),
    },
    "empty-first": {
        "zh": ("[{name}] 没有回复", "在它下面写 text = …"),
        "en": ("[{name}] says nothing", "write text = … below it"),
    },
    "several": {
        "zh": ("[{name}] 里有几种回复：{keys}", "微信只收一条，留一种"),
        "en": ("[{name}] has several answers: {keys}", "WeChat takes one reply; keep one"),
    },
    "unknown-key": {
        "zh": ("没有 {key} 这一项{hint}", "改正它，或删掉这一行"),
        "en": ("there is no key {key}{hint}", "correct it, or delete the line"),
    },
    "missing": {"zh": ("{key} 没有值", "填上它"), "en": ("{key} has no value", "fill it in")},
    "bad-value": {
        "zh": ("{key} 不能是 {value}（应为 {wanted}）", "改正它"),
        "en": ("{key} cannot be {value} (wanted: {wanted})", "correct it"),
    },
    "else-alone": {
        "zh": ("有 else，却没有 hours", "写上 hours，或删掉 else"),
        "en": ("else without hours", "add hours, or delete else"),
    },
    "call": {
        "zh": ("处理函数里没有 {call}{hint}", "写 文件名.函数名"),
        "en": ("there is no {call} in the handlers{hint}", "write file.function"),
    },
    "duplicate": {
        "zh": ("「{word}」第 {first} 行已经有了，这里永远轮不到", "只留一个"),
        "en": ("“{word}” stands in line {first} already; this is never asked", "keep one"),
    },
    "unreachable": {
        "zh": ("「{word}」永远轮不到：第 {first} 行的「{by}」总是先匹配", "把它们合并，或改写其中一条"),
        "en": ("“{word}” is never asked: “{by}” in line {first} always comes first", "join them, or change one"),
    },
    "unknown-at": {
        "zh": ("不认识 @{word}{hint}", "改正它；普通文字不要以 @ 开头"),
        "en": ("@{word} is not known{hint}", "correct it; a plain text does not begin with @"),
    },
    "regex": {"zh": ("正则有误：{error}", "改正它"), "en": ("the expression is wrong: {error}", "correct it")},
    "regex-alone": {
        "zh": ("re: 要单独成段，写在段名开头", "分成两段"),
        "en": ("re: stands at the start of a name, and alone", "make two sections of it"),
    },
    "regex-many": {
        "zh": ("一共 {n} 个正则，最多 {limit} 个", "能用 开头: 或 包含: 的就不要用正则"),
        "en": ("{n} expressions, and {limit} is the most", "use prefix: and contains: where they do"),
    },
    # Handlers that do not load.
    "raised": {"zh": ("{error}", "改正后再运行 check"), "en": ("{error}", "correct it and run check again")},
    # Marks on functions.
    "empty-word": {"zh": ("空的词什么都匹配不了", "写上词，或删掉它"), "en": ("an empty word", "fill it in, or delete it")},
    "long-word": {
        "zh": ("关键词超过 {limit} 个字", "缩短它，或用 开头:"),
        "en": ("a keyword of more than {limit} characters", "shorten it, or use a prefix"),
    },
    "no-words": {
        "zh": ("{on} 后面不能再写要匹配的词", "删掉它"),
        "en": ("{on} takes no words to compare with", "delete them"),
    },
    "word": {
        "zh": ("{on} 只收文字或 re.compile(…)，不能是 {value}", "改成文字"),
        "en": ("{on} takes a str or re.compile(…), not {value}", "use a str"),
    },
    "option": {
        "zh": ("{on} 没有 {name}= 这个选项{hint}", "改正它，或删掉它"),
        "en": ("{on} has no option {name}={hint}", "correct it, or delete it"),
    },
    "priority": {
        "zh": ("priority 要是整数，不能是 {value}", "改成整数"),
        "en": ("priority is a whole number, not {value}", "use a whole number"),
    },
    "budget": {
        "zh": ("budget 要是秒数（最多 3600），不能是 {value}", "例如 budget=12"),
        "en": ("budget is a number of seconds up to 3600, not {value}", "for example budget=12"),
    },
    "busy": {
        "zh": ("busy 要是文字，不能是 {value}", "写成文字"),
        "en": ("busy is a str, not {value}", "use a str"),
    },
    "hours": {
        "zh": ("看不懂时间 {hours}", "照这样写：周一-周五 9:00-18:00"),
        "en": ("cannot read the hours {hours}", "write for example Mon-Fri 9:00-18:00"),
    },
    "unknown-name": {
        "zh": ("没有 on.{name}{hint}", "改正它"),
        "en": ("there is no on.{name}{hint}", "correct it"),
    },
    "not-a-function": {
        "zh": ("on.… 要写在函数上面，这里是 {value}", "写在 def 上面"),
        "en": ("on.… stands above a function, not {value}", "put it above a def"),
    },
    "covered": {
        "zh": ("{name} 上面的 on.… 被别的装饰器盖住了，不会被调用", "把 on.… 写在最上面"),
        "en": ("another decorator stands above the on.… of {name}, which would never be called", "put on.… on top"),
    },
    "method": {
        "zh": ("{name} 写在类里，不会被调用", "把它移到类的外面"),
        "en": ("{name} stands in a class and would never be called", "put it outside"),
    },
    "shadowed": {
        "zh": ("{name} 定义了两次，第 {first} 行的那个不会被调用", "换一个函数名"),
        "en": ("{name} is defined twice; the one in line {first} would never be called", "rename one of them"),
    },
    # Why a signature differs: what was saved on the platform, compared with the token here.
    "mismatch": {
        "zh": ("Token 不同", "两边填同一个 Token 后重新提交"),
        "en": ("another token", "enter the same token in both places and submit again"),
    },
    "trailing_space": {
        "zh": ("平台上保存的 Token 末尾多一个空格", "在“消息与事件推送”里删掉空格后重新提交"),
        "en": (
            "the token saved on the platform ends with a space",
            "delete it under 消息与事件推送 and submit again",
        ),
    },
    "leading_space": {
        "zh": ("平台上保存的 Token 开头多一个空格", "在“消息与事件推送”里删掉空格后重新提交"),
        "en": (
            "the token saved on the platform begins with a space",
            "delete it under 消息与事件推送 and submit again",
        ),
    },
    "surrounding_space": {
        "zh": ("平台上保存的 Token 前后都有空格", "在“消息与事件推送”里删掉空格后重新提交"),
        "en": (
            "the token saved on the platform stands between spaces",
            "delete them under 消息与事件推送 and submit again",
        ),
    },
    "line_break": {
        "zh": ("平台上保存的 Token 末尾多一个换行", "在“消息与事件推送”里重新输入后提交"),
        "en": (
            "the token saved on the platform ends with a line break",
            "type it again under 消息与事件推送 and submit",
        ),
    },
    "quotes": {
        "zh": ("平台上保存的 Token 带着引号", "在“消息与事件推送”里删掉引号后重新提交"),
        "en": (
            "the token saved on the platform stands in quotes",
            "delete them under 消息与事件推送 and submit again",
        ),
    },
    "case": {
        "zh": ("平台上保存的 Token 大小写不同", "两边写成一样后重新提交"),
        "en": ("the token saved on the platform differs in capitals", "write both alike and submit again"),
    },
    "full_width": {
        "zh": ("平台上保存的 Token 里有全角字符", "改成半角后重新提交"),
        "en": ("the token saved on the platform has full-width characters", "use plain ones and submit again"),
    },
    "missing_character": {
        "zh": ("平台上保存的 Token 少了一个字符", "重新复制后提交"),
        "en": ("the token saved on the platform lacks a character", "copy it again and submit"),
    },
    "no_token": {
        "zh": ("平台是用空的 Token 签名的", "在“消息与事件推送”里填上 Token 后重新提交"),
        "en": ("the platform signed with an empty token", "enter the token under 消息与事件推送 and submit again"),
    },
    "placeholder": {
        "zh": ("平台上保存的 Token 还是教程里的样例", "换成这里的 Token 后重新提交"),
        "en": ("the token saved on the platform is a tutorial's example", "enter the one from here and submit again"),
    },
}
