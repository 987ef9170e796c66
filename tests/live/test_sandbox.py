"""Inside the sandbox: a handler tries to get out, and what each drop-in gives back is really there."""

from __future__ import annotations

import re

from tests.live import boot, installed
from tests.live.installed import HOST, SERVICE, SOURCE, Live

box: boot.Machine
SHIPPED = f"/opt/wxserve/current/systemd/{SERVICE}.d"
# What makes the sandbox, as systemd understood it.
SANDBOX = (
    "User", "DynamicUser", "UMask", "LimitNOFILE", "LimitCORE", "ProtectSystem", "ProtectHome", "PrivateTmp",
    "PrivateDevices", "DevicePolicy", "PrivateMounts", "NoExecPaths", "ExecPaths", "InaccessiblePaths", "ProtectProc",
    "ProcSubset", "PrivateIPC", "RemoveIPC", "ProtectControlGroups", "ProtectKernelLogs", "ProtectKernelModules",
    "ProtectKernelTunables", "ProtectClock", "ProtectHostname", "NoNewPrivileges", "CapabilityBoundingSet",
    "AmbientCapabilities", "PrivateUsers", "RestrictSUIDSGID", "RestrictNamespaces", "RestrictRealtime",
    "LockPersonality", "KeyringMode", "MemoryDenyWriteExecute", "SystemCallArchitectures", "SystemCallFilter",
    "SystemCallErrorNumber", "PrivateNetwork", "RestrictAddressFamilies", "IPAddressDeny", "StateDirectory",
    "LoadCredential", "MemoryMax", "TasksMax",
)  # fmt: skip


def setUpModule() -> None:
    global box  # noqa: PLW0603 - unittest's way to share what a module sets up
    box = installed.machine()
    installed.install(box)
    box.shell(f"cp {SOURCE}/tests/live/probe_handler.py /etc/wxserve/handlers/; mkdir /home/somebody")
    box.shell("date > /home/somebody/diary; chmod -R a+rX /home/somebody; systemctl restart wxserve")


class Case(Live):
    def setUp(self) -> None:
        self.box = box

    def say(self, text: str) -> str:
        """What the handler for *text* answers."""
        status, body = self.guest("post", text)
        self.assertEqual(status, 200)
        found = re.search(r"<Content><!\[CDATA\[(.*)\]\]></Content>", body, re.S)
        self.assertIsNotNone(found, body + self.journal("-n", "20"))
        assert found is not None
        return found[1]

    def use(self, name: str) -> None:
        """Take a shipped drop-in into use until the test's end, the way that its first lines say."""
        folder = f"/etc/systemd/system/{SERVICE}.d"
        box.shell(f"install -D -m 644 {SHIPPED}/{name}.conf.example {folder}/{name}.conf")
        self.addCleanup(box.shell, f"rm -r {folder}; systemctl daemon-reload; systemctl restart {SERVICE}")
        done = box.run("sh", "-c", f"systemctl daemon-reload; systemctl restart {SERVICE}", check=False)
        self.assertEqual(done.returncode, 0, self.journal("-n", "20"))


