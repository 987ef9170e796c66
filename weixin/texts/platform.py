"""What Tencent says, explained: codes of its crypto library, errcodes of its API, the notices that people see.

From 消息加解密说明, 全局返回码 and 消息与事件推送; (what it means, why, what to do).
"""

from __future__ import annotations

PLATFORM: dict[str, dict[str, tuple[str, str, str]]] = {
    # 消息加解密说明: the return codes of WXBizMsgCrypt.
    "-40001": {
        "zh": ("签名验证错误（msg_signature）", "两边的 Token 不同；或参数取自正文而不是网址；或代理改了参数", "wxserve doctor --request 粘贴收到的请求"),
        "en": (
            "the signature is wrong (msg_signature)",
            "the tokens differ; or nonce and timestamp were taken from the body; or a proxy changed the query",
            "wxserve doctor --request with the request as it came",
        ),
    },
    "-40002": {
        "zh": ("XML 解析失败", "正文不是 XML，或数据格式选成了 JSON", "在公众平台把数据格式改成 XML"),
        "en": ("the XML does not parse", "the body is none, or 数据格式 is JSON", "choose XML as 数据格式"),
    },
    "-40003": {
        "zh": ("计算签名失败", "参数里有不是文字的值", "检查 timestamp、nonce 是否原样取自网址"),
        "en": ("the signature cannot be computed", "a parameter is not a string", "take timestamp and nonce as they came"),
    },
    "-40004": {
        "zh": ("EncodingAESKey 不合法", "不是 43 位字母和数字", "从公众平台重新复制"),
        "en": ("the EncodingAESKey is illegal", "it has not 43 letters and digits", "copy it from the platform again"),
    },
    "-40005": {
        "zh": ("AppID 不一致", "解密后的 AppID 不是配置的那个", "核对 [wechat] appid"),
        "en": ("the AppID differs", "what was sealed is for another AppID", "compare [wechat] appid with the platform"),
    },
    "-40006": {
        "zh": ("AES 加密失败", "EncodingAESKey 不对，或密码库有问题", "wxserve doctor aes"),
        "en": ("sealing fails", "a wrong EncodingAESKey or a faulty library", "wxserve doctor aes"),
    },
    "-40007": {
        "zh": ("AES 解密失败", "EncodingAESKey 和平台上的不同", "重新复制 EncodingAESKey；更换期间填 aes_key_previous"),
        "en": (
            "opening fails",
            "the EncodingAESKey differs from the platform's",
            "copy it again; while you change it keep the old one as aes_key_previous",
        ),
    },
    "-40008": {
        "zh": ("解密后的内容不合法", "填充或长度不对，多半是密钥不同", "重新复制 EncodingAESKey"),
        "en": ("what was opened makes no sense", "padding or length are wrong: another key", "copy the EncodingAESKey again"),
    },
    "-40009": {
        "zh": ("Base64 编码失败", "密码库有问题", "wxserve doctor aes"),
        "en": ("base64 encoding fails", "a faulty library", "wxserve doctor aes"),
    },
    "-40010": {
        "zh": ("Base64 解码失败", "Encrypt 被截断或改写", "检查代理"),
        "en": ("base64 decoding fails", "Encrypt was cut or rewritten", "look at the proxy"),
    },
    "-40011": {
        "zh": ("生成 XML 失败", "回复里有不合法的字符", "用 Text、News 等回复对象"),
        "en": ("the XML cannot be made", "an illegal character in the reply", "use reply objects: Text, News"),
    },
    # 全局返回码.
    "-1": {
        "zh": ("系统繁忙", "微信那边的问题", "稍后再试"),
        "en": ("the system is busy", "it is WeChat's", "try again later"),
    },
    "40001": {
        "zh": ("AppSecret 错误，或 access_token 无效", "别的程序又取了一次 token，旧的就失效了", "只在一处取 token，或用 stable_token"),
        "en": (
            "the AppSecret is wrong, or the access_token invalid",
            "another program fetched a token, which ends this one",
            "fetch tokens in one place, or use stable_token",
        ),
    },
    "40002": {
        "zh": ("grant_type 不对", "获取 token 时它必须是 client_credential", "改成 client_credential"),
        "en": ("the grant_type is wrong", "for a token it must be client_credential", "use client_credential"),
    },
    "40003": {
        "zh": ("OpenID 不合法", "用了别的公众号的 OpenID", "OpenID 每个公众号都不同"),
        "en": ("the OpenID is invalid", "it belongs to another account", "each account has OpenIDs of its own"),
    },
    "40007": {
        "zh": ("media_id 无效", "临时素材 3 天过期", "重新上传"),
        "en": ("the media_id is invalid", "temporary media expire after three days", "upload it again"),
    },
    "40013": {
        "zh": ("AppID 不合法", "AppID 写错了", "从公众平台重新复制"),
        "en": ("the AppID is invalid", "a slip", "copy it from the platform again"),
    },
    "40014": {
        "zh": ("access_token 不合法", "被截断，或已换新", "重新获取"),
        "en": ("the access_token is invalid", "it was cut, or replaced", "fetch a new one"),
    },
    "40125": {
        "zh": ("AppSecret 无效", "抄错，或已重置", "在公众平台重置后重新填写"),
        "en": ("the AppSecret is invalid", "a slip, or it was reset", "reset it on the platform and enter it again"),
    },
    "40164": {
        "zh": (
            "调用接口的 IP 不在白名单里",
            "IP 白名单只管我们调用微信的接口，和微信推送给我们无关",
            "把报错里的 IP 加进公众平台的 IP 白名单",
        ),
        "en": (
            "this machine's address is not in the IP white-list",
            "the list concerns our calls to the API, not WeChat's pushes to us",
            "add the address that the error names to the IP white-list on the platform",
        ),
    },
    "40243": {
        "zh": ("AppSecret 已冻结", "在公众平台冻结了它", "解冻后再试"),
        "en": ("the AppSecret is frozen", "somebody froze it on the platform", "thaw it there"),
    },
    "40029": {
        "zh": ("网页授权的 code 无效", "每个 code 只能用一次，五分钟过期", "重新打开授权页面"),
        "en": ("the code of the web login is invalid", "each works once, for five minutes", "open the login page again"),
    },
    "41001": {
        "zh": ("缺少 access_token", "请求里没有它", "先获取 token"),
        "en": ("the access_token is missing", "the request has none", "fetch one first"),
    },
    "41002": {
        "zh": ("缺少 appid", "请求里没有它", "补上 appid"),
        "en": ("the appid is missing", "the request has none", "add the appid"),
    },
    "41004": {
        "zh": ("缺少 secret", "请求里没有 AppSecret", "补上 secret"),
        "en": ("the secret is missing", "the request has no AppSecret", "add the secret"),
    },
    "42001": {
        "zh": ("access_token 已过期", "最多用 7200 秒", "重新获取"),
        "en": ("the access_token has expired", "it lasts 7200 s at most", "fetch a new one"),
    },
    "43004": {
        "zh": ("需要用户关注", "用户没有关注，或已取消", "只发给关注者"),
        "en": ("the user must follow", "the user does not, or no longer", "send to followers alone"),
    },
    "45002": {
        "zh": ("内容太长", "超过了接口的长度限制", "缩短，或分几条"),
        "en": ("the content is too long", "it is over the limit", "shorten or split it"),
    },
    "45009": {
        "zh": ("接口调用次数用完了", "每天有上限", "等到明天，或在公众平台清零"),
        "en": ("the API quota is spent", "there is a limit a day", "wait, or clear the quota (clear_quota)"),
    },
    "45011": {
        "zh": ("调用太频繁", "一分钟内太多次", "放慢"),
        "en": ("called too often", "too many calls a minute", "slow down"),
    },
    "45015": {
        "zh": ("超过 48 小时没有互动", "客服消息只能在用户来过消息后 48 小时内发", "等用户再发消息"),
        "en": ("more than 48 hours since the user wrote", "that is how long 客服消息 may be sent", "wait for the user"),
    },
    "45047": {
        "zh": ("客服消息条数超限", "用户每次互动后只能发有限的几条", "合并内容"),
        "en": ("too many 客服消息", "only a few may follow each message of the user", "put them into one"),
    },
    "47001": {
        "zh": ("提交的数据格式不对", "不是合法的 JSON，或编码不是 UTF-8", "检查 JSON；中文不要转成 \\u"),
        "en": ("the data sent is malformed", "it is no JSON, or not in UTF-8", "look at the JSON; leave Chinese as it is"),
    },
    "48001": {
        "zh": ("没有这个接口的权限", "未认证的订阅号没有，例如客服消息", "不用这个接口：用 busy 和「继续」，见 docs/slow-answers.zh-CN.md"),
        "en": (
            "the account may not use this API",
            "an unverified 订阅号 may not, 客服消息 among others",
            "do without: the busy text and the pick-up word",
        ),
    },
    "48004": {
        "zh": ("接口被封禁", "账号违规", "看公众平台的通知"),
        "en": ("the API was closed to the account", "a violation", "see the platform's notices"),
    },
    "50001": {
        "zh": ("用户没有授权这个接口", "网页授权的 scope 不够", "用需要的 scope 重新授权"),
        "en": ("the user did not allow this API", "the web login's scope is too small", "ask again with the right scope"),
    },
    "50002": {
        "zh": ("账号受限", "违规，或接口被封", "看公众平台的通知"),
        "en": ("the account is restricted", "a violation, or the API was closed", "see the platform's notices"),
    },
    "61004": {
        "zh": ("调用接口的 IP 没有登记", "和 40164 一样", "加进 IP 白名单"),
        "en": ("this address is not registered", "the same as 40164", "add it to the IP white-list"),
    },
    "89503": {
        "zh": ("这个 IP 要管理员确认", "微信给管理员发了确认", "管理员在微信里同意；拒绝后一小时内不能再试"),
        "en": ("an administrator must approve this address", "WeChat asked one", "approve; a refusal lasts an hour"),
    },
    # What people see.
    "Token验证失败": {
        "zh": (
            "在公众平台点「提交」后，微信没有得到正确的 echostr",
            "按常见程度：Token 两边不同；地址会跳转；服务没有在运行；防火墙；回答里多了东西",
            "wxserve doctor --url http(s)://你的域名/weixin",
        ),
        "en": (
            "after 提交 WeChat did not get the right echostr",
            "most often: the tokens differ; the address redirects; the service is down; a firewall; stray bytes",
            "wxserve doctor --url http(s)://your.domain/weixin",
        ),
    },
    "请求URL超时": {
        "zh": (
            "点「提交」后，微信 5 秒内没有连上或没有得到回答",
            "端口没有放行，只有 IPv6，或不是 80/443",
            "wxserve doctor --url http(s)://你的域名/weixin dns tcp tls",
        ),
        "en": (
            "after 提交 WeChat got no connection or no answer within 5 s",
            "a closed port, IPv6 alone, or a port that is not 80 or 443",
            "wxserve doctor --url http(s)://your.domain/weixin dns tcp tls",
        ),
    },
    "该公众号提供的服务出现故障": {
        "zh": (
            "三次推送都没有在 5 秒内得到正确的回复",
            "处理函数太慢；回复是空文字、太长、JSON，或收发双方写反；服务停了",
            "看 journalctl -u wxserve；慢的处理函数设 budget=",
        ),
        "en": (
            "none of three deliveries got a proper reply within 5 s",
            "a slow handler; a reply that is empty, too long or JSON, or has To and From swapped; a service that is down",
            "journalctl -u wxserve; give slow handlers a budget=",
        ),
    },
    "DNS失败": {
        "zh": ("微信解析不到域名", "没有 A 记录，或 DNS 服务不稳定", "wxserve doctor dns --url …"),
        "en": ("WeChat cannot resolve the name", "there is no A record, or DNS is unreliable", "wxserve doctor dns --url …"),
    },
    "DNS超时": {
        "zh": ("微信解析域名超时", "DNS 服务太慢", "换一家 DNS 服务商"),
        "en": ("resolving the name takes too long", "a slow DNS service", "choose another"),
    },
    "连接超时": {
        "zh": ("微信连不上服务器", "端口没有放行，机器太忙，或网络不通", "wxserve doctor tcp --url …"),
        "en": ("WeChat gets no connection", "a closed port, a busy machine, or the network", "wxserve doctor tcp --url …"),
    },
    "请求超时": {
        "zh": ("微信等了 5 秒没有得到回复", "处理函数太慢", "设 budget= 和 busy=，先回话后补答案"),
        "en": ("WeChat waited 5 s for a reply", "a slow handler", "give it a budget=: answer first, deliver later"),
    },
    "回应失败": {
        "zh": ("微信得到的回复不合法", "不是 200，或不是 XML", "wxserve send text 你好 看看回复了什么"),
        "en": ("the reply was not a proper one", "its status is not 200, or it is no XML", "wxserve send text 你好 shows it"),
    },
    "MarkFail": {
        "zh": ("失败太多，微信一分钟内不再推送任何消息", "5 分钟内失败超过 30 次", "先解决失败的原因，见日志"),
        "en": (
            "after many failures WeChat pushes nothing for a minute",
            "more than 30 failures in 5 minutes",
            "mend what fails: see the log",
        ),
    },
}

# Words that mean one of the notices above: older wordings, other languages, parts of alarms.
ALSO: dict[str, str] = {
    "token验证失败": "Token验证失败",
    "token 验证失败": "Token验证失败",
    "token校验失败": "Token验证失败",
    "token 校验失败": "Token验证失败",
    "token verification": "Token验证失败",
    "验证失败": "Token验证失败",
    "请求url超时": "请求URL超时",
    "出现故障": "该公众号提供的服务出现故障",
    "暂时无法提供服务": "该公众号提供的服务出现故障",
    "dns失败": "DNS失败",
    "dns超时": "DNS超时",
    "连接超时": "连接超时",
    "请求超时": "请求超时",
    "5秒内没有返回": "请求超时",
    "回应失败": "回应失败",
    "markfail": "MarkFail",
    "自动屏蔽": "MarkFail",
}
