"""The service under a real systemd: started by its socket, restarted under load, killed, wedged, upgraded and back."""

from __future__ import annotations

import json
import re
import subprocess
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.live import boot, installed
from tests.live.installed import GUEST, SERVICE, SOURCE, Live

box: boot.Machine
SOCKET = "wxserve.socket"


def setUpModule() -> None:
    global box  # noqa: PLW0603 - unittest's way to share what a module sets up
    box = installed.machine()
    installed.install(box)


class Case(Live):
    def setUp(self) -> None:
        self.box = box

    @contextmanager
    def load(self) -> Iterator[dict[str, Any]]:
        """Requests all the while; in the end the outcome is in what is yielded."""
        outcome: dict[str, Any] = {}
        stop = "/run/stop-load"
        box.shell(f"rm -f {stop}")
        running = box.start(*GUEST, "load", stop)
        assert running.stdout is not None
        try:
            running.stdout.readline()
            yield outcome
        finally:
            box.shell(f"touch {stop}")
            said, _ = running.communicate(timeout=60)
        outcome.update(json.loads(said))


class Starting(Case):
    def test_the_socket_starts_the_service_for_the_first_request(self) -> None:
        box.shell(f"systemctl stop {SOCKET} {SERVICE}; systemctl start {SOCKET}")
        self.assertEqual(self.show("ActiveState"), ["inactive"])
        self.assert_serves()
        # The worker answers at once; that it is ready is said a moment later.
        self.wait_until(lambda: self.show("ActiveState", "StatusText") == ["active", "workers=1"], "it is active")

    def test_the_check_of_the_platform_and_a_push_through_nginx_with_tls(self) -> None:
        self.assertEqual(self.guest("get", "4375120948345356249", "tls"), [200, "4375120948345356249"])
        status, body = self.guest("post", "你好", "tls")
        self.assertEqual(status, 200)
        self.assertIn("<ToUserName><![CDATA[oyORnuP8q7ou2gfYjqLzSIWZf0rs]]></ToUserName>", body)

    def test_the_units_are_right_and_tight(self) -> None:
        units = (SERVICE, SOCKET, "wxserve-admin.socket")
        said = box.run("systemd-analyze", "verify", *(f"/etc/systemd/system/{unit}" for unit in units))
        self.assertEqual((said.stdout, said.stderr), ("", ""))
        shipped = f"{SOURCE}/systemd"
        box.shell(f"systemd-analyze security --offline=true --threshold=2 {shipped}/{SERVICE}")
        for name, tenths in (("10-root", 1), ("20-outbound", 11), ("30-secret", 2), ("40-programs", 2)):
            box.shell(f"rm -rf /tmp/u; cp -r {shipped} /tmp/u")
            box.shell(f"cd /tmp/u/{SERVICE}.d; mv {name}.conf.example {name}.conf")
            with self.subTest(name):
                said = box.run("systemd-analyze", "verify", f"/tmp/u/{SERVICE}")
                self.assertEqual((said.stdout, said.stderr), ("", ""))
                box.shell(f"systemd-analyze security --offline=true --threshold={tenths} /tmp/u/{SERVICE}")

    def test_the_doctor_finds_nothing_to_complain_about(self) -> None:
        self.assert_serves()
        for url, absent in ((f"http://{installed.HOST}/weixin", ["request", "tls"]),
                            (f"https://{installed.HOST}/weixin", ["request"]),
                            (f"https://{installed.HOST}/weixin/", ["request"])):  # fmt: skip
            with self.subTest(url):
                said = box.run("wxserve", "--lang", "zh", "doctor", "--json", "--url", url, check=False)
                rows = {row["group"]: row["result"] for row in json.loads(said.stdout)}
                self.assertEqual([group for group, result in rows.items() if result != "ok"], absent, said.stdout)
                self.assertEqual((said.returncode, len(rows)), (0, 13))

    def test_a_service_that_was_mended_is_well(self) -> None:
        """systemd counts its restarts on; and while they go on, the doctor says so."""
        broken = "/etc/wxserve/handlers/broken.py"
        box.shell(f"echo nonsense > {broken}; systemctl restart {SERVICE} || true")
        self.addCleanup(box.shell, f"rm -f {broken}; systemctl restart {SERVICE}")
        self.wait_until(lambda: int(self.show("NRestarts")[0]) >= 5, "five restarts")
        said = box.run("wxserve", "doctor", "unit", check=False)
        self.assertIn("WX-OPS-01", said.stdout)
        box.shell(f"rm {broken}")
        self.assert_serves()
        self.assertGreaterEqual(int(self.show("NRestarts")[0]), 5)
        self.wait_until(lambda: not box.run("wxserve", "doctor", "unit", check=False).returncode, "a well unit")

    def test_the_console_by_the_lines_at_the_top_of_its_socket(self) -> None:
        unit = "/etc/systemd/system/wxserve-admin.socket"
        self.assertEqual(box.shell("systemctl is-enabled wxserve-admin.socket", check=False), "disabled")
        self.assertEqual(box.run("systemd-analyze", "verify", unit).stderr, "")
        self.addCleanup(box.shell, "systemctl disable --now wxserve-admin.socket; systemctl restart wxserve.service")
        lines = re.findall(r"^#   (systemctl .*|cat .*?)(?:  .*)?$", box.shell(f"cat {unit}"), re.M)
        self.assertEqual(len(lines), 2)
        url = box.shell("; ".join(lines)).splitlines()[-1]
        self.assertRegex(url, r"^http://127\.0\.0\.1:9528/#k=")
        metrics = "curl -s http://127.0.0.1:9528/metrics"
        self.wait_until(lambda: "wxserve_build_info" in box.shell(metrics), "metrics")  # a worker counts every second
        self.assertRegex(box.shell(metrics), r"\nprocess_resident_memory_bytes [0-9]{7,}\n")
        self.assertNotIn(url.partition("#k=")[2], self.journal())
        self.assert_serves()

    def test_a_console_that_cannot_be_bound_inside_the_sandbox_is_a_warning(self) -> None:
        box.shell("cp -p /etc/wxserve/wxserve.ini /root/kept")
        self.addCleanup(box.shell, f"cp -p /root/kept /etc/wxserve/wxserve.ini; systemctl restart {SERVICE}")
        box.shell(f"sed -i 's/^# console = auto/console = on/' /etc/wxserve/wxserve.ini; systemctl restart {SERVICE}")
        self.assert_serves()
        self.assertRegex(self.journal("-p", "warning", "-o", "cat", "-n", "20"), r"WARN +console code=WX-CFG-14")

