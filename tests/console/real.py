"""The application and its console on the real server, in processes as ``run`` has them.

    python3 -m tests.console.real FOLDER        prints the public address and the console's, and serves until SIGTERM
"""

from __future__ import annotations

import sys

from weixin import app, config, server
from weixin.console.app import Console
from weixin.console.door import Door
from weixin.console.site import Site

# Nobody waits for a stream to end: a tab comes back by itself.
OPTIONS = server.Options(threads=16, grace=0.3, drain=0.3)


def main(folder: str) -> int:
    environ = {"WXSERVE_TOKEN": "token4tests", "WXSERVE_STORE": "sqlite:wx.db", "WXSERVE_STORE_CONTENT": "full"}
    settings = config.load(None, {}, environ, base=folder)
    app.open_log(settings, threaded=False)
    public, admin = server.listen("127.0.0.1:0"), server.listen("127.0.0.1:0")
    site = Site(server.listen, b"secret of the tests")

    def make() -> Door:
        return site.door(app.build(settings, app.open_log(settings), wrap=site.wrap))

    def make_console() -> Console:
        app.open_log(settings)
        return site.make(settings)

    def ready() -> None:
        print(server.describe(public), site.url(server.describe(admin)), flush=True)

    try:
        return server.serve(
            [
                server.Service("weixin", make, [public, site.private]),
                server.Service("console", make_console, [admin], OPTIONS, lasting=True),
            ],
            on_ready=ready,
        )
    finally:
        site.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
