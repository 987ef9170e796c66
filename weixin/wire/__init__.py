"""What travels between WeChat and an Official Account's server.

Pure functions of bytes: no sockets, no files, no clock, and no knowledge of the rest of the program. Read in this
order: ``signature`` (who is asking), ``envelope`` and ``aes`` (safe mode), ``messages`` (what they said; ``flat`` reads
most of them sooner), ``replies`` (what they may be told). ``errors`` says why a request is refused, ``probe`` what the
doctor's own look like. The facts are those of the platform's official pages 消息与事件推送, 消息加解密说明,
接收普通消息, 接收事件推送 and 被动回复用户消息.
"""
