"""From exec to the first right answer, and memory: wxserve beside every peer, each alone.

Time is counted from the moment of exec until a signed push has its answer; whoever asks, asks again every
millisecond, and checks the answer. Memory is the proportional share (PSS) of the whole process tree after
half a second of load, when every page that answering needs has been touched. Peers take turns, several
rounds; the table shows medians and, beside them, how many times wxserve's figure that is. A first start
that is not counted leaves every module compiled.

    bench/.venv/bin/python bench/start.py [--rounds N] [--markdown]
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import lab
import peers
import pushes
import table

WARM = 0.4  # seconds of load before memory is read


@dataclass
class Figures:
    """What the rounds showed of one peer."""

    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    trouble: str = ""


def once(peer: peers.Peer, folder: Path, warm: float) -> tuple[float, float]:
    """Start a peer alone: (seconds to the first answer, MB of PSS)."""
    place = peers.Place(Path(tempfile.mkdtemp(dir=folder)), lab.tcp_address())
    server = peer.run(place)
    try:
        server.wait_ready(pushes.one(pushes.PLAIN), lambda response: pushes.check(response, pushes.PLAIN))
        if warm:
            lab.load(server, pushes.plain_script(place.folder, close=True), warm)
        return server.first_answer, server.memory()
    finally:
        server.stop()


def measure(entrants: list[peers.Peer], rounds: int) -> dict[str, Figures]:
    """Every entrant that can start, in turn, `rounds` times after one that is not counted."""
    figures = {peer.name: Figures(trouble=peer.missing) for peer in entrants}
    with lab.workspace() as folder:
        for number in range(rounds + 1):
            for peer in entrants:
                seen = figures[peer.name]
                if seen.trouble:
                    continue
                try:
                    seconds, memory = once(peer, folder, WARM if number else 0)
                except (lab.CannotStart, lab.Died, pushes.WrongAnswer) as error:
                    seen.trouble = str(error)
                    continue
                if number:
                    seen.seconds.append(seconds * 1000)
                    seen.memory.append(memory)
    return figures


def report(figures: dict[str, Figures], markdown: bool) -> str:
    """The table; the first entrant is what the others are compared with."""
    base = next(iter(figures.values()))
    rows = [
        [name, table.cell(seen.seconds, base.seconds, "ms"), table.cell(seen.memory, base.memory, "MB")]
        for name, seen in figures.items()
    ]
    lines = [table.rendered(["", "first answer", "PSS"], rows, markdown)]
    lines += [f"{name}: {seen.trouble}" for name, seen in figures.items() if seen.trouble]
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    print(report(measure(peers.programs(), options.rounds), options.markdown))


if __name__ == "__main__":
    main()
