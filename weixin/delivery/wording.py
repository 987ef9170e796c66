"""What is said to a user, in bytes: a reply with the mail that fits behind it, the busy text, a letter for later."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Callable

from ..store import Store
from ..store.base import Mail
from ..texts import say
from ..wire.messages import Message
from ..wire.replies import SUCCESS, Finding, Reply, Success, Text, fits
from . import mailbox
from .run import Run
from .terms import Terms

if TYPE_CHECKING:
    from ..routing.rules import Rule

_log = logging.getLogger("wxserve.delivery")

# No mail goes in or out.
_NOTHING = mailbox.Handed()


class Wording:
    """The words of one desk."""

    def __init__(
        self,
        store: Store,
        terms: Terms,
        clock: Callable[[], float],
        notice: Callable[[Message, Finding], None] | None,
    ) -> None:
        """*notice* hears what is wrong with replies."""
        self._store = store
        self._terms = terms
        self._clock = clock
        self._notice = notice

    def rendered(self, run: Run, reply: Reply) -> tuple[bytes, mailbox.Handed]:
        """The bytes of *reply* to the message, with the mail that fits behind it."""
        message, now, terms = run.message, int(self._clock()), self._terms
        if self._notice is not None:
            for finding in reply.lint():
                # What is cut for the mailbox is whole, and an event may be answered with several articles.
                cut = finding.code == "WX-RPL-01" and terms.split
                if not (cut or (finding.code == "WX-RPL-02" and message.type == "event")):
                    run.finding = run.finding or finding.code
                    self._notice(message, finding)
        if not isinstance(reply, Text) or not message.accepts_reply:
            return reply.render(message, now), _NOTHING
        mail = self._store.mail(message.account, message.user)
        if not mail and fits(reply.content):
            return reply.render(message, now), _NOTHING
        handed = mailbox.with_mail(reply.content, mail, terms.split, terms.pickup, terms.lang)
        return Text(handed.text).render(message, now), handed

    def letters(self, run: Run, reply: Reply) -> list[Mail]:
        """*reply* as it waits in the mailbox; of what no user can see, nothing, and a line in the log."""
        if run.message.accepts_reply:
            return mailbox.letter(run.message, reply, int(self._clock()))
        if not isinstance(reply, Success):
            fields = {"d": run.push.name, "user": run.push.user, "type": run.message.kind, "reply": reply.kind}
            _log.warning("dropped", extra={"code": "WX-RUN-06", "fields": fields})
        return []

    def busy(self, message: Message, rule: Rule | None) -> bytes:
        """The busy text, where the user can see it."""
        if not message.accepts_reply:
            return SUCCESS
        return Text((rule.busy if rule is not None else "") or self._terms.busy).render(message, int(self._clock()))

    def crowded(self) -> Text:
        """There are too many messages to promise anything."""
        return Text(say("reply.crowded", self._terms.lang))
