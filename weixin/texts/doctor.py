"""What the doctor finds, and how it says so. ``found`` has what exactly is wrong; ``ok.…`` is its good news."""

from __future__ import annotations

CODES: dict[str, dict[str, tuple[str, str, str]]] = {
    "WX-CFG-11": {
        "zh": ("{file} 其他用户可以写", "权限太宽：谁都能换掉会运行的代码或配置", "chmod go-w {file}"),
        "en": (
            "others may write {file}",
            "its mode is too wide: anybody could change what is run",
            "chmod go-w {file}",
        ),
    },
    "WX-CFG-12": {
        "zh": ("{file} 其他用户可以读", "里面是用户的消息和状态", "chmod o-rwx {file}"),
        "en": ("others may read {file}", "users' messages and state are in it", "chmod o-rwx {file}"),
    },
    "WX-SIG-03": {
        "zh": (
            "签名错误的请求也得到了 echostr",
            "回答的不是 wxserve，或前面有缓存；谁都能伪造消息",
            "确认这个地址转给 wxserve，并关闭缓存",
        ),
        "en": (
            "a wrong signature gets its echostr back",
            "something else answers, or a cache does; anybody could forge messages",
            "make sure that this address goes to wxserve, and that nothing caches it",
        ),
    },
    "WX-SIG-05": {
        "zh": ("echostr 没有原样返回：{problem}", "公众平台要求回答和 echostr 一个字节不差", "只输出 echostr 本身"),
        "en": (
            "echostr does not come back as it went: {problem}",
            "the platform wants its very bytes, and nothing else",
            "send echostr and nothing else",
        ),
    },
    "WX-NET-01": {
        "zh": ("{host} 解析不到地址：{error}", "没有 DNS 记录，或还没有生效；微信报「DNS失败」", "在域名服务商加一条 A 记录"),
        "en": (
            "{host} leads to no address: {error}",
            "there is no DNS record, or not yet; WeChat's alarm says DNS失败",
            "add an A record where the domain is managed",
        ),
    },
    "WX-NET-02": {
        "zh": ("{host} 只有 IPv6 地址（{address}）", "微信只用 IPv4 访问", "加一条 A 记录"),
        "en": ("{host} has IPv6 alone ({address})", "WeChat comes by IPv4", "add an A record"),
    },
    "WX-NET-03": {
        "zh": ("端口 {port} 不行", "微信只访问 http 的 80 和 https 的 443", "用 Nginx 在 80 或 443 上转发（见 nginx.conf）"),
        "en": (
            "port {port} will not do",
            "WeChat takes http on 80 and https on 443",
            "put Nginx in front, on 80 or 443 (nginx.conf)",
        ),
    },
    "WX-NET-04": {
        "zh": ("{host} 是 IP 地址，不是域名", "有的账号用 IP 地址通不过验证", "用域名"),
        "en": ("{host} is an address, not a name", "for some accounts the platform does not take it", "use a domain"),
    },
    "WX-NET-05": {
        "zh": ("端口 {port} 连不上：{problem}", "微信报「连接超时」或「Token验证失败」", "检查 Nginx 和防火墙"),
        "en": (
            "no connection to port {port}: {problem}",
            "WeChat says 连接超时 or Token验证失败",
            "look at Nginx and the firewalls",
        ),
    },
    "WX-NET-06": {
        "zh": ("{host} 的证书：{problem}", "微信只接受有效的证书和 TLS 1.2 以上，否则报「请求URL超时」或「Token验证失败」", "换一张证书"),
        "en": (
            "the certificate of {host}: {problem}",
            "WeChat takes a valid certificate and TLS 1.2 or newer alone; else it says 请求URL超时 or Token验证失败",
            "get another certificate",
        ),
    },
    "WX-NET-07": {
        "zh": (
            "地址会跳转（{status} → {to}）",
            "Nginx 补斜杠或强制 https，微信不会跟随，报「Token验证失败」",
            "直接填 {to}，或改用 location = {path}",
        ),
        "en": (
            "the address redirects ({status} → {to})",
            "Nginx adds a slash or forces https; WeChat does not follow and says Token验证失败",
            "enter {to}, or use location = {path}",
        ),
    },
    "WX-NET-08": {
        "zh": ("地址的回答不对（{status}）：{problem}", "微信报「Token验证失败」", "看 Nginx 的日志"),
        "en": ("the address answers {status}: {problem}", "WeChat says Token验证失败", "look into Nginx's log"),
    },
    "WX-NET-09": {
        "zh": ("回答的是一个拦截页面（{status}，「{found}」）：{problem}", "请求没有到达 wxserve", "让 /weixin 不被拦截"),
        "en": (
            "a page in front answers ({status}, “{found}”): {problem}",
            "the request never reaches wxserve",
            "exempt the path",
        ),
    },
    "WX-NET-10": {
        "zh": (
            "签名没有原样到达：直接问服务是对的，经过这个地址就不对",
            "前面的代理丢掉或改写了查询参数",
            "去掉 rewrite，和附带的 nginx.conf 比较",
        ),
        "en": (
            "the query does not arrive as it went: asked directly the service takes it, through this address it does not",
            "a proxy in front drops or rewrites the query",
            "take the rewrite out; compare with the shipped nginx.conf",
        ),
    },
    "WX-NET-11": {
        "zh": ("{bytes} 字节的推送没有通过（{status}）", "client_max_body_size 太小", "client_max_body_size 64k;"),
        "en": (
            "a push of {bytes} bytes does not pass ({status})",
            "client_max_body_size is too small",
            "client_max_body_size 64k;",
        ),
    },
    "WX-NET-12": {
        "zh": ("回答的不是这个服务：{problem}", "域名指向别处，或旧进程还在运行", "nginx -T | grep server_name"),
        "en": (
            "it is not this service that answers: {problem}",
            "the name leads elsewhere, or an old process still runs",
            "nginx -T | grep server_name",
        ),
    },
    "WX-NET-13": {
        "zh": (
            "有一个不说话的连接时，其他请求 {seconds} 秒内得不到回答",
            "用了单线程的服务器（例如 wsgiref），随机出现「故障」",
            "用 python3 wxserve.py run",
        ),
        "en": (
            "while one connection is silent, others wait more than {seconds} s",
            "a single-threaded server (wsgiref, for example): 故障, at random",
            "serve with python3 wxserve.py run",
        ),
    },
    "WX-NET-14": {
        "zh": (
            "5.5 秒的回答在 {seconds} 秒时被切断（{status}）",
            "前面的代理比微信先放弃，慢的回答会变成「故障」",
            "proxy_read_timeout 6s;",
        ),
        "en": (
            "an answer after 5.5 s was cut off at {seconds} s ({status})",
            "a proxy gives up before WeChat does: slow answers become 故障",
            "proxy_read_timeout 6s;",
        ),
    },
    "WX-AES-01": {
        "zh": ("加解密自检没有通过（{step}，{aes}）", "libcrypto 有问题，或 EncodingAESKey 不对", "设 mode = plain，并报告这个问题"),
        "en": (
            "the cipher fails its own test ({step}, {aes})",
            "a faulty libcrypto, or a wrong EncodingAESKey",
            "set mode = plain, and report it",
        ),
    },
    "WX-TIM-01": {
        "zh": ("{where}：{problem}", "多半在等别的服务：大模型、接口、数据库", "设 budget= 和 busy=：先回话，后补答案"),
        "en": (
            "{where}: {problem}",
            "it waits for another service, most likely: a model, an API, a database",
            "set budget= and busy=: answer first, deliver later",
        ),
    },
    "WX-TIM-02": {
        "zh": (
            "最近 {n} 条消息到这里时，中间的一条已经过了 {seconds} 秒",
            "到微信的网络慢，或这台机器的时钟不准；微信报「请求超时」，而这里看着很快",
            "timedatectl set-ntp true 校准时间；还是这样就换近的机房",
        ),
        "en": (
            "of the last {n} messages the median arrives {seconds} s after it was written",
            "the network to WeChat is slow, or this machine's clock is wrong: 请求超时 while everything is fast here",
            "set the clock: timedatectl set-ntp true; if that is not it, choose a nearer region",
        ),
    },
    "WX-DUP-01": {
        "zh": (
            "{total} 条消息里有 {n} 条，回答以后微信又问了一次",
            "回答没有在 5 秒内到达微信：代理或网络慢，或代理切断了连接",
            "每条消息仍然只处理一次；比较日志里的 ms 和 Nginx 日志里的 rt，再用 wxserve doctor push --url 检查",
        ),
        "en": (
            "of {total} messages {n} were answered, and WeChat asked again",
            "the answer does not reach WeChat within 5 s: a slow proxy or network, or a proxy that hangs up",
            "each is run once all the same; compare ms in the log with rt in Nginx's, and try wxserve doctor push --url",
        ),
    },
    "WX-OPS-03": {
        "zh": (
            "{minutes} 分钟里有 {n} 次推送没有得到回答",
            "到 {limit} 次微信就会报警，并停止推送一分钟（MarkFail）",
            "先解决这里的其他问题；wxserve deliveries 列出是哪些消息",
        ),
        "en": (
            "{n} deliveries of the last {minutes} minutes failed",
            "at {limit} WeChat sends an alarm, and then nothing for a minute (MarkFail)",
            "mend what else is found here; wxserve deliveries shows which messages they were",
        ),
    },
    "WX-TIM-03": {
        "zh": (
            "同时 {n} 个请求，答了 {answered} 个，最慢 {seconds} 秒",
            "线程太少，或机器太忙；高峰时会出现「故障」",
            "调大 threads，看看机器在忙什么",
        ),
        "en": (
            "of {n} requests at once {answered} were answered, the last after {seconds} s",
            "too few threads, or a busy machine: 故障 at peaks",
            "raise threads; see what keeps the machine busy",
        ),
    },
    "WX-OPS-01": {
        "zh": ("systemd 服务：{problem}", "服务没有在正常运行", "journalctl -u wxserve -n 50"),
        "en": ("the systemd service: {problem}", "it does not run as it should", "journalctl -u wxserve -n 50"),
    },
    "WX-OPS-02": {
        "zh": ("{folder}：{problem}", "状态和记录写不进去，或读不出来", "清理磁盘"),
        "en": ("{folder}: {problem}", "state and records cannot be written, or read", "make room"),
    },
    "WX-OPS-04": {
        "zh": ("通过公开的地址可以访问 {path}", "代理把管理端口也转发了", "只转发微信的路径；admin 只监听 127.0.0.1"),
        "en": (
            "{path} is to be had under the public name",
            "a proxy passes the admin listener on",
            "pass on WeChat's path alone; keep admin on 127.0.0.1",
        ),
    },
}

