"""Certificates of every kind that goes wrong, made by the ``openssl`` command."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

HOST = "wx.example.com"
_SETTINGS = """
[ca]
default_ca = us
[us]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[req]
distinguished_name = name
[name]
"""


class Authority:
    """A root, and one below it that signs, as the real ones have it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "index.txt").touch()
        (folder / "openssl.cnf").write_text(_SETTINGS.format(folder=folder))
        self.root = self._request("root", "Root", "-x509", "-days", "30", "-extensions", "authority")
        self._request("middle", "Middle")
        self._sign("middle", "root", "20200101000000Z", "20400101000000Z", "-extensions", "authority")

    def certificate(
        self, name: str, host: str = HOST, start: str = "20200101000000Z", end: str = "20400101000000Z"
    ) -> Path:
        """Make a certificate for *host* and return it without its chain."""
        self._request(name, host, "-addext", f"subjectAltName=DNS:{host}")
        return self._sign(name, "middle", start, end)

    def self_signed(self, name: str) -> Path:
        return self._request(name, HOST, "-x509", "-days", "30", "-addext", f"subjectAltName=DNS:{HOST}")

    def server(self, certificate: Path, *, chain: bool = True) -> ssl.SSLContext:
        """What a server with this certificate uses."""
        full = certificate.with_suffix(".full")
        full.write_bytes(certificate.read_bytes() + ((self._folder / "middle.pem").read_bytes() if chain else b""))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(full, certificate.with_suffix(".key"))
        return context

    def client(self) -> ssl.SSLContext:
        """What somebody who trusts this authority uses."""
        return ssl.create_default_context(cafile=str(self.root))

    def _request(self, name: str, subject: str, *more: str) -> Path:
        made = self._folder / f"{name}.pem"
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={subject}",
            "-keyout", str(made.with_suffix(".key")), "-out", str(made), *more,
        )  # fmt: skip
        return made

    def _sign(self, name: str, by: str, start: str, end: str, *more: str) -> Path:
        made = self._folder / f"{name}.pem"
        request = made.rename(made.with_suffix(".csr"))
        signer = self._folder / f"{by}.pem"
        self._openssl(
            "ca", "-batch", "-notext", "-in", str(request), "-out", str(made), "-startdate", start, "-enddate", end,
            "-cert", str(signer), "-keyfile", str(signer.with_suffix(".key")), *more,
        )  # fmt: skip
        return made

    def _openssl(self, command: str, *arguments: str) -> None:
        words = ["openssl", command, "-config", str(self._folder / "openssl.cnf"), *arguments]
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=30)
        if done.returncode:
            raise AssertionError(f"{' '.join(words)}\n{done.stderr}")
