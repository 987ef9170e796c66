"""Tables: plain for a terminal, Markdown for a page; and the medians and ratios that go into them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def rendered(head: Sequence[str], rows: Sequence[Sequence[str]], markdown: bool) -> str:
    """The table as text; every column but the first is right-aligned."""
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = []
    for row in cells:
        padded = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("| " + " | ".join(padded) + " |" if markdown else "  ".join(padded).rstrip())
    if markdown:
        rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
        lines.insert(1, "| " + " | ".join(rule) + " |")
    else:
        lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def median(values: Sequence[float]) -> float:
    """The median, or NaN of nothing."""
    return statistics.median(values) if values else float("nan")


def ratio(values: Sequence[float], base: Sequence[float]) -> float:
    """The median of the ratios round by round: what slows one round down slows both sides of a ratio."""
    return median([value / other for value, other in zip(values, base) if other])


def cell(values: Sequence[float], base: Sequence[float] | None, unit: str) -> str:
    """A median, with its ratio to the base where there is one."""
    if not values:
        return "–"
    digits = 1 if unit == "MB" else 0
    text = f"{median(values):.{digits}f} {unit}"
    if base and base is not values:
        text += f" {ratio(values, base):5.2f}×"
    return text
