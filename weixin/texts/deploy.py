"""What ``make install``, ``upgrade`` and ``uninstall`` say."""

from __future__ import annotations

WORDS: dict[str, dict[str, str]] = {
    "install.root": {
        "zh": "请用 root 运行：sudo make {command}",
        "en": "this changes the system: sudo make {command}",
    },
    "install.bad_name": {
        "zh": "NAME={name} 不行：要以小写字母开头，只含小写字母、数字和 _",
        "en": "NAME={name} will not do: lower-case letters, digits and _, beginning with a letter",
    },
    "install.hidden": {
        "zh": "服务看不到 /root 和 /home：Python（{python}）和 PREFIX（{prefix}）要在别处。"
        "例如 make install PYTHON=/usr/bin/python3",
        "en": "the service cannot see /root and /home: Python ({python}) and PREFIX ({prefix}) must be elsewhere. "
        "For example make install PYTHON=/usr/bin/python3",
    },
    "install.cannot": {"zh": "无法写入 {file}：{error}", "en": "cannot write {file}: {error}"},
    "install.systemctl": {"zh": "systemctl {words} 失败", "en": "systemctl {words} failed"},
    "install.made": {"zh": "生成  {file}", "en": "made  {file}"},
    "install.no_group": {
        "zh": "注意：没有找到 Nginx 的用户组，现在只有 root 能连接 /run/{name}.sock。装好 Nginx 后再运行一次 make install",
        "en": "mind: no group of Nginx was found, so that only root can connect to /run/{name}.sock. "
        "Install Nginx and run make install again",
    },
    "install.next": {
        "zh": """
{name} 已就绪，等待请求。接下来（换成你的域名）：
  sed s/wx.example.com/你的域名/g {prefix}/current/nginx.conf > /etc/nginx/conf.d/{name}.conf && nginx -t && systemctl reload nginx
  {name} doctor --url http://你的域名/weixin
  cat {config}/secrets/token          # 在公众平台填 URL http://你的域名/weixin 和这个 Token，点「提交」""",
        "en": """
{name} waits for requests. Next (with your own domain):
  sed s/wx.example.com/YOUR.DOMAIN/g {prefix}/current/nginx.conf > /etc/nginx/conf.d/{name}.conf && nginx -t && systemctl reload nginx
  {name} doctor --url http://YOUR.DOMAIN/weixin
  cat {config}/secrets/token          # on the platform: the URL http://YOUR.DOMAIN/weixin and this token, then 提交""",
    },
    "install.no_systemd": {
        "zh": "这里没有运行 systemd，所以没有启动服务。程序在 {prefix}/current，配置在 {config}",
        "en": "no systemd runs here, so that nothing was started. The program is {prefix}/current, its configuration {config}",
    },
    "install.not_installed": {
        "zh": "没有 {file}：还没有安装。先运行 make install",
        "en": "there is no {file}: nothing is installed. Run make install first",
    },
    "install.same": {"zh": "{release} 已经是当前版本", "en": "{release} is what runs already"},
    "install.check_failed": {
        "zh": "{release} 没有通过 check，没有切换，运行中的版本不受影响",
        "en": "{release} does not pass check; nothing was changed, and what runs goes on",
    },
    "install.upgraded": {"zh": "已从 {before} 切换到 {release}", "en": "changed over from {before} to {release}"},
    "install.rolled_back": {
        "zh": "{release} 没有启动成功，已退回 {before}，服务正常",
        "en": "{release} did not come up; {before} is back and serves",
    },
    "install.both_fail": {
        "zh": "{release} 没有启动成功；退回 {before} 也没有成功，请看日志",
        "en": "{release} did not come up, and going back to {before} did not help: see the log",
    },
    "install.log": {"zh": "原因见：journalctl -u {name} -n 50", "en": "why: journalctl -u {name} -n 50"},
    "install.removed": {
        "zh": "已卸载。保留了 {config}（配置和密钥）和 /var/lib/{name}（状态）；"
        "不再需要时：rm -r {config} /var/lib/{name} /var/lib/private/{name}，并删除 Nginx 里的 {name}.conf",
        "en": "uninstalled. Kept: {config} (configuration and secrets) and /var/lib/{name} (state). "
        "When they are not wanted: rm -r {config} /var/lib/{name} /var/lib/private/{name}, and Nginx's {name}.conf",
    },
}
