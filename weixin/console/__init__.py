"""The console: a page on which a developer talks to the account, sees what happened and finds out why.

It is a second service with a listener of its own, on loopback; WeChat's listener knows nothing of it. Begin with
``site``, which is made before the fork and puts everything together. ``app`` is the WSGI application (``answers``,
``plain``, ``stream`` are its forms of an answer), ``access`` says who may use it. ``orders`` is what may be sent,
``lab`` carries it over a private unix socket, ``door`` and ``pace`` let it in at the other end. ``ledger`` holds what
happened and tells who watches, ``remembered`` adds what the store has. ``detail`` explains one delivery (``shape``,
``verdict``), ``rulebook`` the rules, ``health`` the whole; ``static`` is the page.
"""

from __future__ import annotations
