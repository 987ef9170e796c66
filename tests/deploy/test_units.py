"""The shipped units say of every directive what it is there for."""

from __future__ import annotations

import re
import unittest
from collections.abc import Iterator
from pathlib import Path

from tests.program import ROOT

UNITS = ROOT / "systemd"
# What needs no reason: names, and what `systemctl enable` does.
PLAIN = ("Description", "Documentation")


def units() -> list[Path]:
    found = [path for path in UNITS.rglob("wxserve*") if path.suffix in (".service", ".socket") and path.is_file()]
    return sorted([*found, *UNITS.rglob("*.conf.example")])


def directives(path: Path) -> Iterator[tuple[str, str]]:
    """Each directive outside [Install], with the line before it; of several alike in a row the first."""
    section = before = ""
    for line in path.read_text("utf-8").splitlines():
        name = line.partition("=")[0]
        if line.startswith("["):
            section = line
        elif re.match("[A-Z]", line) and section != "[Install]" and before.partition("=")[0] != name:
            yield name, before
        before = line


class Units(unittest.TestCase):
    def test_each_directive_has_a_comment_of_its_own(self) -> None:
        self.assertGreater(len(units()), 8)
        for path in units():
            bare = [name for name, before in directives(path) if not before.startswith("#") and name not in PLAIN]
            # The pair that orders the service behind its socket is one thing.
            self.assertEqual([name for name in bare if name != "After"], [], path.name)

    def test_every_drop_in_says_how_it_is_taken_into_use(self) -> None:
        for path in UNITS.rglob("*.conf.example"):
            text = path.read_text("utf-8")
            self.assertIn(f"install -D -m 644 /opt/wxserve/current/systemd/{path.relative_to(UNITS)}", text)
            self.assertIn("systemctl daemon-reload", text)


if __name__ == "__main__":
    unittest.main()
