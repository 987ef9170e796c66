"""Whose word about the client's address is believed.

Anybody can send X-Forwarded-For; only a proxy that we know is asked. Knows addresses, nothing of connections.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

# Verdicts kept: WeChat pushes from a few dozen addresses, and a crowd of strangers must not fill the memory.
VERDICTS_MAX = 1000

# With a zone as interfaces are named: to ipaddress anything at all may stand there, and the address goes into logs.
_ADDRESS = r"[0-9A-Fa-f:.]{2,45}(?:%[0-9A-Za-z._-]{1,15})?"


class Proxies:
    """The addresses and networks of proxies, as "127.0.0.1" or "10.0.0.0/8".

    Raises: ValueError for what is neither.
    """

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = tuple(trusted)
        # A proxy on this machine is known by its looks, and costs no start the import of `ipaddress`.
        self._alone = frozenset(text for text in trusted if _is_ipv4(text))
        self._networks: list[IPv4Network | IPv6Network] | None = None
        if len(self._alone) < len(set(trusted)):
            self._networks = _networks(trusted)
        self._verdicts: dict[str, bool] = {}

    def trusts(self, address: str) -> bool:
        """Whether `address` is one of them; text that is no address is not."""
        return bool(self._trusted) and self._verdict(address) is True

    def client(self, forwarded: str, peer: str) -> str:
        """The client's address by X-Forwarded-For: from the right, the first that is not a proxy of ours.

        The right-most entry was written by the proxy we talk to; what stands left of a stranger is hearsay.
        Text that is no address is not believed: then it is the last one that was, or `peer`.
        """
        if self._verdicts.get(forwarded) is False:
            return forwarded  # one known stranger, as one proxy sends it
        client = peer
        for entry in reversed(forwarded.split(",")):
            entry = entry.strip(" \t")
            verdict = self._verdict(entry)
            if verdict is None:
                break
            client = entry
            if not verdict:
                break
        return client

    def _verdict(self, text: str) -> bool | None:
        """Whether the address is a proxy's; None when it is no address."""
        if text in self._alone:
            return True
        verdict = self._verdicts.get(text)
        if verdict is None:
            if not re.fullmatch(_ADDRESS, text):
                return None
            from ipaddress import ip_address

            try:
                parsed = ip_address(text)
            except ValueError:
                return None
            if self._networks is None:
                self._networks = _networks(self._trusted)
            address = getattr(parsed, "ipv4_mapped", None) or parsed
            verdict = any(address in network for network in self._networks)
            if len(self._verdicts) >= VERDICTS_MAX:
                self._verdicts.clear()
            self._verdicts[text] = verdict
        return verdict


def _is_ipv4(text: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def _networks(trusted: Sequence[str]) -> list[IPv4Network | IPv6Network]:
    """Raises: ValueError for what is neither an address nor a network."""
    from ipaddress import ip_network

    return [ip_network(text, strict=False) for text in trusted]