class Inside(Case):
    def test_nothing_that_is_tried_succeeds(self) -> None:
        self.assertEqual(self.say("try"), "succeeded: ")

    def test_it_has_no_capability_and_can_get_none(self) -> None:
        status = dict(pair.split(":") for pair in self.say("status").split(";"))
        self.assertEqual({status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")}, {"0" * 16})
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_it_can_write_its_state_for_nobody_else(self) -> None:
        self.assertEqual(self.say("keep"), "0o600 /var/lib/wxserve/kept")
        self.assertEqual(box.shell("stat -c %a /var/lib/private/wxserve"), "700")

    def test_it_has_the_credentials_that_the_unit_names(self) -> None:
        self.assertEqual(self.say("credentials"), "aes_key aes_key_previous secret token")


class DropIns(Case):
    def test_outbound(self) -> None:
        self.use("20-outbound")
        self.assertEqual(self.say("outside"), "reached")
        self.assertEqual(self.say("try"), "succeeded: open a socket, open a socket of IPv6, connect")

    def test_a_root_of_its_own(self) -> None:
        self.use("10-root")
        self.assertEqual(self.say("try"), "succeeded: ")
        self.assertEqual(self.say("keep"), "0o600 /var/lib/wxserve/kept")
        box.run("wxserve", "check")
        self.assert_serves()
        box.shell(f"systemctl reload {SERVICE}; sleep 1; systemctl restart {SERVICE}")
        self.assert_serves()

    def test_a_secret_of_a_handler_s_own(self) -> None:
        box.write("/etc/wxserve/secrets/openai_key", "sk-1", "600")
        self.use("30-secret")
        self.assertIn("openai_key", self.say("credentials"))

    def test_programs_that_are_named(self) -> None:
        self.assertIn("PermissionError", self.say("date"))
        self.use("40-programs")
        self.assertRegex(self.say("date"), "^20[0-9]{2}$")
        self.assertEqual(self.say("try"), "succeeded: ")

    def test_tcp(self) -> None:
        folder, nginx = "/etc/systemd/system/wxserve.socket.d", "/etc/nginx/conf.d/wxserve.conf"
        shipped = SHIPPED.replace("service", "socket")
        again = "systemctl daemon-reload; systemctl restart wxserve.socket; nginx -t; systemctl restart nginx"
        box.shell(f"cp {nginx} /root/nginx.conf; install -D -m 644 {shipped}/10-tcp.conf.example {folder}/10-tcp.conf")
        self.addCleanup(box.shell, f"rm -r {folder}; cp /root/nginx.conf {nginx}; {again}")
        box.shell(f"sed -i 's/^    #server 127/    server 127/; s/^    server unix/    #server unix/' {nginx}; {again}")
        self.assert_serves()
        self.assertEqual(self.say("try"), "succeeded: ")


class Command(Case):
    def test_commands_run_as_the_service_and_not_as_root(self) -> None:
        """Every property of the sandbox is the same for the command `wxserve` and for the service."""
        box.write("/opt/wait.py", "import time\nprint('here', flush=True)\ntime.sleep(30)\n")
        running = box.start("env", "WXSERVE_PROGRAM=/opt/wait.py", "wxserve", "check")
        assert running.stdout is not None
        try:
            self.assertEqual(running.stdout.readline(), "here\n")
            unit = box.shell("systemctl list-units --plain --no-legend 'wxserve-command-*' | cut -d' ' -f1")
            for name in SANDBOX:
                with self.subTest(name):
                    # Of what is a set, systemd keeps no order.
                    command, service = self.show(name, unit=unit), self.show(name)
                    self.assertEqual([sorted(v.split()) for v in command], [sorted(v.split()) for v in service])
            self.assertEqual(box.shell(f"ps -o user= -p $(systemctl show --value -p MainPID {unit})"),
                             box.shell(f"ps -o user= -p {self.main_pid()}"))  # fmt: skip
        finally:
            box.shell(f"systemctl stop {unit}")
            running.communicate(timeout=30)

    def test_exit_status_input_and_output_are_the_command_s(self) -> None:
        self.assertEqual(box.run("wxserve", "explain", "mumble", check=False).returncode, 1)
        self.assertEqual(box.run("wxserve", "nonsense", check=False).returncode, 2)
        line = "GET /weixin?signature=00&timestamp=1&nonce=2 HTTP/1.0"
        done = box.run("wxserve", "doctor", "request", "--request", "-", stdin=line, check=False)
        self.assertIn("WX-SIG-02", done.stdout)

    def test_what_ends_the_command_ends_what_it_started(self) -> None:
        """Ctrl-C behind a pipe, and a terminal that is gone: systemd-run alone would leave it running for ever."""
        for name in ("INT", "TERM", "HUP"):
            with self.subTest(name):
                box.shell("rm -f /run/said")
                words = f"timeout --preserve-status -s {name} 30 wxserve doctor --watch > /run/said 2>&1"
                running = box.start("sh", "-c", f"{words} & echo $!; wait $!; echo $?")
                assert running.stdout is not None
                pid = running.stdout.readline().strip()
                self.wait_until(lambda: "Ctrl-C" in box.shell("cat /run/said"), "the command waiting")
                box.shell(f"kill -{name} {pid}")
                said, _ = running.communicate(timeout=60)
                self.assertIn(int(said), (0, 1))  # to systemd an end by a signal is a clean one
                self.assertEqual(box.shell("systemctl list-units --plain --no-legend 'wxserve-command-*'"), "")
                self.assertNotIn("--watch", box.shell("ps -eo args | grep '[d]octor' || true"))

    def test_only_what_asks_somebody_outside_has_a_network(self) -> None:
        address = f"http://{HOST}/weixin"
        for words in (
            ("--lang", "zh", "doctor", "http", "--url", address),
            ("--json", "doctor", "http", "--url", address),
            ("send", "text", "hello", "--to", address),
            ("--lang=zh", "send", "text", "hello", f"--to={address}"),
        ):
            with self.subTest(words):
                done = box.run("wxserve", *words, check=False)
                self.assertEqual(done.returncode, 0, done.stdout)
        box.write("/opt/net.py", "import socket\nsocket.create_connection(('127.0.0.1', 80))\n")
        for words, reached in ((("doctor",), True), (("--lang", "doctor", "send", "text", "doctor"), False)):
            with self.subTest(words):
                done = box.run("env", "WXSERVE_PROGRAM=/opt/net.py", "wxserve", *words, check=False)
                self.assertEqual(done.returncode == 0, reached, done.stdout)

    def test_what_looks_back_sees_the_service_s_own_state(self) -> None:
        self.assertEqual(self.say("keep"), "0o600 /var/lib/wxserve/kept")
        self.wait_until(lambda: "keep" in box.shell("wxserve deliveries"), "the message in the list")
        self.assertRegex(box.shell("wxserve stats"), r"messages [1-9]")
        self.assertIn("deleted", box.shell("wxserve forget oyORnuP8q7ou2gfYjqLzSIWZf0rs"))
        self.assertNotIn("keep", box.shell("wxserve deliveries"))
        self.assertEqual(box.shell("find /var/lib/private/wxserve -user root"), "", "nothing of root's among it")

    def test_only_root_may(self) -> None:
        done = box.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "wxserve", "check", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("only root", done.stderr)
