"""The race: the whole program against its peers, the server alone against other servers, in one run.

Every peer has one worker process and answers the same push: a signed text message with a MsgId of its own,
from one of a thousand users. wrk asks, and asks again as soon as it is answered, in five ways:

  one by one   plain mode, a connection after the other, one message each: how a quiet account is asked
  close        the same, eight at a time
  keep-alive   plain mode, over eight connections that stay open (gunicorn sync and uWSGI close them)
  safe         the same in safe mode, encrypted both ways; the pushes are sealed beforehand
  Nginx        plain mode, eight at a time, through a real Nginx over a unix socket, a connection per message

What is measured is the CPU time, user and system, that the kernel billed to the server's whole process
tree, divided by the messages answered rightly. A peer's first answer is parsed (and opened) and checked
word by word; under load every answer must be a 200 with the reply in it. All servers run at once and are
loaded one after the other, round after round. The tables show medians and, beside them, how many times the
first row's cost that is: the median of the rounds' ratios. Time to the first answer and memory are
start.py's, each peer alone.

    bench/.venv/bin/python bench/race.py [--long] [--only programs|servers|start] [--markdown]
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import lab
import peers
import pushes
import start
import table

ONE, CLOSE, KEEP, SAFE, NGINX = "one by one", "close", "keep-alive", "safe", "Nginx"
PROGRAM_WAYS = (ONE, CLOSE, KEEP, SAFE, NGINX)
SERVER_WAYS = (ONE, CLOSE, KEEP)
CONNECTIONS = 8
# Sealed pushes a second of load: more than any peer answers, or a MsgId would come twice.
POOL_RATE = 16_000
WARM_UP = 0.3  # seconds, not counted: caches, and Node's compiler
Check = Callable[[bytes, str], None]


@dataclass
class Entrant:
    """A peer in the race: its running instances by load, and what each round measured."""

    peer: peers.Peer
    running: dict[str, lab.Server] = field(default_factory=dict)
    samples: dict[str, list[lab.Sample]] = field(default_factory=dict)
    trouble: dict[str, str] = field(default_factory=dict)
    nginx: int = 0

    def micros(self, way: str) -> list[float]:
        """CPU µs per answered message, round by round."""
        return [sample.micros for sample in self.samples.get(way, [])]

    def wanting(self, way: str) -> tuple[str, bool]:
        """(mode, over a unix socket) of the instance that a way of asking needs."""
        return (pushes.SAFE if way == SAFE else pushes.PLAIN), way == NGINX

    def launch(self, ways: Sequence[str], folder: Path, check: Check, stack: contextlib.ExitStack) -> None:
        """Start every instance that the ways need, and see its first answer right."""
        shared: dict[tuple[str, bool], lab.Server] = {}
        for way in ways:
            mode, unix = self.wanting(way)
            if self.peer.missing:
                self.trouble[way] = self.peer.missing
                continue
            try:
                if (mode, unix) not in shared:
                    home = folder / f"{mode}-{'unix' if unix else 'tcp'}"
                    address = lab.Address(path=f"{home}.sock") if unix else lab.tcp_address()
                    server = self.peer.run(peers.Place(home, address, mode))
                    stack.callback(server.stop)
                    server.wait_ready(pushes.one(mode), lambda response, mode=mode: check(response, mode))
                    shared[mode, unix] = server
                self.running[way] = shared[mode, unix]
            except (lab.CannotStart, pushes.WrongAnswer) as error:
                self.trouble[way] = str(error)

    def ask(self, way: str, script: pushes.Script, seconds: float) -> lab.Sample:
        """One load."""
        port = self.nginx if way == NGINX else 0
        count = 1 if way == ONE else CONNECTIONS
        return lab.load(self.running[way], script, seconds, port=port, connections=count)


def script_for(way: str, folder: Path, seconds: float) -> pushes.Script:
    """What wrk sends: fresh for every round, the same for every peer."""
    if way == SAFE:
        return pushes.sealed_script(folder, int(POOL_RATE * seconds), close=False)
    return pushes.plain_script(folder, close=way != KEEP)


def run(contenders: list[peers.Peer], ways: Sequence[str], rounds: int, seconds: float, check: Check) -> list[Entrant]:
    """Warm everybody up, then the rounds: each way, each peer in turn."""
    entrants = [Entrant(peer) for peer in contenders]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(lab.workspace())
        for number, entrant in enumerate(entrants):
            entrant.launch(ways, folder / str(number), check, stack)
        behind = [entrant for entrant in entrants if NGINX in entrant.running]
        if behind:
            paths = [entrant.running[NGINX].address.path for entrant in behind]
            for entrant, port in zip(behind, stack.enter_context(lab.nginx(paths))):
                entrant.nginx = port
        for number in range(rounds + 1):
            for way in ways:
                script = script_for(way, folder, seconds if number else WARM_UP)
                for entrant in entrants:
                    if way not in entrant.running:
                        continue
                    try:
                        sample = entrant.ask(way, script, seconds if number else WARM_UP)
                    except lab.Died as error:
                        entrant.trouble[way] = f"died in round {number}: {error}"
                        del entrant.running[way]
                        continue
                    if number:
                        entrant.samples.setdefault(way, []).append(sample)
            progress(f"round {number} of {rounds}")
    return entrants


def progress(text: str) -> None:
    """To a person's terminal only."""
    if sys.stderr.isatty():
        print(f"\r{text} ", end="", file=sys.stderr, flush=True)


def notes(entrant: Entrant) -> list[str]:
    """What did not start, and what was not answered or not rightly."""
    lines = []
    for reason in dict.fromkeys(entrant.trouble.values()):
        hurt = ", ".join(way for way, why in entrant.trouble.items() if why == reason)
        lines.append(f"{entrant.peer.name} ({hurt}): {reason}")
    for way, samples in entrant.samples.items():
        wrong, lost = sum(sample.wrong for sample in samples), sum(sample.lost for sample in samples)
        if wrong or lost:
            total = wrong + sum(sample.answered for sample in samples)
            lines.append(f"{entrant.peer.name} ({way}): {wrong} wrong answers of {total}, {lost} lost")
    return lines


def report(entrants: list[Entrant], ways: Sequence[str], markdown: bool) -> str:
    """The table, and the notes under it."""
    base = entrants[0]
    rows = [
        [entrant.peer.name, *(table.cell(entrant.micros(way), base.micros(way), "µs") for way in ways)]
        for entrant in entrants
    ]
    lines = [table.rendered(["CPU per message", *ways], rows, markdown)]
    for entrant in entrants:
        lines += notes(entrant)
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--long", action="store_true", help="nine rounds of two seconds, not three short ones")
    parser.add_argument("--only", choices=["programs", "servers", "start"])
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    rounds, seconds = (9, 2.0) if options.long else (3, 0.4)
    began = time.monotonic()
    print(f"{platform.python_implementation()} {platform.python_version()}, Linux {platform.release()}")
    if options.only in (None, "programs"):
        print("\nThe whole program\n")
        found = run(peers.programs(), PROGRAM_WAYS, rounds, seconds, pushes.check)
        print(report(found, PROGRAM_WAYS, options.markdown), flush=True)
    if options.only in (None, "servers"):
        print("\nThe server alone, around a bare callable\n")
        found = run(peers.servers(), SERVER_WAYS, rounds, seconds, pushes.check_bare)
        print(report(found, SERVER_WAYS, options.markdown), flush=True)
    if options.only in (None, "start"):
        print("\nFrom exec to the first answer, and memory, each alone\n")
        print(start.report(start.measure(peers.programs(), rounds), options.markdown))
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
