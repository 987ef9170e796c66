"""systemd's protocols, against a socket that plays systemd and against systemd's own activation tool."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import unittest

from tests.server.programs import ROOT, ProgramCase, get, pid_of
from tests.server.running import PATIENCE
from weixin.server.systemd import JournalFormatter, Notifier, credential, in_journal, listen_fds, priority


class Sockets(unittest.TestCase):
    def test_those_for_another_process_are_not_ours(self) -> None:
        ours = {"LISTEN_PID": str(os.getpid())}
        environ: dict[str, str]
        for environ in ({}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {**ours, "LISTEN_FDS": "x"}):
            self.assertEqual(listen_fds(environ), [])
            self.assertEqual(environ, {})

    def test_come_with_their_names_once(self) -> None:
        script = (
            "import os; os.environ['LISTEN_PID'] = str(os.getpid());"
            "from weixin.server.systemd import listen_fds;"
            "print([(name, sock.family.name, sock.get_inheritable()) for name, sock in listen_fds()],"
            " listen_fds(), [key for key in os.environ if key.startswith('LISTEN_')])"
        )
        with socket.socket(socket.AF_UNIX) as one, socket.socket() as two:
            environ = {**os.environ, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:admin"}
            # Descriptors 3 and 4 may be taken here: the child puts the sockets there.
            move = f"import os; os.dup2({one.fileno()}, 103); os.dup2({two.fileno()}, 104);"
            setup = f"{move} os.dup2(103, 3); os.dup2(104, 4); exec(os.environ['SCRIPT'])"
            output = subprocess.run(
                [sys.executable, "-c", setup],
                cwd=ROOT,
                env={**environ, "SCRIPT": script},
                pass_fds=(one.fileno(), two.fileno()),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout
        self.assertEqual(output.strip(), "[('web', 'AF_UNIX', False), ('admin', 'AF_INET', False)] [] []")


class FakeSystemd(ProgramCase):
    """A notify socket, and what arrives there."""

    def setUp(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.settimeout(PATIENCE)
        self.path = os.path.join(self.folder(), "notify")
        self.socket.bind(self.path)

    def next(self, word: str) -> str:
        """The next message that holds `word`."""
        while True:
            message = self.socket.recv(4096).decode()
            if word in message:
                return message

    def test_hears_the_whole_life(self) -> None:
        environ = {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "500000"}
        program = self.start(environ=environ)
        self.assertRegex(self.next("READY"), r"^READY=1\nSTATUS=workers=1$")
        self.next("WATCHDOG=1")
        self.next("WATCHDOG=1")
        program.wait_said("serving on")
        program.signal(signal.SIGHUP)
        self.assertRegex(self.next("RELOADING"), r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
        self.next("READY=1")
        program.signal(signal.SIGTERM)
        self.next("STOPPING=1")
        self.assertEqual(program.end(), 0)

    def test_a_watchdog_for_another_process_is_not_fed(self) -> None:
        self.assertIsNone(Notifier({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}).watchdog_seconds)
        self.assertIsNone(Notifier({"WATCHDOG_USEC": "soon"}).watchdog_seconds)
        ours = Notifier({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())})
        self.assertEqual(ours.watchdog_seconds, 0.2)

    def test_an_absent_systemd_disturbs_nobody(self) -> None:
        Notifier({}).ready("x")
        Notifier({"NOTIFY_SOCKET": self.path + "-gone"}).ready("x")

    def test_the_variable_is_taken_from_children(self) -> None:
        environ = {"NOTIFY_SOCKET": self.path}
        Notifier(environ).send("A=1", "B=2")
        self.assertEqual((self.next("A"), environ), ("A=1\nB=2", {}))

    def test_abstract_sockets(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as abstract:
            if sys.platform != "linux":
                self.skipTest("abstract sockets are Linux's")
            abstract.settimeout(PATIENCE)
            abstract.bind(f"\0wxserve-test-{os.getpid()}")
            Notifier({"NOTIFY_SOCKET": f"@wxserve-test-{os.getpid()}"}).stopping()
            self.assertEqual(abstract.recv(100), b"STOPPING=1")


class Activation(ProgramCase):
    def test_by_systemds_own_tool(self) -> None:
        tool = shutil.which("systemd-socket-activate")
        if tool is None:
            self.skipTest("systemd-socket-activate is not installed")
        path = os.path.join(self.folder(), "s")
        command = [tool, "-l", path, "--fdname=web", sys.executable, "-m", "weixin.server"]
        program = subprocess.Popen(
            [*command, "tests.server.apps:application"], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        try:
            assert program.stderr is not None
            self.assertIn("Listening on", program.stderr.readline())  # its file is there before it listens
            # The first connection starts the server; it waits in the queue meanwhile.
            self.assertTrue(pid_of(get(path)))
            program.send_signal(signal.SIGTERM)
            program.communicate(timeout=PATIENCE)
            self.assertEqual(program.returncode, 0)
            self.assertTrue(os.path.exists(path), "the socket is systemd's")
        finally:
            if program.poll() is None:
                program.kill()
                program.communicate()


class Credentials(ProgramCase):
    def test_lose_their_last_newline(self) -> None:
        folder = self.folder()
        with open(os.path.join(folder, "token"), "wb") as file:
            file.write(b"secret\n")
        environ = {"CREDENTIALS_DIRECTORY": folder}
        self.assertEqual(credential("token", environ), b"secret")
        self.assertIsNone(credential("other", environ))
        self.assertIsNone(credential("token", {}))


class Journal(unittest.TestCase):
    def test_every_line_has_its_priority(self) -> None:
        formatter = JournalFormatter(logging.Formatter("%(message)s"))
        for level, prefix in ((10, "<7>"), (20, "<6>"), (30, "<4>"), (40, "<3>"), (50, "<2>")):
            record = logging.LogRecord("a", level, "a", 1, "one\ntwo", (), None)
            self.assertEqual(formatter.format(record), f"{prefix}one\n{prefix}two")
            self.assertEqual(priority(level), prefix)

    def test_is_told_from_a_pipe(self) -> None:
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        status = os.fstat(writing)
        stream = f"{status.st_dev}:{status.st_ino}"
        self.assertTrue(in_journal(writing, {"JOURNAL_STREAM": stream}))
        self.assertFalse(in_journal(writing, {"JOURNAL_STREAM": "1:1"}))
        self.assertFalse(in_journal(writing, {}))


if __name__ == "__main__":
    unittest.main()