class Restarting(Case):
    def test_no_request_fails_while_it_is_restarted_and_reloaded_ten_times(self) -> None:
        with self.load() as outcome:
            for _ in range(10):
                box.shell(f"systemctl restart {SERVICE}")
            workers = self.workers()
            for _ in range(10):
                box.shell(f"systemctl reload {SERVICE}; sleep 0.1")
            self.wait_until(lambda: not set(workers) & set(self.workers()), "new workers")
        self.assertEqual(outcome["bad"], [])
        self.assertGreater(outcome["good"], 200)
        self.assertEqual(self.show("NRestarts"), ["0"])

    def test_what_was_killed_comes_back(self) -> None:
        self.assert_serves()
        main = self.main_pid()
        box.shell(f"kill -9 {self.workers()[0]}")
        self.wait_until(lambda: len(self.workers()) == 1, "a new worker")
        self.assert_serves()
        self.assertEqual(self.main_pid(), main)
        box.shell(f"kill -9 {main}")
        self.assert_serves()
        self.assertNotEqual(self.main_pid(), main)

    def test_a_wedged_worker_is_replaced(self) -> None:
        self.assert_serves()
        main, (worker,) = self.main_pid(), self.workers()
        box.shell(f"kill -STOP {worker}")
        self.wait_until(lambda: self.workers() not in ([worker], []), "another worker")
        self.assert_serves()
        self.assertEqual(self.main_pid(), main)

    def test_the_watchdog_ends_a_wedged_supervisor(self) -> None:
        self.drop_in("[Service]\nWatchdogSec=2\n")
        box.shell(f"systemctl restart {SERVICE}")
        main = self.main_pid()
        box.shell(f"kill -STOP {main}")
        self.wait_until(lambda: self.main_pid() not in ("0", main), "another main process")
        self.assert_serves()
        self.assertIn("watchdog", self.journal("-n", "30").lower())

    def test_a_faulty_configuration_is_mended_by_mending_it(self) -> None:
        self.assert_serves()
        box.shell("cp /etc/wxserve/wxserve.ini /root/kept; printf '[server]\\nport = 1\\n' >> /etc/wxserve/wxserve.ini")
        self.addCleanup(box.shell, "cp /root/kept /etc/wxserve/wxserve.ini")
        self.assertNotEqual(box.run("systemctl", "restart", SERVICE, check=False).returncode, 0)
        said = self.journal("-n", "20", "-p", "err", "-o", "cat")
        self.assertRegex(said, r"(?m)^ERROR config code=WX-CFG-09 at=/etc/wxserve/wxserve\.ini:\d+ error=.* fix=")
        box.shell("cp /root/kept /etc/wxserve/wxserve.ini")
        self.assert_serves()


