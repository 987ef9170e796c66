"""What the command line says to somebody who mistypes, hangs up, presses Ctrl-C or has a full disk."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from tests import program
from weixin.commands import COMMANDS, main


def said(*words: str, lang: str = "en") -> tuple[int, str, str]:
    """The exit status of a command that does nothing, what it prints, and what it says is wrong."""
    before = os.environ.get("WXSERVE_LANG")
    os.environ["WXSERVE_LANG"] = lang
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status: object = main(words)
    except SystemExit as leaving:
        status = leaving.code
    finally:
        os.environ.pop("WXSERVE_LANG")
        if before is not None:
            os.environ["WXSERVE_LANG"] = before
    return int(str(status or 0)), out.getvalue(), err.getvalue()


class Case(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "wxserve.ini").write_text("[wechat]\ntoken = abc123\n")
        os.chmod(self.folder / "wxserve.ini", 0o600)


class Slips(unittest.TestCase):
    def test_a_wrong_word_is_answered_in_two_lines_and_with_the_right_one(self) -> None:
        for words, english, chinese in (
            (["chek"], "there is no command chek → check?", "没有 chek 这个命令 → check?"),
            (["send"], "TYPE is missing", "缺少 TYPE"),
            (["explain"], "CODE is missing", "缺少 CODE"),
            (["send", "text", "--fualt", "json"],
             "there is no option --fualt → --fault?", "没有 --fualt 这个选项 → --fault?"),
            (["run", "x"], "one word too many: x", "多了一个词：x"),
            (["send", "text", "--fault", "jsn"], "--fault cannot be jsn → json?", "--fault 不能是 jsn → json?"),
            (["send", "text", "--slow", "x"], "--slow cannot be x", "--slow 不能是 x"),
            (["send", "text", "--user"], "--user takes a value", "--user 后面要跟一个值"),
            (["--lang", "fr", "check"],
             "--lang cannot be fr (wanted: auto | zh | en)", "--lang 不能是 fr（应为 auto | zh | en）"),
            (["-x"], "there is no option -x", "没有 -x 这个选项"),
        ):  # fmt: skip
            for lang, expected in (("en", english), ("zh", chinese)):
                with self.subTest(words, lang=lang):
                    status, out, err = said(*words, lang=lang)
                    self.assertEqual((status, out), (2, ""))
                    self.assertEqual(err.splitlines()[0], expected)
                    self.assertEqual(len(err.splitlines()), 2, err)
                    self.assertRegex(err, r"python3 \S*wxserve\.py (\w+ )?-h")

    def test_a_slip_is_said_in_the_language_that_the_line_asks_for(self) -> None:
        for words in (["--lang", "zh", "-c"], ["--lang=zh", "-c"], ["-c", "--lang", "zh"], ["-c", "--lang=zh"]):
            with self.subTest(words):
                self.assertEqual(said(*words)[2].splitlines()[0], "--config 后面要跟一个值")

    def test_an_option_that_is_not_there_leads_to_the_one_that_was_meant_or_to_none(self) -> None:
        for option, expected in (
            ("--foo", "there is no option --foo"),
            ("--port", "there is no option --port → --listen?"),
            ("--bind=0.0.0.0:80", "there is no option --bind → --listen?"),
            ("--Workers", "there is no option --Workers → --workers?"),
            ("-V", "there is no option -V → --version?"),
            ("--token", "there is no option --token: everybody could read it in ps. Put it into wxserve.ini, or name a "
             "file in WXSERVE_TOKEN_FILE"),
            ("--aes-key=x", "there is no option --aes-key: everybody could read it in ps. Put it into wxserve.ini, or "
             "name a file in WXSERVE_AES_KEY_FILE"),
        ):  # fmt: skip
            with self.subTest(option):
                self.assertEqual(said("run", option)[2].splitlines()[0], expected)
                self.assertIn(option.partition("=")[0], said("run", option, lang="zh")[2])

    def test_help_is_in_one_language_and_ends_with_examples(self) -> None:
        for command in COMMANDS:
            for lang in ("en", "zh"):
                with self.subTest(command, lang=lang):
                    status, out, err = said(command, "-h", lang=lang)
                    self.assertEqual((status, err), (0, ""))
                    lines = out.splitlines()
                    self.assertIn(f"python3 wxserve.py {command}", lines[0])
                    for example in lines[-3:]:
                        self.assertTrue(example.startswith("  python3 wxserve.py"), example)
                    if lang == "zh":
                        for english in ("usage:", "options:", "arguments:", "show this help", "show program's"):
                            self.assertNotIn(english, out)
        self.assertEqual(said("help"), said("-h"))
        self.assertEqual(said("help", "send"), said("send", "-h"))


class Ends(Case):
    def end(self, *words: str, after: str, stdin: int = subprocess.DEVNULL) -> tuple[int, str]:
        """Press Ctrl-C when the program has printed *after*: its status, and what it says then."""
        process = subprocess.Popen(
            [sys.executable, str(program.SCRIPT), *words], cwd=self.folder, env=program.environment(),
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        )  # fmt: skip
        assert process.stdout is not None
        while after not in process.stdout.readline():
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=program.SECONDS)
        return process.returncode, said

    def test_ctrl_c_is_no_accident(self) -> None:
        begun = time.monotonic()
        (self.folder / "replies.ini").write_text("[hi]\ntext = hello\n")
        self.assertEqual(self.end("send", "text", "hi", "--slow", "60", after="attempt 1"), (130, ""))
        self.assertLess(time.monotonic() - begun, 30, "nobody waits for the handler")

    def test_ctrl_c_while_the_program_is_being_read(self) -> None:
        # The modules of the standard library that it imports first are ours here, and hold it there.
        (self.folder / "weixin").mkdir()
        (self.folder / "weixin" / "__init__.py").write_text("")
        (self.folder / "weixin" / "lazy.py").write_text("import time\nprint('reading', flush=True)\ntime.sleep(60)\n")
        script = self.folder / "wxserve.py"
        script.write_bytes(program.SCRIPT.read_bytes())
        process = subprocess.Popen(
            [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "reading\n")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=program.SECONDS)
        self.assertEqual((process.returncode, said), (-signal.SIGINT, ""))

    def test_an_output_that_takes_nothing_is_one_line(self) -> None:
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        (self.folder / "replies.ini").write_text("[hi]\ntext = hello\n")
        for lang, said in (("en", "cannot write the output: No space left on device"), ("zh", "写不出去：磁盘满了")):
            command = {"en": "check", "zh": "--version"}[lang]
            with self.subTest(lang), open("/dev/full", "w") as full:
                done = subprocess.run(
                    [sys.executable, str(program.SCRIPT), command], cwd=self.folder, stdout=full,
                    stderr=subprocess.PIPE, env=program.environment(WXSERVE_LANG=lang), check=False,
                    timeout=program.SECONDS,
                )  # fmt: skip
                self.assertEqual((done.returncode, done.stderr.decode()), (1, f"{said}\n"))

    def test_a_link_in_somebodys_path_finds_the_handlers_beside_the_program(self) -> None:
        (self.folder / "wxserve.ini").unlink()
        link = self.folder / "我的 wxserve"
        link.symlink_to(program.SCRIPT)
        done = subprocess.run(
            [sys.executable, str(link), "send", "text", "在吗"], cwd=self.folder, capture_output=True, check=False,
            env=program.environment(), timeout=program.SECONDS,
        )  # fmt: skip
        self.assertIn("对啊,在吗,然后呢", done.stdout.decode(), done.stderr)

    def test_closed_streams_are_no_accident(self) -> None:
        for closed in (">&-", "2>&-", "<&-", "<&- >&- 2>&-"):
            with self.subTest(closed):
                line = f"{sys.executable} {program.SCRIPT} send text hi {closed}"
                done = subprocess.run(
                    ["sh", "-c", line], cwd=self.folder, capture_output=True, check=False, timeout=program.SECONDS,
                    env=program.environment(),
                )  # fmt: skip
                self.assertEqual((done.returncode, done.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
