"""From the address to a connection: port, name, IPv4, TCP, TLS. The lower steps of the ladder."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator

from ..problem import Problem
from .visit import PORTS, Visit, how

# Certificates of Let's Encrypt are renewed 30 days before their end; one with less left is not being renewed.
DAYS_LEFT = 10
DAY = 86_400

# OpenSSL's X509_V_ERR_… (x509_vfy.h), as far as there is something different to do about them.
_VERIFY = {
    9: "tls-early",
    10: "tls-expired",
    18: "tls-self",
    19: "tls-self",
    20: "tls-chain",
    21: "tls-chain",
    62: "tls-name",
    64: "tls-name",
}


def port(visit: Visit) -> Iterator[Problem]:
    """The platform takes http on 80 and https on 443, and nothing else."""
    assert visit.url is not None
    if visit.url.port != PORTS[visit.url.scheme]:
        yield Problem("WX-NET-03", {"port": visit.url.port, "scheme": visit.url.scheme})
    else:
        visit.note("url", url=str(visit.url))


def bare_address(visit: Visit) -> Iterator[Problem]:
    """The host is a name; a bare IP address fails for some accounts."""
    assert visit.url is not None
    try:
        ipaddress.ip_address(visit.url.host)
    except ValueError:
        return
    yield Problem("WX-NET-04", {"host": visit.url.host})


def name(visit: Visit) -> Iterator[Problem]:
    """The name leads to an address."""
    assert visit.url is not None
    try:
        found = visit.addresses
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        yield Problem("WX-NET-01", {"host": visit.url.host, "error": why})
        return
    visit.note("dns", host=visit.url.host, addresses=", ".join(sorted({str(address[0]) for _, address in found})))


def family(visit: Visit) -> Iterator[Problem]:
    """There is an IPv4 address among them: WeChat does not come by IPv6."""
    assert visit.url is not None
    if all(kind != socket.AF_INET for kind, _ in visit.addresses):
        yield Problem("WX-NET-02", {"host": visit.url.host, "address": visit.addresses[0][1][0]})


def connection(visit: Visit) -> Iterator[Problem]:
    """Something accepts a connection in time."""
    assert visit.url is not None
    began = time.monotonic()
    try:
        visit.connect_plainly().close()
    except OSError as error:
        kind = how(error)
        reason = f"tcp-{kind}" if kind in ("timeout", "refused") else "tcp-other"
        yield Problem("WX-NET-05", {"reason": reason, "port": visit.url.port, "error": kind})
        return
    visit.note("tcp", port=visit.url.port, ms=round((time.monotonic() - began) * 1000))


def certificate(visit: Visit) -> Iterator[Problem]:
    """The certificate is for this name, in date, with its whole chain, and the TLS is not an old one."""
    assert visit.url is not None
    if visit.url.scheme == "http":
        return  # nothing to look at
    try:
        with visit.connect() as opened:
            assert isinstance(opened, ssl.SSLSocket)
            ends = str((opened.getpeercert() or {}).get("notAfter", ""))
            version = opened.version()
    except ssl.SSLCertVerificationError as error:
        reason = _VERIFY.get(error.verify_code, "tls-other")
        yield Problem("WX-NET-06", {"reason": reason, "host": visit.url.host, "error": error.verify_message})
        return
    except OSError as error:
        old = isinstance(error, ssl.SSLError) and "PROTOCOL" in (error.reason or "")
        values = {"reason": "tls-old" if old else "tls-other", "host": visit.url.host}
        yield Problem("WX-NET-06", {**values, "error": getattr(error, "reason", None) or how(error)})
        return
    visit.note("tls", version=version, days=int((ssl.cert_time_to_seconds(ends) - visit.clock()) // DAY))


def renewal(visit: Visit) -> Iterator[Problem]:
    """The certificate is renewed in time. While it is good, everything above it can be asked all the same."""
    assert visit.url is not None
    days = visit.notes.get("tls", {}).get("days", DAYS_LEFT)
    if days < DAYS_LEFT:
        yield Problem("WX-NET-06", {"reason": "tls-soon", "host": visit.url.host, "days": days, "error": ""})
