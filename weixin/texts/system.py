"""What the operating system says, in Chinese: the C library knows English alone where no locale is installed."""

from __future__ import annotations

import errno
import os

_CHINESE: dict[int, str] = {
    errno.ENOENT: "没有这个文件或文件夹",
    errno.EACCES: "没有权限",
    errno.EPERM: "不允许这样做",
    errno.EISDIR: "这是文件夹，不是文件",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.EEXIST: "已经有同名的文件",
    errno.ENOSPC: "磁盘满了",
    errno.EDQUOT: "超出了磁盘配额",
    errno.EROFS: "文件系统是只读的",
    errno.EMFILE: "打开的文件太多",
    errno.EADDRINUSE: "端口已被占用",
    errno.EADDRNOTAVAIL: "本机没有这个地址",
    errno.ECONNREFUSED: "连接被拒绝，那里没有程序在监听",
    errno.ECONNRESET: "连接被对方断开",
    errno.ENETUNREACH: "网络不通",
    errno.EHOSTUNREACH: "到不了这台主机",
    errno.ETIMEDOUT: "连接超时",
}
# What getaddrinfo(3) says, which has numbers of its own.
_NAMES = (
    "Name or service not known",
    "nodename nor servname provided, or not known",
    "No address associated with hostname",
)
_BY_ENGLISH = {
    **{os.strerror(number): words for number, words in _CHINESE.items()},
    **dict.fromkeys(_NAMES, "域名解析不到"),
}


def in_chinese(words: object) -> object:
    """Return *words* in Chinese where they are the system's own, and as they are where they are anything else."""
    return _BY_ENGLISH.get(words, words) if isinstance(words, str) else words
