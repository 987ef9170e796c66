"""Handlers and replies.ini together."""

from __future__ import annotations

import gc
import re
import unittest
from pathlib import Path

from weixin.routing import load
from weixin.routing.rules import MAX_REGEXES

from .support import NOON, LoadedCase, event, folder, text

HANDLERS = {
    "a.py": """\
        from wxserve import on
        @on.text("a")
        def a(): ...
        @on.any
        def any_(): ...
        """,
    "b.py": "def called(msg): ...\n",
}


class Load(LoadedCase):
    def routing(self, files: dict[str, str], replies: str | None, **options: object) -> load.Routing:
        path = self.enter(folder(files))
        file = path.parent / "replies.ini"
        if replies is not None:
            file.write_text(replies, encoding="utf-8")
        routing = load.load(path, file, **options)  # type: ignore[arg-type]
        self.addCleanup(routing.rules.close)
        return routing

    def test_replies_before_code_and_defaults_after_everything(self) -> None:
        replies = "[@默认]\ntext = 1\n[a]\ncall = b.called\n[@text]\ntext = t\n"
        routing = self.routing(HANDLERS, replies, default="没听懂", default_line=7)
        self.assertEqual(routing.errors, [])
        found = [hit.rule.at for hit in routing.rules.candidates(text("a"), NOON)]
        self.assertEqual(
            found,
            ["replies.ini:3", "handlers/a.py:2", "replies.ini:5", "handlers/a.py:4", "replies.ini:1", "wxserve.ini:7"],
        )

    def test_the_priority_of_replies_is_an_option(self) -> None:
        routing = self.routing(HANDLERS, "[a]\ntext = x\n[@菜单 K]\ntext = y\n", priority=-5)
        found = [hit.rule.at for hit in routing.rules.candidates(text("a"), NOON)]
        self.assertEqual(found, ["handlers/a.py:2", "handlers/a.py:4", "replies.ini:1"])
        (hit,) = routing.rules.candidates(event("CLICK", "K"), NOON)
        self.assertEqual(hit.rule.priority, -5)

    def test_the_errors_of_both_come_at_once(self) -> None:
        routing = self.routing({"a.py": "1 / 0\n"}, "[a]\n")
        self.assertEqual([(e.code, e.file, e.line) for e in routing.errors],
                         [("WX-HND-01", "handlers/a.py", 1), ("WX-RPL-03", "replies.ini", 1)])  # fmt: skip

    def test_a_default_that_says_nothing(self) -> None:
        (error,) = self.routing({}, "", default="a ||", default_line=7).errors
        self.assertEqual((error.code, error.file, error.line, error.reason), ("WX-RPL-03", "wxserve.ini", 7, "missing"))

    def test_what_is_missing_is_an_error_only_where_it_was_asked_for(self) -> None:
        self.assertEqual(self.routing({}, None).errors, [])
        (error,) = self.routing({}, None, replies_required=True).errors
        self.assertEqual((error.code, error.reason), ("WX-RPL-03", "unreadable"))
        nowhere = load.load(Path("/nonexistent/h"), Path("/nonexistent/r.ini"), folder_required=True)
        self.assertEqual([(e.code, e.reason) for e in nowhere.errors], [("WX-HND-01", "unreadable")])

    def test_more_expressions_than_there_may_be(self) -> None:
        many = "".join(f"[re: ^x{n}]\ntext = x\n" for n in range(MAX_REGEXES))
        self.assertEqual(self.routing({}, many).errors, [])
        (error,) = self.routing({}, many + "[re: ^y]\ntext = x\n").errors
        self.assertEqual((error.code, error.line, error.reason), ("WX-RPL-03", 2 * MAX_REGEXES + 1, "regex-many"))
        code = "import re\nfrom wxserve import on\n@on.text(re.compile('y'))\ndef f(): ...\n"
        (error,) = self.routing({"a.py": code}, many).errors
        self.assertEqual((error.code, error.file), ("WX-HND-03", "handlers/a.py"))

    def test_loading_leaves_the_collector_as_it_was(self) -> None:
        self.assertTrue(gc.isenabled())
        self.routing({}, "[a]\ntext = x\n")
        self.assertTrue(gc.isenabled())
        gc.disable()
        self.addCleanup(gc.enable)
        self.routing({}, "")
        self.assertFalse(gc.isenabled())


class Reasons(unittest.TestCase):
    def test_every_reason_has_its_sentence(self) -> None:
        """The reasons are written where they arise; whoever adds one adds what a person reads."""
        from weixin.texts.slips import SLIPS

        package = Path(load.__file__).parent
        sources = [*package.glob("*.py"), package.parent / "ini.py"]
        before = r"Misuse\(|UnknownName\(|_problem\(|_error\(\"WX-HND-03\", \w+, \w+, |\.error\([\w.]+, "
        pattern = re.compile(rf"(?:{before})\s*\"([a-z-]+)\"")
        found = {reason for source in sources for reason in pattern.findall(source.read_text(encoding="utf-8"))}
        self.assertGreater(len(found), 25)
        # An unknown argument has a code of its own.
        self.assertEqual(found - set(SLIPS) - {"argument"}, set())


if __name__ == "__main__":
    unittest.main()
