"""Once, and in time: every message is answered by one run, however slow, on whichever delivery it can be.

The platform drops a request after five seconds and sends the message again, three times in all: fifteen seconds. Who
comes while the message runs joins it; who runs out of time is silent, until the last says the busy text and the answer
goes to the user's mailbox.

``once`` is the desk where a delivery asks; ``run`` what it knows of a message there. ``identity`` says which message
it is, ``ladder`` which delivery and how long each may take; ``waiting`` waits, for a ``bell``. ``pool`` runs what is
slow, ``deadline`` is what a handler has left, ``state`` what it may remember. ``wording`` is what is said, ``mailbox``
what missed its deliveries, cut by ``splitting``. ``keeper`` looks after what nobody waits for. ``counts`` is what
``stats`` counts, ``terms`` what the account's owner decides, ``errors`` what no handler raised.
"""

from __future__ import annotations

from .once import Desk
from .run import Given
from .terms import Terms

__all__ = ["Desk", "Given", "Terms"]
