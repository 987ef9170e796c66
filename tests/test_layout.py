"""The plan of the house, kept: who imports whom, nothing but the standard library, small modules, two languages."""

from __future__ import annotations

import ast
import functools
import re
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "weixin"
MAP = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
MAX_MODULE = 400
MAX_FUNCTION = 50
# Where anything at all may be raised, and goes no further.
BROAD_EXCEPTS = {
    "around a connection": {f"weixin/server/{name}.py" for name in ("exchange", "worker")},
    "around a background thread's or process's turn": {
        *(f"weixin/server/{name}.py" for name in ("child", "crew", "monitor", "supervisor")),
        "weixin/store/late.py",
        "weixin/log.py",
        "weixin/delivery/pool.py",
    },
    "around a handler": {
        *(f"weixin/routing/{name}.py" for name in ("handlers", "run", "loop")),
        "weixin/delivery/once.py",  # its replies, when they are written
    },
}


def room(path: Path) -> str:
    """The room a file belongs to: the folder or module directly below the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] != "weixin":
        return parts[0]
    return parts[1] if len(parts) > 1 and parts[1] != "__init__" else "weixin"


def plan() -> dict[str, set[str]]:
    """Room -> the rooms it may import, as the map has it; ``leaves`` is a word for several."""
    arrows = re.findall(r"^([a-z, ]+?) +-> ([a-z, ]+)$", MAP, re.MULTILINE)
    return {
        here: set() if there == "nothing of ours" else set(there.split(", "))
        for rooms, there in arrows
        for here in rooms.split(", ")
    }


def sources() -> list[Path]:
    return [ROOT / "wxserve.py", *sorted(PACKAGE.rglob("*.py"))]


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> list[tuple[int, str]]:
    """Every module that *path* imports, wherever the import stands, as an absolute name."""
    module = path.relative_to(ROOT).with_suffix("").parts
    package = module[:-1]
    found: list[tuple[int, str]] = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import texts` names modules; `from .texts import say` names things inside one.
            whole = name in ("weixin", "weixin.routing", "weixin.wire") or not node.module
            found += [(node.lineno, f"{name}.{alias.name}" if whole else name) for alias in node.names]
    return found


class Arrows(unittest.TestCase):
    def test_a_room_imports_what_the_plan_allows_and_the_plan_allows_nothing_else(self) -> None:
        allowed = plan()
        leaves = allowed.pop("leaves")
        unneeded = {(here, there) for here, rooms in allowed.items() for there in rooms - {"leaves"}}
        for path in sources():
            here = room(path)
            if here == "weixin":  # the package itself: its version, for everybody
                continue
            self.assertIn(here, allowed, f"{path}: a room without a place in the plan")
            may = allowed[here] | (leaves if "leaves" in allowed[here] else set()) | {here, "weixin"}
            for line, name in imports(path):
                parts = name.split(".")
                if parts[0] != "weixin":
                    continue
                there = parts[1] if len(parts) > 1 and not parts[1].startswith("__") else "weixin"
                unneeded.discard((here, there))
                with self.subTest(f"{path.relative_to(ROOT)}:{line}"):
                    self.assertIn(there, may, f"{here} must not import {there}")
        self.assertEqual(unneeded, set())

    def test_the_map_has_every_module_on_a_message_s_way(self) -> None:
        for path in sources():
            if room(path) in ("wire", "routing", "delivery", "store", "server") and path.name[0] != "_":
                with self.subTest(path.name):
                    on_it = re.search(rf"^  .*\b{re.escape(path.name)}\b", MAP, re.MULTILINE)
                    self.assertTrue(on_it, f"{path.name} is not on the map")

    def test_nothing_outside_the_standard_library_is_imported(self) -> None:
        known = standard_library()
        for path in [*sources(), *sorted((ROOT / "handlers").glob("*.py"))]:
            ours = {"weixin", "wxserve"}
            for line, name in imports(path):
                with self.subTest(f"{path.relative_to(ROOT)}:{line}"):
                    self.assertIn(name.split(".")[0], known | ours)


def standard_library() -> frozenset[str]:
    """The standard library's names; Python 3.9 does not list them, so that there they are looked up on disk."""
    names = getattr(sys, "stdlib_module_names", None)
    if names is not None:
        return frozenset(names)
    import sysconfig

    folder = Path(sysconfig.get_paths()["stdlib"])
    found = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    found |= {path.name.split(".")[0] for path in (folder / "lib-dynload").glob("*")}
    return frozenset(found | set(sys.builtin_module_names)) - {"site-packages"}


class Size(unittest.TestCase):
    def test_modules_and_functions_stay_small(self) -> None:
        for path in sources():
            text = path.read_text(encoding="utf-8")
            name = path.relative_to(ROOT)
            if name.parts[:2] != ("weixin", "texts"):  # a catalogue is as long as what it lists
                with self.subTest(f"{name}"):
                    self.assertLessEqual(text.count("\n"), MAX_MODULE)
            for node in ast.walk(parsed(path)):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno:
                    with self.subTest(f"{name}:{node.lineno} {node.name}"):
                        self.assertLessEqual(node.end_lineno - node.lineno + 1, MAX_FUNCTION)

    def test_every_module_says_what_it_is_for(self) -> None:
        for path in sources():
            with self.subTest(f"{path.relative_to(ROOT)}"):
                self.assertTrue(ast.get_docstring(parsed(path)))

    def test_a_broad_except_stands_around_handlers_connections_and_threads_alone(self) -> None:
        found: set[str] = set()
        for path in sources():
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.ExceptHandler):
                    names = ast.unparse(node.type) if node.type else ""
                    if node.type is None or re.search(r"\b(Base)?Exception\b", names):
                        found.add(path.relative_to(ROOT).as_posix())
        self.assertEqual(found, set().union(*BROAD_EXCEPTS.values()))


class Sql(unittest.TestCase):
    def test_sql_stands_in_the_store_alone(self) -> None:
        for path in sources():
            if room(path) != "store":
                with self.subTest(f"{path.relative_to(ROOT)}"):
                    self.assertNotIn("sqlite3", [name for _, name in imports(path)])


if __name__ == "__main__":
    unittest.main()
