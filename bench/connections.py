"""What connections cost: CPU per message from one to a thousand, memory for ten thousand idle ones.

The first table loads the program in plain mode over 1, 8, 64, 256 and 1,000 keep-alive connections that all
ask as fast as they are answered, in turn over several rounds. The second opens connections that never say a
word, then asks on one more; PSS is the process tree's, so what the kernel keeps for sockets is not in it.

    bench/.venv/bin/python bench/connections.py [--idle N] [--rounds N] [--markdown]
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import socket
import time
from pathlib import Path

import lab
import peers
import pushes
import table

COUNTS = (1, 8, 64, 256, 1000)
# Seconds for the server to accept what is in its queue, and to answer those who have left with a request under way.
SETTLE = 1.0


def running(folder: Path, stack: contextlib.ExitStack) -> lab.Server:
    """The program under test, ready."""
    peer = peers.programs()[0]
    server = peer.run(peers.Place(folder / "wxserve", lab.tcp_address()))
    stack.callback(server.stop)
    server.wait_ready(pushes.one(pushes.PLAIN), lambda response: pushes.check(response, pushes.PLAIN))
    return server


def busy(rounds: int, seconds: float) -> list[list[str]]:
    """Rows: connections, CPU per message, answers a second, time to an answer (50 %, 99 %), trouble."""
    samples: dict[int, list[lab.Sample]] = {count: [] for count in COUNTS}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(lab.workspace())
        server = running(folder, stack)
        for number in range(rounds + 1):
            for count in COUNTS:
                sample = lab.load(server, pushes.plain_script(folder, close=False), seconds, connections=count)
                time.sleep(SETTLE)
                if number:
                    samples[count].append(sample)
    base = [sample.micros for sample in samples[COUNTS[0]]]
    return [
        [
            f"{count:,}",
            table.cell([sample.micros for sample in seen], base, "µs"),
            f"{table.median([sample.answered / sample.wall for sample in seen]):,.0f}",
            f"{table.median([sample.p50 for sample in seen]):.1f} ms",
            f"{table.median([sample.p99 for sample in seen]):.1f} ms",
            str(sum(sample.wrong + sample.lost for sample in seen)),
        ]
        for count, seen in samples.items()
    ]


def idle(count: int) -> list[list[str]]:
    """Row: silent connections kept, PSS before and added, time to one more answer, CPU at rest."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(lab.workspace())
        server = running(folder, stack)
        lab.load(server, pushes.plain_script(folder, close=True), 0.5)
        before = server.memory()
        held = [stack.enter_context(server.address.connect()) for _ in range(count)]
        time.sleep(SETTLE)
        began = time.monotonic()
        pushes.check(lab.ask(server.address, pushes.one(pushes.PLAIN)), pushes.PLAIN)
        waited = (time.monotonic() - began) * 1000
        after, cpu = server.memory(), server.cpu()
        time.sleep(SETTLE)
        spun = (server.cpu() - cpu) / SETTLE
        kept = sum(alive(sock) for sock in held)
    return [
        [
            f"{kept:,} of {count:,}",
            f"{before:.1f} MB",
            f"{after - before:+.1f} MB",
            f"{waited:.1f} ms",
            f"{spun:.1%}",
        ]
    ]


def alive(sock: socket.socket) -> bool:
    """Whether the server still holds its end."""
    sock.setblocking(False)
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except OSError:
        return False


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--idle", type=int, default=9_990, help="silent connections; below the server's own limit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.8, help="of load, a round")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the server inherits it
    if hard != resource.RLIM_INFINITY and options.idle + 100 > hard:
        parser.error(f"{options.idle} connections need more descriptors than ulimit -Hn allows ({hard})")
    head = ["connections", "CPU per message", "answers a second", "median", "99 %", "wrong or lost"]
    print(table.rendered(head, busy(options.rounds, options.seconds), options.markdown))
    print()
    head = ["silent connections kept", "PSS before", "with them", "one more answer", "CPU at rest"]
    print(table.rendered(head, idle(options.idle), options.markdown))


if __name__ == "__main__":
    main()
