"""Where settings come from, which wins, and what is said of a wrong one."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path

from weixin import config, texts

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
HIDDEN = "HiddenSecretOfMoreThanTwentyFour"


class Loading(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, text: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def load(self, text: str | bytes, flags: dict[str, str] | None = None, **environ: str) -> config.Settings:
        return config.load(self.write("wxserve.ini", text), flags, environ)

    def codes(self, text: str | bytes, **environ: str) -> list[tuple[str, int]]:
        with self.assertRaises(config.ConfigError) as caught:
            self.load(text, **environ)
        return [(problem.code, problem.line) for problem in caught.exception.problems]


class Order(Loading):
    def test_flag_then_variable_then_file_variable_then_credential_then_file_then_default(self) -> None:
        credentials = self.folder / "credentials"
        credentials.mkdir()
        (credentials / "max_age").write_text("4\n")
        path = self.write("age", "3\n")
        steps: list[tuple[dict[str, str], dict[str, str], int, str]] = [
            ({"max_age": "1"}, {"WXSERVE_MAX_AGE": "2"}, 1, "--max-age"),
            ({}, {"WXSERVE_MAX_AGE": "2", "WXSERVE_MAX_AGE_FILE": path}, 2, "env WXSERVE_MAX_AGE"),
            ({}, {"WXSERVE_MAX_AGE_FILE": path, "CREDENTIALS_DIRECTORY": str(credentials)}, 3, "WXSERVE_MAX_AGE_FILE"),
            ({}, {"CREDENTIALS_DIRECTORY": str(credentials)}, 4, "credential max_age"),
            ({}, {}, 5, f"{self.folder / 'wxserve.ini'}:3"),
        ]
        for flags, environ, value, source in steps:
            with self.subTest(source):
                settings = self.load("[wechat]\ntoken = abc\nmax_age = 5\n", flags, **environ)
                self.assertEqual((settings.max_age, settings.sources["max_age"]), (value, source))
        settings = self.load("[wechat]\ntoken = abc\n")
        self.assertEqual((settings.max_age, settings.sources["max_age"]), (300, "default"))

    def test_the_environment_alone_is_configuration_enough(self) -> None:
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        self.assertEqual(config.load(None, None, {"WXSERVE_TOKEN": "abc"}).token, "abc")
        path = self.write("token", "fromfile\r\n")
        self.assertEqual(config.load(None, None, {"WXSERVE_TOKEN_FILE": path}).token, "fromfile")
        with self.assertRaises(config.ConfigError) as caught:
            config.load(None, None, {})
        self.assertEqual(caught.exception.problems[0].code, "WX-CFG-01")

    def test_the_file_is_looked_for_in_the_environment_then_here(self) -> None:
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)
        self.write("wxserve.ini", "[wechat]\ntoken = here\n")
        other = self.write("other.ini", "[wechat]\ntoken = there\n")
        self.assertEqual(config.load(None, None, {}).token, "here")
        self.assertEqual(config.load(None, None, {"WXSERVE_CONFIG": other}).token, "there")

    def test_relative_paths_start_at_the_file(self) -> None:
        settings = self.load("[wechat]\ntoken = abc\n[replies]\nfile = table.ini\n")
        self.assertEqual(settings.replies, str(self.folder.resolve() / "table.ini"))
        self.assertEqual(settings.handlers, str(self.folder.resolve() / "handlers"))


class Values(Loading):
    def test_what_a_text_becomes(self) -> None:
        cases = [
            ("[server]\nbody_max = 128k", "body_max", 131072),
            ("[server]\nbody_max = 1M", "body_max", 1 << 20),
            ("[server]\npath = /wx/", "path", "/wx"),
            ("[replies]\nfinal_marks = off", "final_marks", False),
            ("[replies]\ndefault = 没听懂 100%", "default_reply", "没听懂 100%"),
            ("[wechat]\nmax_age = 0", "max_age", 0),
            ("[log]\nlevel = WARNING", "log_level", "warning"),
            ("[server]\nlisten =", "listen", "127.0.0.1:9527"),
        ]
        for text, key, value in cases:
            with self.subTest(text):
                settings = self.load(f"{text}\n", WXSERVE_TOKEN="abc")
                self.assertEqual(getattr(settings, key), value)

    def test_a_token_may_hold_what_configparser_trips_over(self) -> None:
        with self.assertRaises(config.ConfigError):
            self.load("[wechat]\ntoken = a%b\n")
        self.assertEqual(self.load("\ufeff[wechat]\r\ntoken = Abc9\r\n").token, "Abc9")

    def test_they_do_not_change_but_others_are_made_of_them(self) -> None:
        settings = self.load("[wechat]\ntoken = abc\n")
        with self.assertRaises(AttributeError):
            settings.token = "abd"
        other = settings.replace(token="abd", threads=3)
        self.assertEqual((settings.token, other.token, other.threads, other.path), ("abc", "abd", 3, settings.path))
        self.assertEqual(other.replace(token="abc", threads=settings.threads), settings)
        self.assertNotEqual(other, settings)
        with self.assertRaisesRegex(TypeError, "^tokn$"):
            settings.replace(tokn="abd")
        with self.assertRaises(TypeError):
            config.Settings(token="abc")

    def test_secrets_are_in_no_representation(self) -> None:
        settings = self.load(f"[wechat]\ntoken = TopSecret\naes_key = {KEY}\n")
        self.assertNotIn("TopSecret", repr(settings))
        self.assertNotIn(KEY, repr(settings))


class Faults(Loading):
    def test_each_fault_has_its_code_and_line(self) -> None:
        cases: list[tuple[str | bytes, list[tuple[str, int]]]] = [
            ("[wechat]\ntoken = 有空格\n", [("WX-CFG-04", 2)]),
            ("[wechat]\ntoken = ab\n", [("WX-CFG-04", 2)]),
            ("[wechat]\n", [("WX-CFG-04", 0)]),
            ("[wechat]\ntoken = abc\naes_key = tooshort\n", [("WX-CFG-05", 3)]),
            ("[wechat]\ntoken = abc\nmode = safe\n", [("WX-CFG-05", 3), ("WX-CFG-06", 3)]),
            (f"[wechat]\ntoken = abc\nmode = safe\naes_key = {KEY}\nappid = gh_1\n", [("WX-CFG-06", 5)]),
            ("[wechat]\ntoken = abc\nmode = secure\n", [("WX-CFG-08", 3)]),
            ("[wechat]\ntoken = abc\ntokne = abc\n", [("WX-CFG-03", 3)]),
            ("[wechat]\ntoken = abc\n[sevrer]\n", [("WX-CFG-03", 3)]),
            ("[wechat]\ntoken = abc\n[server]\npath = weixin\nlisten = none\n", [("WX-CFG-08", 5), ("WX-CFG-08", 4)]),
            ("[wechat]\ntoken = abc\n[server]\npath = /a//b\n", [("WX-CFG-08", 4)]),
            ("[wechat]\ntoken = abc\n[server]\nbody_max = 0\n", [("WX-CFG-08", 4)]),
            ("[wechat]\ntoken = abc\nwhat is this\n", [("WX-CFG-09", 3)]),
            ("[wechat] x\ntoken = abc\n", [("WX-CFG-09", 1)]),
            ("[wechat]\ntoken = 中文".encode("gbk"), [("WX-CFG-02", 2)]),
            ("[wechat]\ntoken = abc\n[server]\nlisten = 127.0.0.1:99999\n", [("WX-CFG-08", 4)]),
            ("[wechat]\ntoken = abc\n[server]\nlisten = 256.1.1.1:80\n", [("WX-CFG-08", 4)]),
        ]
        for text, expected in cases:
            with self.subTest(text):
                found = self.codes(text)
                self.assertEqual([pair for pair in found if pair in expected], expected, found)

    def test_a_misspelt_name_is_answered_with_the_right_one(self) -> None:
        with self.assertRaises(config.ConfigError) as caught:
            self.load("[wechat]\ntoken = abc\naeskey = x\n", WXSERVE_TOEKN="abc")
        hints = [problem.values["hint"] for problem in caught.exception.problems]
        self.assertEqual(hints, [" → aes_key?", " → WXSERVE_TOKEN?"])

    def test_an_option_in_the_wrong_section_is_told_its_own(self) -> None:
        with self.assertRaises(config.ConfigError) as caught:
            self.load("[wechat]\ntoken = abc\ndeadline = 4\n[sevrer]\n")
        said = [texts.explain(each.code, "en", each.values).title for each in caught.exception.problems]
        self.assertEqual(said, ["unknown option deadline → [server] deadline?", "unknown option [sevrer] → [server]?"])

    def test_no_fault_shows_a_secret(self) -> None:
        for text in (
            f"token = {HIDDEN}!\naes_key = {HIDDEN}\n", f"token: {HIDDEN}\n", f"token {HIDDEN}\n",
            f"    token = {HIDDEN}\n", f"token = \"{HIDDEN}\"\n", f"[token = {HIDDEN}\n",
            f"[wechat] token = {HIDDEN}\n", f"{HIDDEN}={HIDDEN}\n",
            f"token ＝ {HIDDEN}\n", f"【{HIDDEN}\n", f"token = ok\ntoken = {HIDDEN}\n", f"{HIDDEN}=\n",
        ):  # fmt: skip
            with self.subTest(text), self.assertRaises(config.ConfigError) as caught:
                self.load("[wechat]\n" + text)
            for problem in caught.exception.problems:
                self.assertNotIn(HIDDEN, str(problem) + "".join(texts.explain(problem.code, "en", problem.values)))

    def test_a_token_is_told_what_is_wrong_with_it(self) -> None:
        for token, reason in (
            ("", "token-missing"), ('"abc123"', "token-quotes"), ("'abc", "token-quotes"), ("abc 123", "token-blank"),
            ("abc123 # mine", "token-blank"), ("ａｂｃ123", "token-wide"), ("ab", "token-length"),
            ("a" * 33, "token-length"), ("abc_123", "token-letters"), ("令牌123", "token-letters"),
        ):  # fmt: skip
            with self.subTest(token), self.assertRaises(config.ConfigError) as caught:
                self.load(f"[wechat]\ntoken = {token}\n")
            (problem,) = caught.exception.problems
            self.assertEqual((problem.code, problem.values.get("reason")), ("WX-CFG-04", reason))
            self.assertNotIn("{", "".join(texts.explain(problem.code, "en", problem.values)))

    def test_a_line_that_cannot_be_read_is_the_only_fault(self) -> None:
        # What stands in it, or below it, may well be the token: that one is missing is not known.
        for head, entry in (("【wechat】", "token = a"), ("[wechat]", "token: a"), ("[wechat", "token = a")):
            with self.subTest(head):
                self.assertEqual(len(self.codes(f"{head}\n{entry}\n")), 1)

    def test_what_is_there_and_cannot_be_read_is_not_called_missing(self) -> None:
        folder = str(self.folder)
        (self.folder / "latin").write_bytes(b"\xff")
        (self.folder / "token").mkdir()
        for name, variables in (
            (folder, {}), (None, {"WXSERVE_TOKEN_FILE": folder}), (None, {"WXSERVE_TOKEN_FILE": folder + "/none"}),
            (None, {"WXSERVE_TOKEN_FILE": folder + "/latin"}), (folder + "/wxserve.ini/x", {}),
        ):  # fmt: skip
            self.write("wxserve.ini", "")
            with self.subTest(name=name, **variables), self.assertRaises(config.ConfigError) as caught:
                config.load(name, None, variables)
            self.assertIn("WX-CFG-15", [problem.code for problem in caught.exception.problems])
        (self.folder / "token").rmdir()
        (self.folder / "token").write_bytes(b"\xff")
        with self.assertRaises(config.ConfigError) as caught:
            config.load(None, None, {"CREDENTIALS_DIRECTORY": folder})
        self.assertEqual(caught.exception.problems[0].code, "WX-CFG-15")

    def test_a_file_that_was_asked_for_must_be_there(self) -> None:
        with self.assertRaises(config.ConfigError) as caught:
            config.load(str(self.folder / "none.ini"), None, {"WXSERVE_TOKEN": "abc"})
        self.assertEqual(caught.exception.problems[0].code, "WX-CFG-01")


class HandlersSecrets(Loading):
    def test_a_secret_comes_from_a_credential_or_the_file_a_variable_names(self) -> None:
        settings = self.load("[wechat]\ntoken = abc\n")
        path = self.write("key", "sk-123\n")
        credentials = self.folder / "credentials"
        credentials.mkdir()
        (credentials / "openai_key").write_text("sk-456")
        for name in ("WXSERVE_OPENAI_KEY_FILE", "CREDENTIALS_DIRECTORY"):
            self.addCleanup(os.environ.pop, name, None)
        with self.assertRaises(KeyError):
            settings.secret("openai_key")
        os.environ["WXSERVE_OPENAI_KEY_FILE"] = path
        self.assertEqual(settings.secret("openai_key"), "sk-123")
        os.environ["CREDENTIALS_DIRECTORY"] = str(credentials)
        self.assertEqual(settings.secret("openai_key"), "sk-456")
        for name in ("../wxserve.ini", "UPPER", ""):
            with self.subTest(name), self.assertRaises(KeyError):
                settings.secret(name)


if __name__ == "__main__":
    unittest.main()