WORDS: dict[str, dict[str, str]] = {
    "command.doctor": {"zh": "查出微信为什么访问不了，或得不到回答", "en": "find out why WeChat cannot reach us"},
    "command.explain": {"zh": "解释代码、错误码和微信的报错", "en": "explain a code, an errcode, a notice of WeChat's"},
    "explain.help.text": {
        "zh": "我们的代码、微信的错误码，或它的报错（可以整段粘贴）",
        "en": "a code of ours, one of Tencent's, or what WeChat said; paste it as it is",
    },
    "explain.unknown": {
        "zh": "「{text}」里没有认识的东西。认识的有：WX-NET-07 这样的代码（wxserve doctor --list-checks 列出检查），"
        "-40001、40164 这样的错误码，「Token验证失败」这样的报错，公众平台的告警（整段粘贴）",
        "en": "nothing in “{text}” is known. Known are codes like WX-NET-07 (wxserve doctor --list-checks has those of the "
        "checks), errcodes like -40001 and 40164, notices like Token验证失败, and the platform's alarms, pasted whole",
    },
    "explain.found": {
        "zh": "找到这条消息 d={name}：{at} {kind}，{where} 用了 {seconds} 秒，结果 {result}",
        "en": "found the message d={name}: {at} {kind}, {where} took {seconds} s, {result}",
    },
    "explain.attempt": {
        "zh": "第 {n} 次推送  {at}  {seconds} 秒  {result}",
        "en": "attempt {n}  {at}  {seconds} s  {result}",
    },
    "explain.running": {"zh": "还没有结果", "en": "without a result yet"},
    "explain.unfound": {
        "zh": "记录里没有这个用户那时的消息：它没有到达 wxserve（wxserve doctor --url …），或已不在最近 {keep} 条里",
        "en": "no message of this user at that time is recorded: it never reached wxserve (wxserve doctor --url …), or is not among the last {keep}",
    },
    "explain.unread": {
        "zh": "没有能找这条消息的记录（{error}）：在配置文件所在的目录运行，或用 -c；服务用 sudo wxserve explain",
        "en": "there are no records to find the message in ({error}): run it in the configuration's folder, or with -c; of the service with sudo wxserve explain",
    },
    "doctor.help.url": {"zh": "在公众平台填的地址", "en": "the address that was entered on the platform"},
    "doctor.help.via": {
        "zh": "不查 DNS，直接问这个地址，例如 127.0.0.1:80",
        "en": "ask this address, not the one that DNS gives; for example 127.0.0.1:80",
    },
    "doctor.help.request": {
        "zh": "一个收到的请求：粘贴的网址、日志行，或保存它的文件；- 为标准输入",
        "en": "a request that was received: a pasted URL, a line of a log, or a file with it; - is standard input",
    },
    "doctor.help.list": {"zh": "列出所有检查", "en": "list all checks"},
    "doctor.help.checks": {"zh": "只做这些检查：组名或代码", "en": "only these: groups or codes"},
    "doctor.unknown": {"zh": "没有 {name} 这个检查。有：{names}", "en": "there is no check {name}. There are: {names}"},
    "doctor.bad_url": {
        "zh": "{url} 不是公众平台能填的地址，例如 https://你的域名/weixin",
        "en": "{url} is no address that the platform takes, such as https://your.domain/weixin",
    },
    "doctor.bad_via": {"zh": "{via} 不是 主机:端口", "en": "{via} is not host:port"},
    "doctor.problems": {"zh": "{n} 个问题。没有改动任何东西。", "en": "problems: {n}. Nothing was changed."},
    "doctor.fine": {"zh": "没有发现问题。", "en": "no problem was found."},
    "doctor.cause": {"zh": "原因  {cause}", "en": "cause  {cause}"},
    "doctor.fix": {"zh": "办法  {fix}", "en": "fix    {fix}"},
    "doctor.skip.needs-url": {"zh": "没有检查：加上 --url http://你的域名/weixin", "en": "not asked: add --url http://your.domain/weixin"},
    "doctor.skip.needs-config": {"zh": "没有检查：先改正配置", "en": "not asked: mend the configuration first"},
    "doctor.skip.after-problem": {"zh": "没有检查：先解决上面的问题", "en": "not asked: mend what is above first"},
    "doctor.skip.nothing": {"zh": "没有什么可看的", "en": "there is nothing to look at"},
    "doctor.skip.needs-request": {
        "zh": "没有检查：在 --request 后面写上一个收到的请求",
        "en": "not asked: put a request that was received behind --request",
    },
    "doctor.skip.no-unit": {"zh": "没有检查：这里没有安装 systemd 服务", "en": "not asked: no systemd service is installed here"},
    "doctor.skip.unseen": {
        "zh": "还没有见到微信的请求。加上 --watch，再在公众平台点「提交」",
        "en": "nothing from WeChat was seen yet. Run with --watch and press 提交",
    },
    "doctor.seen": {"zh": "{times} 次，最近 {at}，来自 {ip}", "en": "{times} times, last {at}, from {ip}"},
    "ok.wechat": {
        "zh": "24 小时内 {n} 条消息，最慢 {ms} ms；微信的请求都得到了回答",
        "en": "{n} messages in 24 h, the slowest {ms} ms; nothing of WeChat's was left unanswered",
    },
    "doctor.help.watch": {"zh": "等微信的请求，来一个解释一个", "en": "wait for WeChat's requests and explain each"},
    "watch.waiting": {
        "zh": "等待微信的请求：在 微信开发者平台 › 我的业务 › 公众号 › 消息与事件推送 点「提交」（旧：公众平台 › 设置与开发 › 基本配置）…　Ctrl-C 结束",
        "en": "waiting for WeChat: press 提交 in 微信开发者平台 › 我的业务 › 公众号 › 消息与事件推送 (before: 公众平台 › 设置与开发 › 基本配置) … Ctrl-C stops",
    },
    "watch.memory": {
        "zh": "store 是 memory:，从外面看不到。设 [store] url = sqlite:wxserve.db 后重启",
        "en": "the store is memory:, which cannot be seen from here. Set [store] url = sqlite:wxserve.db and restart",
    },
    "watch.nothing": {
        "zh": """60 秒内什么都没有到。按这个顺序看（或者 doctor --url http(s)://你的域名{path} 一次查完）：
  1 服务      systemctl status wxserve.socket wxserve
  2 DNS       域名有 A 记录，指向这台机器：dig +short 你的域名
  3 安全组    云控制台里放行 80 和 443
  4 防火墙    ufw status，firewall-cmd --list-all，nft list ruleset
  5 端口      Nginx 在 80 或 443 上监听：ss -ltn；微信不访问别的端口
  6 IPv6      微信只用 IPv4 访问，只有 AAAA 记录不行
  7 备案      中国大陆的主机，域名没有备案会被拦截
  8 Nginx     server_name 是这个域名，location = {path} 转给 wxserve：nginx -T；看 /var/log/nginx/""",
        "en": """nothing has come in 60 s. Look at these, in this order (or ask doctor --url http(s)://your.domain{path} for all):
  1 service         systemctl status wxserve.socket wxserve
  2 DNS             the name has an A record that leads here: dig +short your.domain
  3 security group  80 and 443 are open in the cloud's console
  4 firewall        ufw status, firewall-cmd --list-all, nft list ruleset
  5 port            Nginx listens on 80 or 443: ss -ltn; WeChat comes to no other
  6 IPv6            WeChat comes by IPv4: an AAAA record alone will not do
  7 备案            on a host in mainland China an unregistered domain is blocked
  8 Nginx           server_name is this name, and location = {path} leads to wxserve: nginx -T; see /var/log/nginx/""",
    },
    "watch.passed": {"zh": "签名正确，echostr 已返回   → 提交成功", "en": "signature ok, echostr returned   → 提交成功"},
    "watch.answered": {"zh": "已回答：{reply}，{ms} ms", "en": "answered: {reply}, {ms} ms"},
    "watch.error": {"zh": "处理函数出错：{reply}，{ms} ms", "en": "the handler raised: {reply}, {ms} ms"},
    "watch.WX-SIG-01": {"zh": "没有签名", "en": "no signature"},
    "watch.WX-SIG-02": {"zh": "签名不对", "en": "signature WRONG"},
    "watch.WX-SIG-04": {"zh": "时间不对", "en": "clock WRONG"},
    "watch.WX-AES-02": {"zh": "加密方式不对", "en": "mode WRONG"},
    "watch.WX-AES-03": {"zh": "解密失败", "en": "does not open"},
    "watch.other": {"zh": "拒绝", "en": "refused"},
    "ok.config": {"zh": "{rules} 条规则，Token {token} 位，模式 {mode}，{file}", "en": "{rules} rules, a token of {token} characters, mode {mode}, {file}"},
    "ok.aes": {"zh": "自检通过（{aes}）", "en": "passes its own test ({aes})"},
    "ok.request": {"zh": "{name} 正确，请求没有问题", "en": "{name} is right; nothing is wrong with it"},
    "ok.unit": {"zh": "{state}，pid {pid}，重启 {restarts} 次，自 {since}", "en": "{state}, pid {pid}, {restarts} restarts, since {since}"},
    "ok.disk": {"zh": "{folder} 还有 {free}", "en": "{free} free in {folder}"},
    "ok.url": {"zh": "{url}", "en": "{url}"},
    "ok.dns": {"zh": "{host} → {addresses}", "en": "{host} → {addresses}"},
    "ok.tcp": {"zh": "端口 {port} 可以连接，{ms} ms（从这台机器）", "en": "port {port} accepts, {ms} ms (from this machine)"},
    "ok.tls": {"zh": "{version}，证书还有 {days} 天", "en": "{version}, {days} days left"},
    "ok.http": {"zh": "echostr 原样返回，{ms} ms", "en": "echostr comes back as it went, {ms} ms"},
    "ok.push": {"zh": "{bytes} 字节和 5.5 秒都能通过，空闲连接不碍事", "en": "{bytes} bytes and 5.5 s pass, and idle connections do no harm"},
    "ok.speed": {"zh": "同时 {n} 个请求，{ms} ms", "en": "{n} at once in {ms} ms"},
}
