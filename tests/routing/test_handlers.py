"""Loading a folder of handlers: what becomes a rule, and every way a file can be wrong."""

from __future__ import annotations

import os
import sys
import unittest
from pathlib import Path

from weixin.routing import handlers
from weixin.routing.call import Asking, Call, Context
from weixin.routing.errors import Misuse

from .support import NOON, LoadedCase, folder, text, write

# A file, and the code, line and reason of its errors.
BROKEN: list[tuple[str, str, list[tuple[str, int, str]]]] = [
    ("syntax", "x = 1\ndef f(:\n", [("WX-HND-01", 2, "raised")]),
    ("import", "import os\n\nimport no_such_module\n", [("WX-HND-01", 3, "raised")]),
    ("raise below", "def f():\n    return 1 / 0\n\nf()\n", [("WX-HND-01", 2, "raised")]),
    ("exit", "import sys\nsys.exit(0)\n", [("WX-HND-01", 2, "raised")]),
    ("mute", "class Mute(Exception):\n    __str__ = None\nraise Mute\n", [("WX-HND-01", 3, "raised")]),
    ("interrupt", "raise KeyboardInterrupt\n", [("WX-HND-01", 1, "raised")]),
    ("not a name of on", "from wxserve import on\n@on.vioce\ndef f(): ...\n", [("WX-HND-03", 2, "unknown-name")]),
    ("hours", "from wxserve import on\n\n@on.text('a', hours='x')\ndef f(): ...\n", [("WX-HND-03", 3, "hours")]),
    ("a method", "from wxserve import on\nclass A:\n    @on.text('a')\n    def f(self, msg): ...\n",
     [("WX-HND-03", 3, "method")]),
    ("nothing to find", "from wxserve import on\n@on.text('')\ndef f(): ...\n", [("WX-HND-03", 2, "empty-word")]),
    ("an unknown option", "from wxserve import on\n@on.text('a', regex='b')\ndef f(): ...\n",
     [("WX-HND-03", 2, "option")]),
    ("under a closure", """\
from wxserve import on
def loud(function):
    def inner(**given): return function(**given)
    return inner

@loud
@on.text("a")
def f(msg): ...
""", [("WX-HND-03", 6, "covered")]),
    ("under a partial", """\
from functools import partial
from wxserve import on

@partial
@on.text("a")
def f(msg): ...
""", [("WX-HND-03", 4, "covered")]),
    ("under a cache", """\
from functools import lru_cache
from wxserve import on

@lru_cache
@on.text("a")
def f(): ...
""", [("WX-HND-03", 4, "covered")]),
    ("no function", "from wxserve import on\n\non.text('a')(type)\n", [("WX-HND-03", 3, "not-a-function")]),
    ("an argument", "from wxserve import on\n\n@on.text\ndef f(msg, sesion): ...\n", [("WX-HND-02", 3, "argument")]),
    ("two functions of one name", """\
from wxserve import on

@on.text("a")
def reply(): ...

@on.text("b")
def reply(): ...
""", [("WX-HND-03", 7, "shadowed")]),
    ("the same with the module", """\
import wxserve

@wxserve.on.text("a")
def reply(): ...
async def reply(): ...
""", [("WX-HND-03", 5, "shadowed")]),
]  # fmt: skip


