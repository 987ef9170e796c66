"""Ask a language model: a handler that is slow. A file whose name begins with _ is not loaded; to switch this one on:

    mv handlers/_llm.py handlers/llm.py

URL and MODEL are of any service that speaks OpenAI's protocol, in the cloud or on this machine. Its key stands in a
file that WXSERVE_OPENAI_KEY_FILE names. Under systemd the service has no network and no key: copy the drop-ins
20-outbound and 30-secret (docs/deploy.md, The sandbox). What the user sees meanwhile: docs/slow-answers.md.
"""

import json
import urllib.request
from logging import Logger
from typing import Any

from wxserve import Message, on

URL = "https://api.deepseek.com/chat/completions"
MODEL = "deepseek-chat"
ROLE = "你在微信公众号里回答用户。简短，纯文字，不用 Markdown。"


@on.text(budget=12, busy="正在想，稍后回复「继续」取答案")
def llm(msg: Message, deadline: Any, config: Any, log: Logger) -> str:
    messages = [{"role": "system", "content": ROLE}, {"role": "user", "content": msg.text}]
    body = json.dumps({"model": MODEL, "messages": messages}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {config.secret('openai_key')}"}
    request = urllib.request.Request(URL, body, headers)
    try:
        # A second less than is left: past its budget not even an apology would be heard.
        with urllib.request.urlopen(request, timeout=deadline.left() - 1) as response:
            return str(json.load(response)["choices"][0]["message"]["content"]).strip()
    except OSError as error:  # no network, an HTTP status, a time-out
        log.warning("llm: %s", error)
        return "没想出来，请再问一次。"
