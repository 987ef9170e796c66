"""What is shipped, and its two forms: a folder that the service runs from, and one file, ``wxserve.pyz``.

Both are the same bytes for the same sources, wherever and whenever they are made.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import py_compile
import re
import shutil
import stat
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
# The program; and what somebody who installed it copies from.
PROGRAM = ("wxserve.py", "weixin")
BESIDE = ("handlers", "systemd", "nginx.conf", "Makefile", "LICENSE")

# The zip format begins in 1980 and has no time zone.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
HASH_LETTERS = 10


def files(*names: str) -> Iterator[Path]:
    """The shipped files under *names*, relative to the sources, in order; not what Python or an editor left there."""
    for name in names:
        top = SOURCE / name
        found = sorted(top.rglob("*")) if top.is_dir() else [top]
        for path in found:
            relative = path.relative_to(SOURCE)
            if path.is_file() and "__pycache__" not in relative.parts and not path.name.startswith((".", "#")):
                yield relative


def version() -> str:
    """The version that the sources say they are."""
    match = re.search(r'^__version__ = "([^"]+)"', (SOURCE / "weixin/__init__.py").read_text("utf-8"), re.M)
    return match[1] if match else "0"


def lay(folder: Path, name: str, replace: dict[str, str], meant: Path) -> str:
    """Copy everything into *folder*, which is to become *meant*; return a name for it made of version and content.

    *name* is the service's; *replace* holds texts to exchange in the units, the command and nginx.conf: the paths of
    this machine. The program is compiled here, since nothing may write a .pyc later, and not against times: a copy or
    a backup changes those.
    """
    digest = hashlib.sha256(sys.version.encode())
    for relative in files(*PROGRAM, *BESIDE):
        data = (SOURCE / relative).read_bytes()
        target = folder / relative
        if relative.parts[0] in ("systemd", "nginx.conf") and relative.suffix != ".py":
            data = _exchange(_rename(data.decode("utf-8"), name), replace).encode("utf-8")
            target = folder / _rename(str(relative), name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o755 if os.access(SOURCE / relative, os.X_OK) else 0o644)
        digest.update(repr((str(target.relative_to(folder)), data)).encode())
    sys.pycache_prefix = None  # beside the sources, whatever $PYTHONPYCACHEPREFIX says
    compiled = compileall.compile_dir(
        str(folder), quiet=1, ddir=str(meant), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    if not compiled:
        raise SystemExit("wxserve: a file does not compile; see above")
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
        elif path.suffix == ".pyc":
            path.chmod(0o644)
    return f"{version()}-{digest.hexdigest()[:HASH_LETTERS]}"


def pack(folder: Path) -> Path:
    """Make ``wxserve.pyz`` and its handlers in *folder*. Return the .pyz.

    A zip with a first line for the kernel, as PEP 441 has it. Not compressed: it starts sooner, and another zlib would
    give other bytes.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = folder / "wxserve.pyz"
    with open(archive, "wb") as stream:
        stream.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as zipped:
            _add(zipped, "__main__.py", b"import sys\n\nfrom wxserve import main\n\nsys.exit(main())\n")
            for relative in files(*PROGRAM):
                _add(zipped, relative.as_posix(), (SOURCE / relative).read_bytes())
    archive.chmod(0o755)
    for relative in files("handlers"):
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE / relative, target)
    return archive


def _add(zipped: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, ZIP_EPOCH)
    info.create_system = 3  # Unix, whatever it is made on
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    zipped.writestr(info, data)


def _rename(text: str, name: str) -> str:
    """Give the service another name everywhere but in the names of the program and its configuration."""
    return re.sub(r"wxserve(?!\.py|\.ini)", name, text)


def _exchange(text: str, replace: dict[str, str]) -> str:
    """Exchange all of *replace* in one pass, so that no replacement is replaced again."""
    pattern = "|".join(re.escape(old) for old in sorted(replace, key=len, reverse=True))
    return re.sub(pattern, lambda match: replace[match[0]], text) if pattern else text


if __name__ == "__main__":
    print(pack(SOURCE / "dist"))