class Folder(LoadedCase):
    def test_files_by_name_and_functions_by_line(self) -> None:
        loaded = self.load({
            "b.py": "from wxserve import on\n@on.text('b')\ndef one(): ...\n",
            "a.py": """\
                from wxserve import on
                @on.text('z')
                def z(): ...
                @on.click('K')
                @on.text('a')
                def a(): ...
                b = on.text('l')(lambda: 1)
                """,
            "c.py": "@__import__('wxserve').on.error\ndef failed(error): ...\n",
        })  # fmt: skip
        self.assertEqual(loaded.errors, [])
        found = [(rule.name, rule.kind, rule.at) for rule in loaded.rules]
        self.assertEqual(found, [
            ("a.z", "text", "handlers/a.py:2"),
            ("a.a", "click", "handlers/a.py:4"),
            ("a.a", "text", "handlers/a.py:4"),
            ("a.<lambda>", "text", "handlers/a.py:7"),
            ("b.one", "text", "handlers/b.py:2"),
        ])  # fmt: skip
        self.assertEqual([each.file for each in loaded.on_error], ["handlers/c.py"])
        self.assertEqual(list(loaded.modules), ["a", "b", "c"])

    def test_what_is_not_loaded(self) -> None:
        broken = "raise RuntimeError\n"
        files = dict.fromkeys(("_helper.py", ".hidden.py", "notes.txt", "old.py~", "sub.pyc"), broken)
        path = self.enter(folder(files))
        (path / "folder.py").mkdir()
        (path / "folder").mkdir()
        write(path / "folder" / "inside.py", broken)
        self.assertEqual(self.load_from(path)[:3], ([], [], []))

    def test_helpers_and_each_other(self) -> None:
        loaded = self.load({
            "_words.py": "HELLO = '你好'\n",
            "_lib/__init__.py": "from .deep import NAME\n",
            "_lib/deep.py": "NAME = 'deep'\n",
            "a.py": """\
                from wxserve import on
                from . import _words
                from ._words import HELLO
                from ._lib import NAME
                from .b import shared
                @on.text(HELLO)
                def a(): return _words.HELLO + NAME
                """,
            "b.py": "from wxserve import on\n@on.text('b')\ndef shared(): ...\n",
        })  # fmt: skip
        self.assertEqual(loaded.errors, [])
        self.assertEqual([rule.name for rule in loaded.rules], ["a.a", "b.shared"])
        self.assertEqual(loaded.rules[0].answer(Call(text("x"), NOON, Context(), Asking())), "你好deep")

    def test_names_that_are_no_identifiers(self) -> None:
        source = "from wxserve import on\n@on.text('x')\ndef f(): ...\n"
        names = ("01-first.py", "v1.2.py", "v1_2.py", "天气.py")
        loaded = self.load(dict.fromkeys(names, source))
        self.assertEqual(loaded.errors, [])
        self.assertEqual([rule.file for rule in loaded.rules], [f"handlers/{name}" for name in names])
        self.assertEqual(handlers.resolve(loaded, "v1.2.f").file, "handlers/v1.2.py")

    def test_links(self) -> None:
        path = self.enter(folder({"_real.py": "from wxserve import on\n@on.text('x')\ndef f(): ...\n"}))
        (path / "link.py").symlink_to(path / "_real.py")
        (path / "lost.py").symlink_to(path / "nowhere.py")
        loaded = self.load_from(path)
        self.assertEqual([rule.name for rule in loaded.rules], ["link.f"])
        self.assertEqual([(e.code, e.file) for e in loaded.errors], [("WX-HND-01", "handlers/lost.py")])

    def test_a_missing_folder_is_an_error_only_where_it_is_required(self) -> None:
        missing = Path("/nonexistent/handlers")
        self.assertEqual(handlers.load(missing, required=False).errors, [])
        (error,) = handlers.load(missing).errors
        self.assertEqual((error.code, error.file, error.reason), ("WX-HND-01", str(missing), "unreadable"))

    def test_a_folder_given_relatively(self) -> None:
        path = self.enter(folder({"a.py": "1 / 0\n"}))
        loaded = self.load_from(Path(os.path.relpath(path)))
        self.assertEqual([(error.file, error.line) for error in loaded.errors], [("handlers/a.py", 1)])


