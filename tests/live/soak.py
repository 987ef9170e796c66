"""``make soak``: what takes minutes. A real storm of a thousand messages; a death at every commit; and that nothing
grows.

Prints its figures, and ends with 1 if they are not what they should be.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import http.client
import random
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from tests.live.crashing import AFTER, BEFORE, Story, tell
from tests.live.storm import HANDLERS, Killer, Storm
from tests.program import Server

TOKEN = "GreedIsGood"
CONFIG = f"[wechat]\ntoken = {TOKEN}\n[server]\nworkers = 2\nsilent_max = 1000\npool = 256\nthreads = 512\n"
# Growth: memory after so many messages, and after so many more; and by how much it may differ.
FIRST, LAST = 20_000, 200_000
MOST_GROWTH = 1.05
CLIENTS = 4


def serve(folder: Path, config: str) -> Server:
    (folder / "handlers").mkdir()
    (folder / "handlers" / "all.py").write_text(HANDLERS + "\n@on.text\ndef echo(msg):\n    return msg.text\n")
    (folder / "wxserve.ini").write_text(config, encoding="utf-8")
    server = Server("run", cwd=folder)
    server.wait_for("ready in")
    return server


def storm() -> bool:
    """A thousand messages in a minute, latencies up to fourteen seconds, a worker killed every other second."""
    with tempfile.TemporaryDirectory() as name:
        server = serve(Path(name), CONFIG)
        try:
            killer = Killer(server.process.pid, 2, 0.5, random.Random(4))
            url = f"http://127.0.0.1:{server.port()}/weixin"
            made = Storm(url, TOKEN, messages=1_000, seconds=60, users=100, scale=1, seed=4)
            reckoning = made.rage(killer, every=2.0)
        finally:
            server.close()
    print(reckoning, *reckoning.unanswered, *reckoning.twice, *reckoning.astray, flush=True)
    return not (reckoning.unanswered or reckoning.twice or reckoning.astray)


def crashes() -> bool:
    """A process killed before and after each of its first commits, in three stories."""
    points = [(seed, nth, when) for seed in (1, 2, 3) for nth in range(1, 31) for when in (BEFORE, AFTER)]
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        told = list(pool.map(lambda point: (point, tell(Story(point[0]), *point[1:], 0.2)), points))
    wrong = [(point, reckoning) for point, reckoning in told if not reckoning.fine and not reckoning.late]
    killed, late = (sum(bool(value) for value in values) for values in zip(*((r.killed, r.late) for _, r in told)))
    print(f"{len(told)} stories, {killed} with a death, {late} told too slowly; {len(wrong)} went wrong", flush=True)
    for each in wrong:
        print(each)
    return not wrong


def growth() -> bool:
    """Two hundred thousand messages to one worker."""
    with tempfile.TemporaryDirectory() as name:
        server = serve(Path(name), f"[wechat]\ntoken = {TOKEN}\n[log]\nlevel = warning\n")
        try:
            post(server.port(), 0, FIRST)
            first = memory(server.process.pid)
            post(server.port(), FIRST, LAST)
            last = memory(server.process.pid)
            size = sum(path.stat().st_size for path in Path(name).glob("wxserve.db*"))
        finally:
            server.close()
    print(f"memory {first >> 10} KiB after {FIRST} messages, {last >> 10} KiB after {LAST}; store {size >> 10} KiB")
    return last <= first * MOST_GROWTH


def post(port: int, start: int, stop: int) -> None:
    """Send messages *start* to *stop* over a few connections."""
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for each in [pool.submit(_post, port, range(start + n, stop, CLIENTS)) for n in range(CLIENTS)]:
            each.result()


def _post(port: int, numbers: range) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in numbers:
        now = str(int(time.time()))
        signature = hashlib.sha1("".join(sorted([TOKEN, now, "7"])).encode()).hexdigest()
        query = urlencode({"signature": signature, "timestamp": now, "nonce": "7"})
        body = (
            f"<xml><ToUserName>gh_1</ToUserName><FromUserName>oUser{number % 5_000}</FromUserName>"
            f"<CreateTime>{now}</CreateTime><MsgType>text</MsgType><Content>hello {number}</Content>"
            f"<MsgId>{10**16 + number}</MsgId></xml>"
        )
        try:
            answer = _ask(connection, query, body)
        except (OSError, http.client.HTTPException):  # a connection does not last for ever
            connection.close()
            answer = _ask(connection, query, body)
        assert answer.startswith(b"<xml>"), answer
    connection.close()


def _ask(connection: http.client.HTTPConnection, query: str, body: str) -> bytes:
    connection.request("POST", f"/weixin?{query}", body.encode(), {"Content-Type": "text/xml"})
    return connection.getresponse().read()


def memory(pid: int) -> int:
    """What a process and its children have for themselves, in bytes; libraries are shared with whoever else runs."""
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return 1024 * sum(
        int(line.split()[1])
        for each in pids
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss_Anon:")
    )


if __name__ == "__main__":
    parts = {"storm": storm, "crashes": crashes, "growth": growth}
    results = [parts[name]() for name in sys.argv[1:] or parts]
    sys.exit(not all(results))
