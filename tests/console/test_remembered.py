"""WeChat's own deliveries in the console's list, as the store has them, and the page's own only once."""

from __future__ import annotations

import unittest
from typing import Any

from tests.console.rig import Client, Rig, until
from weixin.simulator import Account, Delivery, Http, Platform
from weixin.simulator.samples import USER

REAL = "oREAL00000000000000001"


class Case(unittest.TestCase):
    content = "full"
    rig: Rig
    client: Client

    @classmethod
    def setUpClass(cls) -> None:
        cls.rig = Rig(store="sqlite:wx.db", content=cls.content)
        cls.addClassCleanup(cls.rig.close)
        cls.client = cls.rig.client()

    def push(self, kind: str, *words: str, fault: str = "", token: str = "", user: str = REAL) -> Delivery:
        """What WeChat does: without the console's header, on whatever listener."""
        account = Account(token or self.rig.settings.token)
        platform = Platform(account)
        made = platform.push(kind, *words, user=user)
        return platform.deliver(made, Http(f"unix:{self.rig.base}/private.sock"), fault=fault)

    def rows(self, **wanted: Any) -> list[dict[str, Any]]:
        rows = self.client.json("/api/deliveries")["deliveries"]
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def found(self, **wanted: Any) -> dict[str, Any]:
        until(lambda: bool(self.rows(done=True, **wanted)))
        return self.rows(done=True, **wanted)[-1]


class Full(Case):
    def test_a_message_of_wechats_is_listed_with_its_rule_and_its_time(self) -> None:
        self.push("text", "今天天气")
        row = self.found(live=True, text="今天天气")
        self.assertEqual((row["outcome"], row["rule_at"]), ("reply", "replies.ini:4"))
        self.assertNotIn("oREAL0000", row["user"])
        self.assertEqual(row["bubble"]["text"], "上海 晴 26°C")
        found = self.client.json("/api/deliveries/" + row["id"])
        self.assertIn("<Content>", found["xml"])
        self.assertEqual(found["candidates"][0]["name"], "[包含: 天气]")

    def test_it_can_be_replayed_and_copied(self) -> None:
        self.push("text", "你好")
        row = self.found(live=True, text="你好")
        again = self.client.wait(self.client.json("/api/replay/" + row["id"], {})["id"])
        self.assertEqual((again["outcome"], again["replay_of"]), ("reply", row["id"]))
        chat = self.client.json("/api/deliveries/" + row["id"])["copies"]["chat"]
        self.assertTrue(chat.startswith("> 你好\n"), chat)

    def test_a_push_of_the_pages_own_is_listed_once(self) -> None:
        sent = self.client.send(words=["独一无二"])
        self.push("text", "之后")
        self.found(live=True, text="之后")
        self.assertEqual([row["id"] for row in self.rows(text="独一无二")], [sent["id"]])

    def test_what_another_process_sent_as_a_simulators_user_is_not_wechats(self) -> None:
        self.push("text", "你好，别处", user=USER)
        row = self.found(text="你好，别处")
        self.assertEqual((row["live"], row["user"], row["outcome"]), (False, USER, "reply"))
        again = self.client.wait(self.client.json("/api/replay/" + row["id"], {})["id"])
        self.assertEqual((again["outcome"], again["user"]), ("reply", USER))

    def test_the_users_state_is_shown_as_it_was_before_and_after(self) -> None:
        states = [self.client.send(words=["记住"])["state"] for _ in range(2)]
        self.assertEqual(states, [[{}, {"n": "1"}], [{"n": "1"}, {"n": "2"}]])

    def test_an_answer_of_the_pages_own_is_judged_here_alone(self) -> None:
        sent = self.client.send(words=["无网址"])
        record = self.rig.console.ledger.get(sent["id"])
        until(lambda: bool(self.rows() and record and record.stored))
        self.assertEqual(self.rows(id=sent["id"])[0]["code"], "")

    def test_a_refused_request_is_listed_with_its_code(self) -> None:
        self.push("text", "x", token="another1")
        row = self.found(live=True, outcome="refused")
        self.assertEqual(row["code"], "WX-SIG-02")

    def test_hits_are_the_stores(self) -> None:
        self.push("text", "你好")
        self.found(live=True, text="你好")
        self.rig.application._store.flush()
        rules = self.client.json("/api/rules")["rules"]
        self.assertGreater(next(rule for rule in rules if rule["at"] == "replies.ini:1")["hits"], 0)


class Short(Case):
    content = "short"

    def test_what_was_not_kept_cannot_be_replayed_and_the_page_is_told_why(self) -> None:
        self.push("text", "一二三四五六七八九十" * 3)
        row = self.found(live=True, text="一二三四五六七八九十" * 2 + "…")
        self.assertEqual(self.client.json("/api/deliveries/" + row["id"])["xml"], "")
        self.assertEqual(self.client.ask("POST", "/api/replay/" + row["id"], {}).status, 409)

    def test_a_push_of_the_pages_own_is_listed_once(self) -> None:
        self.client.send(words=["自己的"])
        self.push("text", "之后")
        self.found(live=True, text="之后")
        self.assertEqual([row["live"] for row in self.rows(text="自己的")], [False])


if __name__ == "__main__":
    unittest.main()
