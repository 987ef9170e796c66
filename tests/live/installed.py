"""A booted machine with wxserve installed by ``make install`` and Nginx in front of it, with TLS."""

from __future__ import annotations

import json
import time
import unittest
from pathlib import Path
from typing import Any, Callable

from . import boot
from .guest import AUTHORITY, HOST

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = "/src"
GUEST = ("python3", "-B", f"{SOURCE}/tests/live/guest.py")
SERVICE = "wxserve.service"
# What the machine is slow at is the test's own: two cores, shared with everything else.
PATIENCE = 20.0

_TLS = f"""
cd /root
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -addext keyUsage=critical,keyCertSign \
    -keyout authority.key -out {AUTHORITY} 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN={HOST} -keyout key.pem -out request.pem 2>/dev/null
printf 'subjectAltName=DNS:{HOST}' > names
openssl x509 -req -days 60 -in request.pem -CA {AUTHORITY} -CAkey authority.key -CAcreateserial -extfile names \
    -out certificate.pem 2>/dev/null
install -d /etc/letsencrypt/live/{HOST}
cat certificate.pem {AUTHORITY} > /etc/letsencrypt/live/{HOST}/fullchain.pem
cp key.pem /etc/letsencrypt/live/{HOST}/privkey.pem
cp {AUTHORITY} /usr/local/share/ca-certificates/authority.crt
update-ca-certificates >/dev/null 2>&1
"""


def machine() -> boot.Machine:
    """Boot one for the module that is being set up. Raise SkipTest where that is impossible."""
    try:
        made = boot.root()
    except boot.Missing as missing:
        raise unittest.SkipTest(str(missing)) from None
    booted = boot.Machine(made, [f"{ROOT}:{SOURCE}"])
    booted.__enter__()
    unittest.addModuleCleanup(booted.__exit__, None, None, None)
    return booted


def install(booted: boot.Machine) -> None:
    """What somebody who follows the documentation does, certificate included."""
    booted.shell(f"echo 127.0.0.1 {HOST} >> /etc/hosts; cd {SOURCE}; make install")
    booted.shell("cp /opt/wxserve/current/nginx.conf /etc/nginx/conf.d/wxserve.conf; nginx -t; systemctl restart nginx")
    booted.shell(_TLS)
    booted.shell("sed -i 's/^#tls //' /etc/nginx/conf.d/wxserve.conf; nginx -t; systemctl reload nginx")


class Live(unittest.TestCase):
    """What tests ask a machine about; each leaves the service as it found it: installed, and serving when asked."""

    box: boot.Machine

    def guest(self, *words: str) -> Any:
        return json.loads(self.box.run(*GUEST, *words).stdout)

    def show(self, *names: str, unit: str = SERVICE) -> list[str]:
        return [self.box.shell(f"systemctl show --value -p {name} {unit}") for name in names]

    def main_pid(self) -> str:
        return self.show("MainPID")[0]

    def workers(self) -> list[str]:
        """The children of the main process."""
        return self.box.shell(f"ps -o pid= --ppid {self.main_pid()}", check=False).split()

    def journal(self, *more: str) -> str:
        return self.box.run("journalctl", "--no-pager", "-u", SERVICE, *more).stdout

    def assert_serves(self) -> None:
        """A signed POST gets its reply."""
        status, body = self.guest("post", "你好")
        self.assertEqual(status, 200, body)
        self.assertIn("<xml>", body)

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
        """Wait for *condition*; how long it took. Fail where it does not come."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                self.fail(f"not within {seconds} s: {what}\n{self.journal('-n', '30')}")
            time.sleep(0.1)
        return time.monotonic() - began

    def drop_in(self, text: str) -> None:
        """Change the service until the test's end."""
        folder = f"/run/systemd/system/{SERVICE}.d"
        self.box.write(f"{folder}/test.conf", text)
        self.box.shell("systemctl daemon-reload")
        self.addCleanup(self.box.shell, f"rm -r {folder}; systemctl daemon-reload; systemctl restart {SERVICE}")
