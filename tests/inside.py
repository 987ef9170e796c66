"""Runs a command in this process: what ``tests.program`` does, without the price of a new Python each time."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

from tests.program import environment
from weixin import commands


def run(*arguments: str, cwd: str | Path, stdin: str = "", **more: str) -> CompletedProcess[str]:
    """Run one command as if it had been started in *cwd*, by somebody who speaks English and has no terminal.

    *more* are variables of its environment.
    """
    out, err = io.StringIO(), io.StringIO()
    before = os.getcwd()
    os.chdir(cwd)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), mock.patch.dict(
            os.environ, environment(**more), clear=True
        ), mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")):
            status = commands.main(list(arguments))
    except SystemExit as leave:  # argparse
        status = int(leave.code or 0)
    finally:
        os.chdir(before)
        logging.getLogger("wxserve").handlers.clear()
    return CompletedProcess(arguments, status, out.getvalue(), err.getvalue())
