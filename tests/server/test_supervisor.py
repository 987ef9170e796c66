"""Processes: killed, replaced, reloaded, drained, with real signals to real programs."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import threading
import time
import unittest
from collections.abc import Callable

from tests.server.programs import Program, ProgramCase, connect, get, is_alive, pid_of
from tests.server.running import PATIENCE, read_all, statuses, wait_for

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


# Two services, each of which says how many listening sockets its worker has.
TWO = """
import os, socket, sys
from weixin.server import Service, describe, listen, serve

def ears():
    found = 0
    for fd in map(int, os.listdir("/dev/fd")):
        try:
            with socket.socket(fileno=os.dup(fd)) as sock:
                found += sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        except OSError:
            pass
    return found

def app(environ, start_response):
    body = b"ears=%d" % ears()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]

def ready():
    print("serving on", *(describe(service.sockets[0]) for service in services), file=sys.stderr, flush=True)

services = [Service(name, lambda: app, [listen("127.0.0.1:0")]) for name in ("one", "two")]
sys.exit(serve(services, on_ready=ready))
"""


class Start(ProgramCase):
    def test_an_app_that_cannot_be_made_ends_it_with_the_reason(self) -> None:
        cases = (("tests.server.nothing:app", "ModuleNotFoundError"), ("os:nothing", "AttributeError"))
        for application, why in cases:
            with self.subTest(application):
                program = self.start(application=application)
                self.assertEqual(program.end(), 1)
                self.assertTrue(program.has_said(f"worker-died .*{why}"), program.said)

    def test_what_an_app_starts_while_it_is_made_can_be_told_to_end(self) -> None:
        self.assertIn(b"blocked=0 ", get(self.start().address()))

    def test_an_address_in_use_is_a_sentence(self) -> None:
        address = self.start().address()
        second = self.start(listen=f"127.0.0.1:{address[1]}")
        self.assertEqual(second.end(), 2)
        self.assertTrue(second.has_said("cannot listen on 127.0.0.1"), second.said)

    def test_all_workers_serve(self) -> None:
        address = self.start("--workers", "2").address()
        pids = set()
        wait_for(lambda: pids.add(pid_of(get(address, "/slow?0.02"))) or self.from_both(address, pids))

    def test_who_has_nothing_to_do_sleeps(self) -> None:
        program = self.start()
        address = program.address()
        pids = (program.process.pid, pid_of(get(address)))
        before = sum(map(cpu_seconds, pids))
        get(address, "/slow?1")
        self.assertLess(sum(map(cpu_seconds, pids)) - before, 0.25)

    def test_a_worker_has_the_sockets_of_its_own_service_alone(self) -> None:
        """Or it would keep those of the other in the world when that is told to end."""
        program = Program([], {}, [sys.executable, "-c", TWO])
        self.addCleanup(self._finish, program)
        program.wait_said("serving on ")
        one, two = re.findall(r"127\.0\.0\.1:(\d+)", "\n".join(program.said))
        for port in (one, two):
            self.assertIn(b"ears=1", get(("127.0.0.1", int(port))))

    @staticmethod
    def from_both(address: tuple[str, int], pids: set[int]) -> bool:
        """Two at once find two workers sooner or later."""
        clients = [connect(address) for _ in range(4)]
        for client in clients:
            client.sendall(b"GET /slow?0.05 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        for client in clients:
            with client:
                pids.add(pid_of(read_all(client)))
        return len(pids) == 2


class Deaths(ProgramCase):
    def test_a_killed_worker_is_replaced_and_the_log_says_why(self) -> None:
        program = self.start()
        address = program.address()
        first = pid_of(get(address))
        os.kill(first, signal.SIGKILL)
        self.assertNotEqual(pid_of(get(address)), first)
        program.wait_said(rf"worker-died .*pid={first} why=SIGKILL")
        get(address, "/crash")
        program.wait_said(r"worker-died .*why=exit 7")
        get(address)

    def test_a_client_that_hangs_up_kills_nobody_whatever_was_said_about_broken_pipes(self) -> None:
        path = os.path.join(self.folder(), "s")
        careless = "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL)"
        program = self.start(listen=f"unix:{path}", before=careless)
        program.wait_said("serving on ")
        first = pid_of(get(path))
        with connect(path) as client:
            client.sendall(b"GET /slow?0.1 HTTP/1.1\r\nHost: a\r\n\r\n")
            program.wait_said("begun /slow")
        self.assertEqual(pid_of(get(path, "/slow?0.3")), first)

    def test_a_worker_that_asks_for_it_is_replaced_and_drains(self) -> None:
        program = self.start()
        address = program.address()
        with connect(address) as client:
            client.sendall(GET)
            first = pid_of(read_until_body(client))
            self.assertEqual(pid_of(get(address, "/leave")), first)
            program.wait_said(rf"worker-leaves .*pid={first}")
            answer = b""
            while b"Connection: close" not in answer:  # it hears a moment later that it may
                client.sendall(GET)
                answer = read_until_body(client)
                self.assertEqual(pid_of(answer), first)
            self.assertEqual(read_all(client), b"")
        self.assertNotEqual(pid_of(get(address)), first)
        wait_for(lambda: not is_alive(first))
        self.assertFalse(program.has_said("worker-died"))

    def test_a_worker_whose_last_words_nobody_reads_just_ends(self) -> None:
        # Its standard output is a pipe without a reader, as after `… | head`: what an app printed cannot be flushed.
        unread = "import os, sys; end, start = os.pipe(); os.close(end); sys.stdout = os.fdopen(start, 'w')"
        program = self.start("--workers", "2", before=unread)
        address = program.address()
        first = pid_of(get(address, "/say"))
        os.kill(first, signal.SIGTERM)
        program.wait_said(rf"worker-leaves .*pid={first}")
        wait_for(lambda: not is_alive(first))
        get(address)
        program.signal(signal.SIGTERM)
        self.assertEqual(program.end(), 0)
        # It had no part in what its supervisor does: forking, and killing the other workers in the end.
        self.assertFalse(program.has_said("cannot-fork|Traceback|worker-died"), program.said)

    def test_a_silent_worker_is_replaced(self) -> None:
        program = self.start(before="import weixin.server.process as p; p.SILENCE_MAX = 1.6")
        address = program.address()
        first = pid_of(get(address))
        os.kill(first, signal.SIGSTOP)
        wait_for(lambda: has_stopped(first))
        self.assertNotEqual(pid_of(get(address)), first)
        program.wait_said(rf"worker-silent .*pid={first}")

    def test_a_wedged_worker_shows_where_and_is_replaced(self) -> None:
        program = self.start(before="import weixin.server.child as c; c.WEDGED_SECONDS = 1.5")
        address = program.address()
        with connect(address) as client:
            client.sendall(b"GET /wedge HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(read_all(client), b"")
        get(address)
        program.wait_said(r"apps\.py.* in __call__")
        program.wait_said("worker-died .*why=exit 1")

    def test_workers_end_with_their_supervisor(self) -> None:
        program = self.start("--workers", "2")
        address = program.address()
        with connect(address) as client:
            client.sendall(GET)
            worker = pid_of(read_until_body(client))
            program.signal(signal.SIGKILL)
            program.process.wait()
            client.sendall(GET)
            self.assertEqual(pid_of(read_all(client)), worker)
        wait_for(lambda: not is_alive(worker))
        # Nobody holds the address any more.
        self.start(listen=f"127.0.0.1:{address[1]}").address()


class Reload(ProgramCase):
    def test_brings_new_workers_and_loses_no_request(self) -> None:
        program = self.start("--workers", "2")
        address = program.address()
        stop = threading.Event()
        lost: list[object] = []
        pids: set[int] = set()
        count = [0]

        def ask() -> None:
            while not stop.is_set():
                answer = get(address)
                count[0] += 1
                if statuses(answer) == [200]:
                    pids.add(pid_of(answer))
                else:
                    lost.append(answer)

        def ask_again_and_again() -> None:
            client = connect(address)
            while not stop.is_set():
                client.sendall(GET)
                answer = read_until_body(client)
                count[0] += 1
                if b"Connection: close" in answer:
                    client.close()
                    client = connect(address)
            client.close()

        def noting(target: Callable[[], None]) -> None:
            try:
                target()
            except Exception as error:  # in a thread, where it would fail no test
                lost.append(error)

        targets = (ask, ask, ask_again_and_again)
        threads = [threading.Thread(target=noting, args=(target,)) for target in targets]
        for thread in threads:
            thread.start()
        for number in range(1, 4):
            program.signal(signal.SIGHUP)
            wait_for(lambda number=number: program.count("reload result=ok") == number)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(lost, [])
        self.assertGreater(count[0], 50)
        self.assertGreater(len(pids), 2)

    def test_keeps_the_old_when_the_new_cannot_start(self) -> None:
        flag = os.path.join(self.folder(), "broken")
        program = self.start(environ={"WXSERVE_TEST_BROKEN": flag})
        address = program.address()
        first = pid_of(get(address))
        with open(flag, "w", encoding="ascii"):
            pass
        program.signal(signal.SIGHUP)
        program.wait_said(r"reload result=failed why=ImportError: this app is broken")
        self.assertEqual(pid_of(get(address)), first)
        os.unlink(flag)
        program.signal(signal.SIGHUP)
        program.wait_said(r"reload result=ok")
        wait_for(lambda: pid_of(get(address)) != first)  # the old one is told to stop, and may take one more

    def test_lets_a_slow_request_finish(self) -> None:
        program = self.start()
        address = program.address()
        first = pid_of(get(address))
        with connect(address) as client:
            client.sendall(b"GET /slow?0.7 HTTP/1.1\r\nHost: a\r\n\r\n")
            program.wait_said("begun /slow")
            program.signal(signal.SIGHUP)
            program.wait_said(r"reload result=ok")
            wait_for(lambda: pid_of(get(address)) != first)
            self.assertEqual(pid_of(read_all(client)), first)


class Stop(ProgramCase):
    def test_everything_accepted_is_answered(self) -> None:
        closed = os.path.join(self.folder(), "closed")
        program = self.start(environ={"WXSERVE_TEST_CLOSED": closed})
        address = program.address()
        worker = pid_of(get(address))
        with connect(address) as slow, connect(address) as idle, connect(address) as silent:
            idle.sendall(GET)
            read_until_body(idle)
            slow.sendall(b"GET /slow?0.5 HTTP/1.1\r\nHost: a\r\n\r\n")
            program.wait_said("begun /slow")
            program.signal(signal.SIGTERM)
            wait_for(lambda: refuses(address))
            for client in (idle, silent):
                client.sendall(GET)
            for client in (idle, silent, slow):
                answer = read_all(client)
                self.assertEqual(pid_of(answer), worker)
                self.assertIn(b"Connection: close", answer)
        self.assertEqual(program.end(), 0)
        with open(closed, encoding="ascii") as file:
            self.assertEqual(file.read(), f"{worker}\n")

    def test_the_grace_ends_and_silent_deliveries_are_dropped(self) -> None:
        program = self.start("--grace", "0.5")
        address = program.address()
        with connect(address) as client:
            client.sendall(b"GET /silent HTTP/1.1\r\nHost: a\r\n\r\n")
            program.wait_said("begun /silent")
            begun = time.monotonic()
            program.signal(signal.SIGINT)
            self.assertEqual(read_all(client), b"")
            self.assertGreater(time.monotonic() - begun, 0.5)
        self.assertEqual(program.end(), 0)

    def test_an_app_is_closed_though_many_of_its_threads_are_stuck(self) -> None:
        closed = os.path.join(self.folder(), "closed")
        program = self.start("--grace", "0.2", environ={"WXSERVE_TEST_CLOSED": closed})
        address = program.address()
        worker = pid_of(get(address))
        clients = [connect(address) for _ in range(20)]
        for client in clients:
            self.addCleanup(client.close)
            client.sendall(b"GET /slow?20 HTTP/1.1\r\nHost: a\r\n\r\n")
        # Answered beside them, so they have all begun.
        self.assertEqual(pid_of(get(address)), worker)
        program.signal(signal.SIGTERM)
        self.assertEqual(program.end(), 0)
        self.assertFalse(program.has_said("overdue"), program.said)
        with open(closed, encoding="ascii") as file:
            self.assertEqual(file.read(), f"{worker}\n")

    def test_a_worker_that_wants_to_leave_while_it_is_stopped_keeps_its_last_moment(self) -> None:
        # As when a whole process group is told to end, and the app then hangs.
        patience = "import weixin.server.process as p; p.CLOSING_SECONDS = 0.2"
        program = self.start("--grace", "3", environ={"WXSERVE_TEST_STUCK": "1"}, before=patience)
        address = program.address()
        with connect(address) as client:
            client.sendall(GET)
            first = pid_of(read_until_body(client))
            program.signal(signal.SIGTERM)
            wait_for(lambda: refuses(address))
            client.sendall(b"GET /leave HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(pid_of(read_all(client)), first)
        self.assertEqual(program.end(), 0)
        self.assertTrue(program.has_said(f"worker-overdue .*pid={first}"), program.said)

    def test_who_connects_while_a_whole_process_group_is_told_to_end_is_answered(self) -> None:
        program = self.start()
        address = program.address()
        first = pid_of(get(address))
        # The signal reaches the worker first; it must not shut its ears before it knows whether they are the last.
        program.signal(signal.SIGSTOP)
        wait_for(lambda: has_stopped(program.process.pid))
        with connect(address) as client:
            client.sendall(b"GET /leave HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(pid_of(read_until_body(client)), first)
            clients = [connect(address) for _ in range(20)]
            for other in clients:
                self.addCleanup(other.close)
                other.sendall(LAST)
            program.signal(signal.SIGTERM)
            program.signal(signal.SIGCONT)
            for other in clients:
                self.assertEqual(pid_of(read_all(other)), first)
        self.assertEqual(program.end(), 0)

    def test_who_presses_ctrl_c_twice_does_not_wait(self) -> None:
        program = self.start("--grace", "20")
        address = program.address()
        with connect(address) as client:
            client.sendall(b"GET /slow?20 HTTP/1.1\r\nHost: a\r\n\r\n")
            program.wait_said("begun /slow")
            program.signal(signal.SIGINT)
            wait_for(lambda: refuses(address))  # it has heard the first
            program.signal(signal.SIGINT)
            self.assertEqual(program.end(), 0)

    def test_a_unix_socket_is_removed(self) -> None:
        path = os.path.join(self.folder(), "s")
        program = self.start(listen="unix:" + path)
        program.wait_said("serving on")
        get(path)
        program.signal(signal.SIGTERM)
        self.assertEqual(program.end(), 0)
        self.assertFalse(os.path.exists(path))

    def test_an_inherited_socket_is_left_open_and_its_queue_unread(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            address = listener.getsockname()
            number = listener.fileno()

            def inherit() -> Program:
                program = self.start(listen=f"fd:{number}", pass_fds=(number,))
                program.wait_said("serving on")
                return program

            first = inherit()
            worker = pid_of(get(address))
            first.signal(signal.SIGTERM)
            self.assertEqual(first.end(), 0)
            with connect(address) as client:
                client.sendall(GET)
                inherit()
                self.assertNotEqual(pid_of(read_until_body(client)), worker)


def read_until_body(client: socket.socket) -> bytes:
    """One answer of the test app on a connection that goes on."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(65536)
        if not piece:
            raise AssertionError(f"the connection ended after {head!r}")
        head += piece
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    missing = length - len(head.partition(b"\r\n\r\n")[2])
    return head + (read_exactly(client, missing) if missing else b"")


def read_exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += client.recv(size - len(data))
    return data


def has_stopped(pid: int) -> bool:
    """A process stops when the first of its threads sees the signal, which may take a moment."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return ") T " in file.read()


def cpu_seconds(pid: int) -> float:
    """What a process has used up of a processor so far (proc(5): utime and stime)."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def refuses(address: tuple[str, int]) -> bool:
    with socket.socket() as client:
        client.settimeout(PATIENCE)
        return client.connect_ex(address) != 0


if __name__ == "__main__":
    unittest.main()
