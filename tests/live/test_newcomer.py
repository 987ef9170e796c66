"""Somebody with a fresh Debian and docs/deploy.md, who types what stands there and nothing else."""

from __future__ import annotations

import re

from tests.live import boot, installed
from tests.live.installed import HOST, ROOT, SOURCE, Live

box: boot.Machine
# Reading is work: a fourth command needs a reason.
MOST_COMMANDS = 3


def setUpModule() -> None:
    global box  # noqa: PLW0603 - unittest's way to share what a module sets up
    box = installed.machine()


def commands(page: str, heading: str) -> list[str]:
    """The lines of the first block of commands below *heading*."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    found = re.search(rf"^#+ {heading}\n.*?^```sh\n(.*?)^```", text, re.M | re.S)
    assert found, heading
    return found[1].splitlines()


class Newcomer(Live):
    def setUp(self) -> None:
        self.box = box

    def test_three_commands_lead_to_a_verified_address_and_the_platform_s_check_of_it(self) -> None:
        typed = commands("deploy.md", "Debian and Ubuntu")
        self.assertLessEqual(len(typed), MOST_COMMANDS)
        box.shell(f"echo 127.0.0.1 {HOST} >> /etc/hosts")
        for line in typed:
            if line.startswith("apt-get"):  # there is no network inside; these packages are
                box.shell("dpkg -s make python3 nginx-light > /dev/null")
            else:
                box.shell(f"cd {SOURCE}; {line.replace('YOUR.DOMAIN', HOST)}")
        verified = [200, "4375120948345356249"]
        # Nginx reloads behind the command's back.
        self.wait_until(lambda: bool(self.guest("get", str(verified[1])) == verified), "a verified GET")
        self.assert_serves()
        box.run("wxserve", "doctor", "--url", f"http://{HOST}/weixin")

        box.shell("make -C /src install NAME=shop")
        self.assertIn("wxserve", box.shell("curl -s --unix-socket /run/shop.sock http://x/weixin"))
        self.assertEqual(box.run("shop", "check").returncode, 0)
        self.assertIn(" ok  unit", box.run("shop", "doctor", "unit").stdout)
        self.assertNotEqual(*box.shell("cat /etc/wxserve/secrets/token /etc/shop/secrets/token").split())

        for line in commands("deploy.md", "Another EncodingAESKey") + commands("deploy.md", "Another token"):
            box.shell(f"cd /etc/wxserve/secrets; {line}")
        self.assert_serves()
        self.assertIn("aes_key_previous = (43 characters)", box.run("wxserve", "check", "--dump").stdout)
