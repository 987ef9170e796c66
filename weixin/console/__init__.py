"""The console: a page on which a developer talks to the account, sees what happened and finds out why.

It is a second service with a listener of its own, on loopback; WeChat's listener knows nothing of it. ``app`` is the
WSGI application, ``access`` says who may use it, ``lab`` makes pushes and carries them over a private unix socket,
``door`` lets them in at the other end, ``ledger`` holds what happened and tells who watches, ``detail`` explains one
delivery, ``rulebook`` the rules, ``health`` the whole; ``static`` is the page.
"""

from __future__ import annotations
