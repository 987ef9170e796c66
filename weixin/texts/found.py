"""What exactly the doctor found, where one code stands for several faults: a sentence, and what to do."""

from __future__ import annotations

SLIPS: dict[str, dict[str, tuple[str, str]]] = {
    "tcp-timeout": {
        "zh": ("没有回应", "在云控制台的安全组里放行这个端口；再看本机防火墙和 Nginx"),
        "en": ("nothing comes back", "open the port in the cloud's security group; then look at the local firewall"),
    },
    "tcp-refused": {
        "zh": ("被拒绝，没有程序在监听", "启动 Nginx，并确认它监听这个端口（443 要先去掉 nginx.conf 里的 #tls）：ss -ltn"),
        "en": (
            "refused: nothing listens there",
            "start Nginx, and see that it listens (on 443 once the #tls lines of nginx.conf are uncommented): ss -ltn",
        ),
    },
    "tcp-other": {"zh": ("{error}", "检查网络和路由"), "en": ("{error}", "look at network and routes")},
    "tls-early": {
        "zh": ("还没有生效", "校准时间，或等它生效"),
        "en": ("it is not valid yet", "set the clock, or wait"),
    },
    "tls-expired": {
        "zh": ("已经过期", "更新证书（certbot renew），然后 systemctl reload nginx"),
        "en": ("it has expired", "renew it (certbot renew), then systemctl reload nginx"),
    },
    "tls-soon": {
        "zh": ("{days} 天后过期，看来没有自动更新", "certbot renew；检查它的定时任务"),
        "en": ("it expires in {days} days and seems not to be renewed", "certbot renew; look at its timer"),
    },
    "tls-self": {
        "zh": ("是自签名的", "用 Let's Encrypt 等机构签发的证书"),
        "en": ("it is self-signed", "use one of a known authority, such as Let's Encrypt"),
    },
    "tls-chain": {
        "zh": ("缺少中间证书", "ssl_certificate 要用 fullchain.pem"),
        "en": ("the chain is incomplete", "ssl_certificate must be fullchain.pem"),
    },
    "tls-name": {
        "zh": ("不是给这个域名的", "为 {host} 申请证书；检查 Nginx 的 server_name"),
        "en": ("it is for another name", "get one for {host}; look at server_name in Nginx"),
    },
    "tls-old": {
        "zh": ("TLS 版本太旧", "ssl_protocols TLSv1.2 TLSv1.3;"),
        "en": ("the TLS is too old", "ssl_protocols TLSv1.2 TLSv1.3;"),
    },
    "tls-other": {
        "zh": ("TLS 握手失败：{error}", "检查 Nginx 的 ssl_ 各行"),
        "en": ("the handshake fails: {error}", "look at Nginx's ssl_ lines"),
    },
    "silent-timeout": {
        "zh": ("没有回答", "看 journalctl -u wxserve；Nginx 日志里 rt 很大的那一行"),
        "en": ("no answer", "look at journalctl -u wxserve, and at rt in Nginx's log"),
    },
    "silent-closed": {
        "zh": ("连接被关闭，什么都没有回", "检查地址里的域名和路径：附带的 nginx.conf 对其他地址不回答"),
        "en": ("closed without a byte", "look at name and path: the shipped nginx.conf does not answer any other"),
    },
    "silent-refused": {"zh": ("连接被拒绝", "启动 Nginx"), "en": ("the connection is refused", "start Nginx")},
    "silent-other": {"zh": ("不是 HTTP：{error}", "检查端口"), "en": ("that is no HTTP: {error}", "look at the port")},
    "status-404": {
        "zh": ("没有 {path} 这个路径", "Nginx 里写 location = {path}，并和 [server] path 一致"),
        "en": ("there is no path {path}", "location = {path} in Nginx, the same as [server] path"),
    },
    "status-405": {
        "zh": ("不接受 GET", "去掉限制请求方法的设置，GET 和 POST 都要放行"),
        "en": ("GET is not taken", "let both GET and POST through"),
    },
    "status-429": {
        "zh": ("被限流了", "限流要放过带签名的请求，见附带的 nginx.conf"),
        "en": ("limited by rate", "limits must spare signed requests: see the shipped nginx.conf"),
    },
    "status-500": {
        "zh": ("程序出错", "回答的可能不是 wxserve；看日志"),
        "en": ("a program fails", "it may not be wxserve that answers; look into its log"),
    },
    "status-502": {
        "zh": ("Nginx 连不上 wxserve", "systemctl status wxserve.socket；SocketGroup 要是 Nginx 的组"),
        "en": ("Nginx cannot reach wxserve", "systemctl status wxserve.socket; SocketGroup must be Nginx's"),
    },
    "status-503": {
        "zh": ("服务没有准备好", "看 journalctl -u wxserve：多半是配置有误"),
        "en": ("the service is not ready", "see journalctl -u wxserve: a faulty configuration, most likely"),
    },
    "status-504": {
        "zh": ("wxserve 太久没有回答", "systemctl restart wxserve，再看日志"),
        "en": ("wxserve is silent for too long", "systemctl restart wxserve, then look into its log"),
    },
    "status-other": {
        "zh": ("不是 200", "直接在 Nginx 的日志里找这个请求"),
        "en": ("that is not 200", "look for this request in Nginx's log"),
    },
    "block-icp": {
        "zh": ("域名没有备案", "备案，或用境外的主机"),
        "en": ("the domain is not registered (备案)", "register it, or use a host outside mainland China"),
    },
    "block-firewall": {
        "zh": ("防火墙或 CDN 的验证页面", "让 WAF 或 CDN 放行这个路径"),
        "en": ("a firewall's or a CDN's challenge", "exempt this path there"),
    },
    "echostr is missing": {
        "zh": ("请求里就没有它", "在公众平台点「提交」，那才是验证请求"),
        "en": ("the request had none", "press 提交 on the platform: that sends the check"),
    },
    "extra-gzip": {
        "zh": ("被压缩了（{bytes} 字节）", "对这个路径 gzip off;"),
        "en": ("compressed ({bytes} bytes)", "gzip off; for this path"),
    },
    "extra-bom": {
        "zh": ("前面多了 BOM：{hex}", "去掉文件开头的 BOM"),
        "en": ("a BOM before it: {hex}", "save the file without a BOM"),
    },
    "extra-space": {
        "zh": ("前后多了空白或换行：{hex}", "只输出 echostr 本身"),
        "en": ("blanks or line ends around it: {hex}", "send echostr and nothing else"),
    },
    "extra-html": {
        "zh": ("是一个 HTML 页面：{hex}", "确认这个地址转给 wxserve"),
        "en": ("an HTML page: {hex}", "make sure that this address goes to wxserve"),
    },
    "extra-json": {
        "zh": ("是 JSON：{hex}", "只输出 echostr 本身，不加引号"),
        "en": ("JSON: {hex}", "send echostr itself, without quotes"),
    },
    "extra-other": {
        "zh": ("是别的内容（{bytes} 字节）：{hex}", "确认这个地址转给 wxserve"),
        "en": ("something else ({bytes} bytes): {hex}", "make sure that this address goes to wxserve"),
    },
    "other-program": {
        "zh": ("没有 wxserve 的标记", "看这个域名在 Nginx 里转给了谁"),
        "en": ("it lacks wxserve's mark", "see where Nginx sends this name"),
    },
    "other-token": {
        "zh": ("它的 Token 和配置里的不同", "改过 Token 的话：systemctl restart wxserve"),
        "en": ("it has another token than the configuration", "after a change: systemctl restart wxserve"),
    },
    "other-process": {
        "zh": ("同一个 Token，另一个进程", "找到旧进程并停掉：ss -lxp | grep wxserve；ss -ltnp"),
        "en": ("the same token, another process", "find and stop the old one: ss -lxp | grep wxserve; ss -ltnp"),
    },
    "unit-socket": {
        "zh": ("wxserve.socket 没有在监听（{state}）", "systemctl enable --now wxserve.socket"),
        "en": ("wxserve.socket does not listen ({state})", "systemctl enable --now wxserve.socket"),
    },
    "unit-failed": {
        "zh": ("启动失败（{result}，退出码 {status}）", "journalctl -u wxserve -n 50；改正后会自动启动"),
        "en": ("it does not start ({result}, status {status})", "journalctl -u wxserve -n 50; mended, it starts by itself"),
    },
    "unit-restarts": {
        "zh": ("已经重启了 {n} 次（{result}，退出码 {status}）", "journalctl -u wxserve -n 200 找原因"),
        "en": ("it was begun again {n} times ({result}, status {status})", "journalctl -u wxserve -n 200 says why"),
    },
    "handler-late": {
        "zh": (
            "{n} 条消息里有 {late} 条超过 {deadline} 秒，最慢 {seconds} 秒；微信 5 秒就断开",
            "设 budget= 和 busy=：先回话，后补答案",
        ),
        "en": (
            "{late} of {n} messages took longer than {deadline} s, the slowest {seconds} s; WeChat hangs up at 5",
            "set budget= and busy=: answer first, deliver later",
        ),
    },
    "handler-slow": {
        "zh": ("每 20 条消息就有 1 条要 {seconds} 秒以上，离微信的 5 秒不远", "找出它在等什么；或设 budget= 和 busy="),
        "en": (
            "one message in twenty takes {seconds} s or more, not far from WeChat's 5",
            "find out what it waits for; or set budget= and busy=",
        ),
    },
    "store-unreadable": {
        "zh": ("记录读不了：{error}", "用服务自己的用户运行：sudo wxserve doctor；文件坏了就移走"),
        "en": (
            "what is recorded cannot be read: {error}",
            "run it as the service does: sudo wxserve doctor; move the file away if it is damaged",
        ),
    },
    "disk-full": {"zh": ("只剩 {free} MB", "清理磁盘"), "en": ("{free} MB are left", "make room")},
    "disk-read-only": {
        "zh": ("文件系统是只读的", "看 dmesg：磁盘出错时会变成只读；修好后重新挂载"),
        "en": ("the file system is read-only", "see dmesg: it becomes so when a disk fails; mend it and mount it again"),
    },
    "disk-inodes": {"zh": ("没有空闲的 inode", "删除多余的小文件"), "en": ("no inodes are left", "remove small files")},
    "disk-unreadable": {"zh": ("无法访问：{error}", "检查路径和权限"), "en": ("no access: {error}", "look at path and mode")},
}
