"""Nginx with the shipped file: what WeChat and strangers get while wxserve is well, down, silent or full."""

from __future__ import annotations

import json
import shlex

from tests.live import boot, installed
from tests.live.installed import GUEST, HOST, SERVICE, Live

box: boot.Machine
UNITS = f"wxserve.socket {SERVICE}"
CLOSED = "56"  # curl: the connection was reset
NOTHING = "52"  # curl: an empty reply


def setUpModule() -> None:
    global box  # noqa: PLW0603 - unittest's way to share what a module sets up
    box = installed.machine()
    installed.install(box)


class Case(Live):
    def setUp(self) -> None:
        self.box = box

    def curl(self, path: str, *more: str, host: str = HOST) -> str:
        """The status and length of what curl got, or its exit status."""
        command = ["curl", "-s", "-m", "9", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", *more]
        done = box.run(*command, f"http://{host}{path}", check=False)
        return done.stdout if done.returncode == 0 else f"exit {done.returncode}"


class Well(Case):
    def test_one_address_and_no_other(self) -> None:
        page = self.curl("/weixin")
        self.assertRegex(page, "^200 ")
        for path in ("/weixin/", "//weixin", "/%77eixin", "/x/../weixin"):
            with self.subTest(path):
                self.assertEqual(self.curl(path, "--path-as-is"), page)
        for path in ("/", "/.env", "/weixin/x", "/weixin.php", "/.well-known/acme-challenge/none"):
            with self.subTest(path):
                self.assertIn(self.curl(path), (f"exit {CLOSED}", f"exit {NOTHING}"))

    def test_true_statuses_pass_without_a_page(self) -> None:
        self.assertEqual(self.curl("/weixin?signature=0&timestamp=1&nonce=2"), "403 0")
        self.assertEqual(self.curl("/weixin", "-X", "DELETE"), "405 0")
        box.shell("head -c 65537 /dev/zero > /tmp/large; head -c 65536 /dev/zero > /tmp/fits")
        self.assertEqual(self.curl("/weixin", "--data-binary", "@/tmp/large"), "413 0")
        self.assertEqual(self.curl("/weixin", "--data-binary", "@/tmp/fits"), "403 0")

    def test_other_sites_are_left_alone(self) -> None:
        self.assertRegex(self.curl("/", host="127.0.0.1"), "^200 ")
        self.assertRegex(self.curl("/weixin", host="127.0.0.1"), "^404 ")

    def test_a_certificate_can_be_had_from_the_plain_server(self) -> None:
        box.write("/var/www/html/.well-known/acme-challenge/token", "proof")
        self.assertEqual(self.curl("/.well-known/acme-challenge/token"), "200 5")

    def test_strangers_meet_a_limit_and_wechat_does_not(self) -> None:
        many = "for i in $(seq 60); do curl -s -o /dev/null -w '%{http_code}\\n' {}; done | sort | uniq -c"
        strange = box.shell(many.replace("{}", f"http://{HOST}/weixin"))
        self.assertIn("429", strange)
        signed = f"http://{HOST}/weixin?signature={'0' * 40}\\&timestamp=1700000000\\&nonce=1"
        self.assertEqual(box.shell(many.replace("{}", signed)).split(), ["60", "403"])
        box.shell("sleep 11")  # the limit's memory: 20 at 2 a second

    def test_the_log_has_times_and_no_query(self) -> None:
        self.curl("/weixin?signature=shownsignature&timestamp=1&nonce=2&openid=shownuser")
        log = box.shell("cat /var/log/nginx/wxserve.log; cat /var/log/nginx/error.log")
        self.assertRegex(log, r"GET /weixin 403 \d+ 0 rt=\d\.\d{3} urt=\d\.\d{3} us=403")
        self.assertNotIn("shown", log)

    def test_what_a_client_says_of_itself_is_replaced(self) -> None:
        self.curl("/weixin?signature=0&timestamp=1&nonce=2", "-H", "X-Forwarded-For: 203.0.113.99")
        box.shell("journalctl --sync")
        self.assertNotIn("203.0.113.99", self.journal())


class Unwell(Case):
    """docs/deploy.md has the table of what is proved here."""

    def test_stopped(self) -> None:
        box.shell(f"systemctl stop {UNITS}")
        try:
            self.assertEqual(self.curl("/weixin?signature=shownsignature&openid=shownuser"), "502 0")
            box.shell("systemctl start wxserve.socket; chgrp root /run/wxserve.sock")
            self.assertEqual(self.curl("/weixin?signature=shownsignature&openid=shownuser"), "502 0")
        finally:
            box.shell("systemctl restart wxserve.socket")
        self.assertNotIn("shown", box.shell("cat /var/log/nginx/*.log"))
        self.assert_serves()

    def test_silent(self) -> None:
        self.assert_serves()
        pids = " ".join([self.main_pid(), *self.workers()])
        box.shell(f"kill -STOP {pids}")
        try:
            self.assertEqual(self.curl("/weixin"), "504 0")
            self.assertEqual(self.curl("/weixin", "-m", "1"), "exit 28")
        finally:
            box.shell(f"kill -CONT {pids}")
        self.assertIn(" 499 ", box.shell("tail -n 1 /var/log/nginx/wxserve.log"))
        self.assert_serves()

    def test_full(self) -> None:
        self.assert_serves()
        pids = " ".join([self.main_pid(), *self.workers()])
        stop = "/run/stop-fill"
        box.shell(f"rm -f {stop}; kill -STOP {pids}")
        filling = box.start(*GUEST, "fill", "/run/wxserve.sock", stop)
        assert filling.stdout is not None
        try:
            self.assertEqual(filling.stdout.readline(), "full\n")
            self.assertEqual(self.curl("/weixin"), "502 0")
        finally:
            box.shell(f"touch {stop}; kill -CONT {pids}")
            said, _ = filling.communicate(timeout=30)
        self.assertGreater(int(said), 1000)
        self.assert_serves()

    def test_killed(self) -> None:
        """What is under way breaks; what comes next waits for the next process."""
        handler = "import time\nfrom wxserve import on\n\n@on.text('long')\ndef long():\n"
        handler += "    print('the long one has begun', flush=True)\n    time.sleep(4)\n    return 'done'\n"
        box.write("/etc/wxserve/handlers/long.py", handler)
        self.addCleanup(box.shell, f"rm -f /etc/wxserve/handlers/long.py; systemctl restart {SERVICE}")
        box.shell(f"systemctl restart {SERVICE}")
        asking = box.start(*GUEST, "post", "long", "", "9")
        try:
            self.wait_until(lambda: "the long one has begun" in self.journal(), "a request under way")
            box.shell(f"kill -9 {self.workers()[0]}")
        finally:
            said, _ = asking.communicate(timeout=30)
        self.assertEqual(json.loads(said), [502, ""])
        self.assert_serves()

    def test_slow(self) -> None:
        """A handler takes longer than WeChat waits: the first delivery ends in silence, the next has the answer."""
        handler = "import time\nfrom wxserve import on\n\n@on.text('slow')\ndef slow():\n"
        handler += "    time.sleep(7)\n    return 'done'\n"
        box.write("/etc/wxserve/handlers/slow.py", handler)
        self.addCleanup(box.shell, f"rm -f /etc/wxserve/handlers/slow.py; systemctl restart {SERVICE}")
        box.shell(f"systemctl restart {SERVICE}; echo -n > /var/log/nginx/wxserve.log")
        (first, _), (second, body) = self.guest("deliver", "slow")
        self.assertEqual((first, second), ("TimeoutError", 200))
        self.assertIn("done", body)
        seen = [line.split()[4] for line in box.shell("cat /var/log/nginx/wxserve.log").splitlines()]
        self.assertEqual(seen, ["499", "200"])

    def test_restarting(self) -> None:
        """A request that comes while nobody serves waits for whoever comes next."""
        box.shell(f"systemctl stop {SERVICE}")
        self.assert_serves()

    def test_faulty(self) -> None:
        """While it cannot start, requests wait, and are answered when the fault is mended."""
        box.shell("echo nonsense > /etc/wxserve/handlers/broken.py; systemctl restart wxserve || true")
        self.addCleanup(box.shell, "rm -f /etc/wxserve/handlers/broken.py")
        self.assertEqual(self.curl("/weixin"), "504 0")
        asking = box.start("sh", "-c", "sleep 0.5; rm /etc/wxserve/handlers/broken.py")
        try:
            status, body = self.guest("post", "你好")
        finally:
            asking.communicate(timeout=30)
        self.assertEqual(status, 200, body)


class Told(Case):
    def test_the_doctor_tells_these_states_apart(self) -> None:
        asked = ["wxserve", "doctor", "http", "unit", "--url", f"http://{HOST}/weixin"]
        box.shell(f"systemctl stop {UNITS}")
        try:
            said = box.run(*asked, check=False).stdout
        finally:
            box.shell("systemctl start wxserve.socket")
        self.assertIn("WX-OPS-01 the systemd service: wxserve.socket does not listen (inactive)", said)
        self.assertIn("WX-NET-08 the address answers 502", said)
        self.assertEqual(box.run(*asked, check=False).returncode, 0, shlex.join(asked))
