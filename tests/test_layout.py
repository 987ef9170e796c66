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

# Room -> the rooms it may import. What is not named here may not be imported by anybody.
LEAVES = {"problem", "texts", "log", "config", "ini", "typed"}
MAY_IMPORT = {
    "wire": set(),
    "problem": set(),
    "ini": set(),
    "texts": set(),
    "log": set(),
    "config": {"ini", "problem", "typed"},
    "typed": set(),
    "web": {"wire"},
    "simulator": {"wire"},
    "said": {"simulator", "wire"},
    "transcript": {"said", "simulator"},
    "watch": set(),
    "store": set(),
    "delivery": {"store", "routing", "wire", "texts"},
    "routing": {"wire"} | LEAVES,
    "server": set(),
    "app": {"delivery", "metrics", "store", "aftermath", "routing", "wire", "web"} | LEAVES,
    "aftermath": {"delivery", "log", "metrics", "wire"},
    "doctor": {"store", "wire"} | LEAVES,
    "metrics": set(),
    "console": {
        "app", "routing", "said", "simulator", "store", "transcript", "wire", "web", "weixin",
    } | LEAVES,
    "commands": {
        "app", "console", "doctor", "metrics", "server", "simulator", "store", "said", "transcript", "watch", "routing",
        "wire", "web", "weixin",
    } | LEAVES,
    "lazy": {"app", "web"} | LEAVES,
    "wxserve": {"lazy", "routing", "wire", "commands"},
    "weixin": set(),
}
MAX_MODULE = 400
MAX_FUNCTION = 50
# Where anything at all may be raised, and goes no further.
BROAD_EXCEPTS = {
    "around a connection": {f"weixin/server/{name}.py" for name in ("exchange", "worker")},
    "around a background thread's or process's turn": {
        *(f"weixin/server/{name}.py" for name in ("child", "crew", "monitor", "process", "supervisor")),
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


def sources() -> list[Path]:
    return [ROOT / "wxserve.py", *sorted(PACKAGE.rglob("*.py"))]


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> list[tuple[int, str]]:
    """Every module that *path* imports, wherever the import stands, as an absolute name."""
    module = path.relative_to(ROOT).with_suffix("").parts
    package = module if path.name == "__init__.py" else module[:-1]
    if path.name == "__init__.py":
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
    def test_a_room_imports_only_what_the_plan_allows(self) -> None:
        for path in sources():
            here = room(path)
            self.assertIn(here, MAY_IMPORT, f"{path}: a room without a place in the plan")
            for line, name in imports(path):
                parts = name.split(".")
                if parts[0] != "weixin":
                    continue
                there = parts[1] if len(parts) > 1 else "weixin"
                if there.startswith("__"):
                    there = "weixin"
                with self.subTest(f"{path.relative_to(ROOT)}:{line}"):
                    self.assertTrue(there == here or there in MAY_IMPORT[here], f"{here} must not import {there}")

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
        allowed = set().union(*BROAD_EXCEPTS.values())
        for path in sources():
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.ExceptHandler):
                    names = ast.unparse(node.type) if node.type else ""
                    if node.type is None or re.search(r"\b(Base)?Exception\b", names):
                        with self.subTest(f"{path.relative_to(ROOT)}:{node.lineno}"):
                            self.assertIn(path.relative_to(ROOT).as_posix(), allowed)


class Import(unittest.TestCase):
    def test_sql_stands_in_the_store_alone(self) -> None:
        for path in sources():
            if room(path) != "store":
                with self.subTest(f"{path.relative_to(ROOT)}"):
                    self.assertNotIn("sqlite3", [name for _, name in imports(path)])


if __name__ == "__main__":
    unittest.main()