class Faults(LoadedCase):
    def test_each_names_its_line_and_reason(self) -> None:
        for name, source, expected in BROKEN:
            with self.subTest(name):
                loaded = self.load({"bad.py": source})
                found = [(error.code, error.line, error.reason) for error in loaded.errors]
                self.assertEqual(found, expected)
                self.assertEqual({error.file for error in loaded.errors}, {"handlers/bad.py"})

    def test_all_files_are_tried(self) -> None:
        loaded = self.load({f"{name}.py": source for name, source, _ in BROKEN})
        self.assertEqual({error.file for error in loaded.errors}, {f"handlers/{name}.py" for name, *_ in BROKEN})

    def test_the_cause_is_where_it_stands_and_is_said_once(self) -> None:
        files = {"_helper.py": "\nx = 1 / 0\n", "a.py": "from ._helper import x\n", "b.py": "from . import a\n"}
        loaded = self.load(files)
        (error,) = loaded.errors
        self.assertEqual((error.file, error.line), ("handlers/_helper.py", 2))
        self.assertEqual(error.values, {"error": "ZeroDivisionError: division by zero"})

    def test_a_file_that_is_not_utf_8(self) -> None:
        text = "import os\nX = '天气'\n"
        for name, source, expected in (
            ("gbk", text.encode("gbk"), (2, "encoding", "GBK")),
            ("utf16", text.encode("utf-16"), (1, "encoding", "UTF-16")),
            ("said", b"# coding: gbk\n" + text.encode("gbk") + b"def f(:\n", (4, "raised", None)),
        ):
            with self.subTest(name):
                path = self.enter(folder({}))
                (path / f"{name}.py").write_bytes(source)
                (error,) = self.load_from(path).errors
                self.assertEqual((error.code, error.file), ("WX-HND-01", f"handlers/{name}.py"))
                self.assertEqual((error.line, error.reason, error.values.get("encoding")), expected)

    def test_a_good_file_beside_a_bad_one_still_has_its_rules(self) -> None:
        loaded = self.load({"a.py": "1 / 0\n", "b.py": "from wxserve import on\n@on.text\ndef f(): ...\n"})
        self.assertEqual([rule.name for rule in loaded.rules], ["b.f"])


class Reload(LoadedCase):
    def test_a_changed_file_is_read_again_however_quick_the_change(self) -> None:
        path = self.enter(folder({}))
        for number in range(5):
            write(path / "a.py", f"from wxserve import on\nfrom ._h import N\n@on.text\ndef f(): return {number}, N\n")
            write(path / "_h.py", f"N = {number}\n")
            loaded = self.load_from(path)
            self.assertEqual(loaded.rules[0].answer(Call(text("x"), NOON, Context(), Asking())), (number, number))
        self.assertEqual(sorted(each.name for each in path.iterdir()), ["_h.py", "a.py"], "nothing is left behind")

    def test_the_old_functions_keep_their_own_modules(self) -> None:
        path = self.enter(folder({"_n.py": "N = 1\n", "a.py": """\
            from wxserve import on
            @on.text
            def f():
                from ._n import N
                return N
            """}))  # fmt: skip
        old = self.load_from(path)
        write(path / "_n.py", "N = 2\n")
        new = self.load_from(path)
        call = Call(text("x"), NOON, Context(), Asking())
        self.assertEqual((new.rules[0].answer(call), old.rules[0].answer(call)), (2, 2))
        self.assertIsNot(old.modules["a"], new.modules["a"])

    def test_what_is_closed_leaves_nothing_in_the_interpreter(self) -> None:
        before = (set(sys.modules), list(sys.meta_path))
        path = self.enter(folder({"_h.py": "", "a.py": "from . import _h\n"}))
        loaded = handlers.load(path)
        self.assertNotEqual(set(sys.modules), before[0])
        loaded.close()
        self.assertEqual((set(sys.modules), list(sys.meta_path)), before)


class Resolve(LoadedCase):
    def test_a_function_by_its_name(self) -> None:
        loaded = self.load({"weather.py": "def today(msg): return msg.text\ndef bad(x): ...\nN = 1\nC = dict\n"})
        answer = handlers.resolve(loaded, "weather.today")
        call = Call(text("hi"), NOON, Context(), Asking())
        self.assertEqual((answer(call), answer.file), ("hi", "handlers/weather.py"))
        for name, reason, near in (("weather.todya", "call", " → weather.today?"), ("today", "call", ""),
                                   ("weather.N", "call", ""), ("weather.C", "call", ""),
                                   ("nowhere.at_all", "call", "")):  # fmt: skip
            with self.subTest(name), self.assertRaises(Misuse) as caught:
                handlers.resolve(loaded, name)
            self.assertEqual(caught.exception.reason, reason)
            self.assertIn(near, caught.exception.values["hint"])
        with self.assertRaises(Misuse) as caught:
            handlers.resolve(loaded, "weather.bad")
        self.assertEqual(caught.exception.reason, "argument")


if __name__ == "__main__":
    unittest.main()
