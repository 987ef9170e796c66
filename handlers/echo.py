"""Say back what the user said: the answer of last resort, and the first thing to replace.

``on.any`` is any message a user sends, of whatever type. ``priority=-100`` asks this function after all others, so that
whatever you add answers first; every other rule has priority 0, and those of replies.ini have 10.
"""

from wxserve import Message, on

NAMES = {
    "image": "图片", "voice": "语音", "video": "视频", "shortvideo": "小视频",
    "location": "位置", "link": "链接", "file": "文件", "miniprogrampage": "小程序",
}  # fmt: skip


@on.any(priority=-100)
def echo(msg: Message) -> str:
    said = msg.text if msg.kind == "text" else msg.recognition
    if said.strip():
        return f"对啊,{said.strip()},然后呢"
    return f"收到你的{NAMES.get(msg.kind, '消息')},然后呢"
