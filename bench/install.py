"""Put the peers into bench/.venv and bench/node_modules: python3 bench/install.py

A peer that cannot be built here (bjoern needs a C compiler and libev, Debian's libev-dev) does not keep the
others away; it is named at the end, and again in every table.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

BENCH = Path(__file__).resolve().parent
VENV = BENCH / ".venv"
REQUIREMENTS = BENCH / "requirements.txt"


def pip_install(*what: str) -> bool:
    """Whether pip could."""
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    return subprocess.run([*pip, "install", *what], check=False).returncode == 0


def main() -> int:
    """The command; 1 if something is missing."""
    failed = []
    venv.create(VENV, with_pip=True, symlinks=True)
    if not pip_install("-r", str(REQUIREMENTS)):
        pins = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
        failed += [pin for pin in pins if not pip_install("--no-deps", pin)]
    npm = shutil.which("npm") or "false"
    if subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=BENCH, check=False).returncode:
        failed.append("the Node peers (npm ci)")
    failed += [program for program in ("wrk", "nginx") if not shutil.which(program)]
    if failed:
        print("not installed: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
