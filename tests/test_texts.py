"""Both languages say the same: same keys, same placeholders; and every code that is raised has its sentence."""

from __future__ import annotations

import ast
import errno
import os
import re
import string
import unittest
from pathlib import Path

from weixin import config, texts
from weixin.commands import COMMANDS
from weixin.texts.codes import CODES
from weixin.texts.slips import SLIPS
from weixin.texts.words import WORDS
from weixin.wire import signature

PACKAGE = Path(__file__).resolve().parent.parent / "weixin"


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


class Catalogue(unittest.TestCase):
    def test_codes_have_both_languages_with_the_same_placeholders(self) -> None:
        for code, entry in {**CODES, **SLIPS}.items():
            with self.subTest(code):
                self.assertEqual(set(entry), set(texts.LANGUAGES))
                sets = [set().union(*(placeholders(part) for part in entry[lang])) for lang in texts.LANGUAGES]
                self.assertEqual(sets[0], sets[1])
                for lang in texts.LANGUAGES:
                    self.assertTrue(all(entry[lang]), "every part is said")

    def test_no_code_and_no_word_is_explained_twice(self) -> None:
        for name in ("CODES", "SLIPS", "WORDS"):
            seen: set[str] = set()
            for path in (PACKAGE / "texts").glob("*.py"):
                for node in ast.parse(path.read_text(encoding="utf-8")).body:
                    if not isinstance(node, ast.AnnAssign) or ast.unparse(node.target) != name:
                        continue
                    assert isinstance(node.value, ast.Dict)
                    keys = [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
                    self.assertEqual([key for key in keys if key in seen or keys.count(key) > 1], [], path.name)
                    seen.update(keys)
            self.assertTrue(seen)

    def test_words_have_both_languages_with_the_same_placeholders(self) -> None:
        for key, entry in WORDS.items():
            with self.subTest(key):
                self.assertEqual(set(entry), set(texts.LANGUAGES))
                if not key.startswith("init."):  # templates hold the user's own braces
                    self.assertEqual(placeholders(entry["zh"]), placeholders(entry["en"]))

    def test_nothing_is_said_in_two_places(self) -> None:
        seen: dict[str, str] = {}
        for path in sorted((PACKAGE / "texts").glob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
                    kind = ast.unparse(node.target)
                    for key in node.value.keys:
                        if isinstance(key, ast.Constant):
                            place = f"{path.name}:{key.lineno}"
                            self.assertNotIn(f"{kind} {key.value}", seen, place)
                            seen[f"{kind} {key.value}"] = place
        self.assertGreater(len(seen), 100)

    def test_every_code_in_the_program_is_explained(self) -> None:
        used = set()
        for path in PACKAGE.rglob("*.py"):
            used |= set(re.findall(r"WX-[A-Z]{3}-[0-9]{2}", path.read_text(encoding="utf-8")))
        self.assertEqual(used - set(CODES), set())

    def test_every_slip_in_the_program_is_explained(self) -> None:
        made = re.compile(r"(?:Misuse|self\.error|self\._error|_problem|LoadError|UnknownName)\(\s*([^()]*)")
        used = set()
        for path in [PACKAGE / "ini.py", *(PACKAGE / "routing").glob("*.py")]:
            for arguments in made.findall(path.read_text(encoding="utf-8")):
                used |= set(re.findall(r"(?:^|, )\"([a-z][a-z-]+)\"", arguments)[:1])
        self.assertGreater(len(used), 20)
        self.assertEqual(used - set(SLIPS) - {"argument"}, set())

    def test_every_reason_to_refuse_a_body_is_explained(self) -> None:
        made = re.compile(r'(?:MessageRefused\("WX-XML-0[134]"|LengthRefused\(4[0-9]{2}), "([^"]+)"')
        used = {reason for path in PACKAGE.rglob("*.py") for reason in made.findall(path.read_text(encoding="utf-8"))}
        self.assertGreater(len(used), 8)
        self.assertEqual(used - set(SLIPS), set())

    def test_every_near_miss_is_explained(self) -> None:
        kinds = {kind for kind, _ in signature._slips("GreedIsGood")}
        self.assertEqual((kinds | {"mismatch"}) - set(SLIPS), set())

    def test_every_option_and_command_is_explained(self) -> None:
        for option in config.OPTIONS:
            self.assertIn(f"option.{option.key}", WORDS)
        for command in COMMANDS:
            self.assertIn(f"command.{command}", WORDS)

    def test_chinese_sentences_are_chinese(self) -> None:
        for code, entry in {**CODES, **SLIPS}.items():
            with self.subTest(code):
                self.assertRegex("".join(entry["zh"]), "[\u4e00-\u9fff]")


class Language(unittest.TestCase):
    def test_choice_then_variable_then_locale_then_english(self) -> None:
        cases: list[tuple[str, dict[str, str], str]] = [
            ("zh", {"LANG": "en_US.UTF-8"}, "zh"),
            ("auto", {"WXSERVE_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
            ("auto", {"LC_ALL": "zh_TW.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
            ("auto", {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
            ("auto", {"LANG": "zh_CN.GBK"}, "zh"),
            ("auto", {}, "en"),
        ]
        for choice, environ, expected in cases:
            with self.subTest(choice=choice, environ=environ):
                self.assertEqual(texts.language(choice, environ), expected)

    def test_a_missing_value_leaves_its_placeholder(self) -> None:
        self.assertIn("{seconds}", texts.explain("WX-SIG-04", "en", {}).title)
        self.assertIn("400", texts.explain("WX-SIG-04", "zh", {"seconds": 400, "max_age": 300}).title)

    def test_one_is_not_many(self) -> None:
        self.assertEqual(texts.say("check.counts", "en", errors=1, warnings=11), "1 error, 11 warnings")
        self.assertIn("1 time, last", texts.say("doctor.seen", "en", times=1, at="x", ip="y"))
        self.assertIn("configuration ok: 1 rule, ", texts.say("check.ok", "en", rules=1, aes="libcrypto"))

    def test_what_the_system_says_is_said_in_chinese_too(self) -> None:
        values = {"file": "wxserve.ini", "error": os.strerror(errno.EACCES)}
        self.assertEqual(texts.explain("WX-CFG-15", "zh", values).title, "读不了 wxserve.ini：没有权限")
        self.assertIn("Permission denied", texts.explain("WX-CFG-15", "en", values).title)
        self.assertIn("磁盘满了", texts.say("init.cannot", "zh", file="x", error=os.strerror(errno.ENOSPC)))
        self.assertIn("other words", texts.say("init.cannot", "zh", file="x", error="other words"))

    def test_an_unknown_code_is_its_own_title(self) -> None:
        self.assertEqual(texts.explain("WX-NON-99", "en").title, "WX-NON-99")
