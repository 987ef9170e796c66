"""How busy the machine is that the tests run on."""

from __future__ import annotations

import os

# So many processes that want a core, for each there is, are no more than tests bring along themselves.
ORDINARY = 2.0
MOST = 6.0


def crowd() -> float:
    """How many times as long as usual a thread waits for its turn just now; at least once.

    Tests that scale WeChat's seconds down scale them by this: what is a moment to them must be one to the machine.
    """
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return min(MOST, max(1.0, load / ORDINARY))