class Secrets(Case):
    def setUp(self) -> None:
        super().setUp()
        self.assert_serves()
        self.secrets = box.shell("cat /etc/wxserve/secrets/token /etc/wxserve/secrets/aes_key").split()

    def test_they_are_the_service_s_own(self) -> None:
        self.assertEqual(box.shell("stat -c '%a %U' /etc/wxserve/secrets /etc/wxserve/secrets/*").splitlines(),
                         ["700 root", "600 root", "600 root"])  # fmt: skip
        folder = f"/run/credentials/{SERVICE}"
        uid = box.shell(f"ps -o uid= -p {self.main_pid()}").strip()
        self.assertNotEqual(uid, "0")
        self.assertIn(self.secrets[0], self.read_as(uid, f"{folder}/token").stdout)
        self.assertIn("Permission denied", self.read_as("65534", f"{folder}/token").stderr)

    def read_as(self, uid: str, path: str) -> subprocess.CompletedProcess[str]:
        return box.run("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "cat", path, check=False)

    def test_they_stand_in_no_environment_and_no_command_line(self) -> None:
        for pid in (self.main_pid(), *self.workers()):
            seen = box.shell(f"cat /proc/{pid}/environ /proc/{pid}/cmdline | tr '\\0' ' '")
            self.assertIn("CREDENTIALS_DIRECTORY", seen)
            for secret in self.secrets:
                self.assertNotIn(secret, seen)

    def test_the_journal_has_priorities_and_no_secret(self) -> None:
        box.run("curl", "-s", f"http://{installed.HOST}/weixin?signature=0&timestamp=1&nonce=nonceshown&echostr=5")
        box.run("python3", "-B", f"{SOURCE}/tests/live/guest.py", "post", "hello")
        self.wait_until(lambda: "delivery" in self.journal(), "a line about the delivery")
        rows = [json.loads(line) for line in self.journal("-o", "json").splitlines()]
        priorities = {}
        for row in rows:
            text = row["MESSAGE"] if isinstance(row["MESSAGE"], str) else bytes(row["MESSAGE"]).decode()
            if row.get("SYSLOG_IDENTIFIER") == "wxserve":
                event = re.match(r"(?:INFO|WARN|ERROR) +(\w+)", text)
                priorities.setdefault(event[1] if event else "", set()).add(row["PRIORITY"])
            for word in (*self.secrets, "nonceshown", "echostr"):
                self.assertNotIn(word, text)
        self.assertEqual(priorities["delivery"], {"6"})
        self.assertEqual(priorities["refused"], {"4"})


class Upgrading(Case):
    def copy(self, change: str) -> str:
        """Sources with something changed in them."""
        folder = "/root/sources"
        box.shell(f"rm -rf {folder}; mkdir {folder}; cd {SOURCE}; cp -r wxserve.py weixin handlers systemd nginx.conf "
                  f"Makefile LICENSE {folder}; cd {folder}; {change}")  # fmt: skip
        return folder

    def current(self) -> str:
        return box.shell("readlink /opt/wxserve/current")

    def test_a_new_release_takes_over_without_losing_a_request(self) -> None:
        before = self.current()
        with self.load() as outcome:
            box.shell(f"cd {self.copy('echo >> weixin/__init__.py')}; make upgrade")
            self.assertNotEqual(self.current(), before)
            box.shell(f"cd {SOURCE}; make upgrade")
        self.assertEqual(outcome["bad"], [])
        self.assertEqual(self.current(), before)

    def test_the_group_of_nginx_can_be_changed_later(self) -> None:
        for group in ("daemon", "www-data"):
            box.shell(f"cd {SOURCE}; make install NGINX_GROUP={group}")
            self.assertEqual(box.shell("stat -c %G /run/wxserve.sock"), group)
        self.assert_serves()

    def test_the_group_of_nginx_is_found_where_others_call_it_otherwise(self) -> None:
        """RHEL and its like have a user nginx; a machine whose Nginx comes later has neither."""
        box.shell("cp /etc/nginx/nginx.conf /etc/group /root; groupadd -r nginx; useradd -r -g nginx nginx")
        self.addCleanup(box.shell, "cp /root/nginx.conf /etc/nginx/; userdel nginx; cp /root/group /etc/group")
        for change, group in (
            ("sed -i 's/^user .*/user nginx;/' /etc/nginx/nginx.conf", "nginx"),
            ("echo 'user  nobody  nginx;' > /etc/nginx/nginx.conf", "nginx"),
            ("rm /etc/nginx/nginx.conf", "www-data"),
            ("sed -i /^www-data:/d /etc/group", "nginx"),
            ("sed -i /^nginx:/d /etc/group", "root"),
        ):
            said = box.shell(f"{change}; rm -rf /tmp/stage; make -C {SOURCE} install DESTDIR=/tmp/stage")
            self.assertEqual(box.shell("sed -n s/^SocketGroup=//p /tmp/stage/etc/systemd/system/wxserve.socket"), group)
            self.assertEqual("no group of Nginx was found" in said, group == "root")

    def test_installing_again_mends_and_changes_nothing_else(self) -> None:
        self.assert_serves()
        before = self.main_pid(), self.current(), box.shell("cat /etc/wxserve/secrets/token")
        box.shell("rm /usr/local/bin/wxserve")
        self.assertIn("is what runs already", box.shell(f"cd {SOURCE}; make install"))
        self.assertEqual((self.main_pid(), self.current(), box.shell("cat /etc/wxserve/secrets/token")), before)
        box.run("wxserve", "check")

    def test_a_release_that_does_not_pass_its_check_changes_nothing(self) -> None:
        before = self.current(), self.main_pid()
        folder = self.copy("echo 'raise RuntimeError' >> weixin/commands/check.py")
        done = box.run("make", "-C", folder, "upgrade", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("does not pass check", done.stdout)
        self.assertEqual((self.current(), self.main_pid()), before)

    def test_a_release_that_does_not_come_up_is_rolled_back(self) -> None:
        self.assert_serves()
        before = self.current()
        with self.load() as outcome:
            folder = self.copy("echo 'raise RuntimeError' >> weixin/commands/run.py")
            done = box.run("make", "-C", folder, "upgrade", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("is back and serves", done.stdout)
        self.assertEqual(self.current(), before)
        # Two starts on a busy machine may take longer than WeChat waits: then it asks again. Nobody is refused.
        self.assertEqual([bad for bad in outcome["bad"] if bad[0] != "TimeoutError"], [])
        self.assertEqual(box.shell("ls /opt/wxserve/releases").split().count(before.split("/")[1]), 1)
        self.assert_serves()


class Removing(unittest.TestCase):
    def test_uninstall_leaves_configuration_and_state(self) -> None:
        """On a machine of its own: the others need theirs."""
        with boot.Machine(boot.root(), [f"{installed.ROOT}:{SOURCE}"], "gone") as spare:
            spare.shell(f"cd {SOURCE}; make install; curl -s --unix-socket /run/wxserve.sock http://x/weixin")
            said = spare.shell(f"cd {SOURCE}; make uninstall")
            self.assertIn("Kept: /etc/wxserve", said)
            gone = "/opt/wxserve /usr/local/bin/wxserve /etc/systemd/system/wxserve* /run/wxserve.sock"
            left = spare.shell(f"ls -d {gone} /etc/wxserve/secrets/token /var/lib/wxserve 2>/dev/null", check=False)
            self.assertEqual(left.split(), ["/etc/wxserve/secrets/token", "/var/lib/wxserve"])
            self.assertNotIn("wxserve", spare.shell("systemctl list-units --all 'wxserve*' --plain --no-legend"))


if __name__ == "__main__":
    unittest.main()
