"""What keyword rules cost: ten in replies.ini against a hundred thousand, in the whole program.

The rules are of all three kinds, in equal parts: [词], [开头: 词] and [包含: 词]. The questions go through
them in turn: a hit of each kind at the beginning and at the end of the file, and a text that no rule knows.
CPU per answered message and memory are measured as in race.py, both servers in turn over several rounds.

    bench/.venv/bin/python bench/keywords.py [--rules N] [--rounds N] [--markdown]
"""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import lab
import peers
import pushes
import table

FEW, MANY = 10, 100_000
REPLY = "echo: 词表"


def replies(count: int) -> str:
    """A replies.ini of `count` rules, a third of each kind: words and a number, like products."""
    kinds = ("[商品{0}]", "[开头: 订单{0}]", "[包含: 型号{0}]")
    sections = [kinds[number % 3].format(f"{number:06d}") + f"\ntext = {REPLY}\n" for number in range(count)]
    sections.append(f"[@默认]\ntext = {REPLY}\n")
    return "\n".join(sections)


def questions(count: int) -> tuple[str, ...]:
    """Texts that hit the first and the last rule of each kind, and one that hits none."""
    shapes = ("商品{0}", "订单{0} 到哪里了", "请问型号{0}还有货吗")
    texts = []
    for first in (0, (count - 4) // 3 * 3):
        for kind, shape in enumerate(shapes):
            texts.append(shape.format(f"{first + kind:06d}"))
    return (*texts, "今天天气怎么样")


@dataclass
class Figures:
    """What the rounds showed of one number of rules."""

    micros: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)


def launch(count: int, folder: Path) -> lab.Server:
    """wxserve with a table of `count` rules and no handlers."""
    place = peers.Place(folder / str(count), lab.tcp_address())
    (place.folder / "handlers").mkdir(parents=True)
    (place.folder / "replies.ini").write_text(replies(count), encoding="utf-8")
    command = peers.wxserve_command(place, "file = replies.ini\nhandlers = handlers")
    return lab.start(f"{count} rules", command, place.address, place.folder, {})


def measure(counts: list[int], rounds: int, seconds: float) -> dict[int, Figures]:
    """Every question answered rightly once, then the rounds after one that is not counted."""
    found = {count: Figures() for count in counts}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(lab.workspace())
        running = {}
        for count in counts:
            running[count] = server = launch(count, folder)
            stack.callback(server.stop)
            for text in questions(count):
                question = pushes.one(pushes.PLAIN, text)
                server.wait_ready(question, lambda response: pushes.check(response, pushes.PLAIN, REPLY))
                found[count].ready = found[count].ready or [server.first_answer * 1000]
        for number in range(rounds + 1):
            for count, server in running.items():
                script = pushes.plain_script(folder, close=False, texts=questions(count), marker=REPLY)
                sample = lab.load(server, script, seconds)
                if sample.wrong:
                    raise pushes.WrongAnswer(f"{sample.wrong} wrong of {sample.answered}, {count} rules")
                if number:
                    found[count].micros.append(sample.micros)
                    found[count].memory.append(server.memory())
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rules", type=int, default=MANY)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.8, help="of load, a round")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    found = measure([FEW, options.rules], options.rounds, options.seconds)
    base = found[FEW]
    rows = []
    for count, seen in found.items():
        cost, memory = table.cell(seen.micros, base.micros, "µs"), table.cell(seen.memory, base.memory, "MB")
        rows.append([f"{count:,} rules", cost, memory, table.cell(seen.ready, base.ready, "ms")])
    print(table.rendered(["", "CPU per message", "PSS", "first answer"], rows, options.markdown))


if __name__ == "__main__":
    main()
