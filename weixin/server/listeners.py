"""Listening sockets: from an address to a socket that is bound, or inherited.

Knows addresses and files; who accepts is not known here.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import stat

# Ours goes as high as the kernel lets it (net.core.somaxconn): while the program restarts, clients wait here.
BACKLOG = 4096

_TCP = r"(?:\[([0-9A-Fa-f:.%a-z]+)\]|([^\[\]:/]*)):([0-9]{1,5})"


class ListenError(OSError):
    """An address on which nothing can listen; `address` says which."""

    def __init__(self, address: str, error: int, why: str) -> None:
        super().__init__(error, why)
        self.address = address


class AddressInUse(ListenError):
    """Somebody listens there already."""


class BadAddress(ListenError):
    """This is not an address: the text does not parse, or its host is unknown."""


class InheritedSocket(socket.socket):
    """A listening socket that somebody else owns and keeps open (systemd, or a parent process).

    When the server ends, whoever waits in its queue is left to the next server, and its file is not removed.
    """


def listen(address: str, *, backlog: int = BACKLOG) -> socket.socket:
    """Listen on "127.0.0.1:9527", "[::1]:80", "unix:/path" or "fd:3" (an inherited socket).

    Port 0 lets the kernel choose. A socket file that nobody serves any more is replaced; a new one is open to
    the owner and the group only (0660).

    Raises: BadAddress, AddressInUse, or ListenError for whatever else the system says.
    """
    try:
        if address.startswith("unix:"):
            return _listen_unix(address[5:], backlog)
        if address.startswith("fd:"):
            return _inherit(address)
        return _listen_tcp(address, backlog)
    except ListenError:
        raise
    except OSError as error:
        kind = AddressInUse if error.errno == errno.EADDRINUSE else ListenError
        raise kind(address, error.errno or errno.EIO, error.strerror or str(error)) from error


def _listen_tcp(address: str, backlog: int) -> socket.socket:
    match = re.fullmatch(_TCP, address)
    if match is None or int(match[3]) > 65535:
        raise BadAddress(address, errno.EINVAL, "not an address of the form HOST:PORT")
    host = match[1] or match[2] or "0.0.0.0"
    family = socket.AF_INET6 if match[1] else socket.AF_INET
    try:
        # In bytes where it can be: for text Python imports the codec of international names, in two milliseconds.
        name = host.encode() if host.isascii() else host
        found = socket.getaddrinfo(name, int(match[3]), family, socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise BadAddress(address, errno.EINVAL, str(error.strerror)) from error
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A restart must not wait for the old connections' TIME_WAIT.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(found[0][4])
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def _listen_unix(path: str, backlog: int) -> socket.socket:
    if not path:
        raise BadAddress("unix:", errno.EINVAL, "a unix socket needs a path")
    _remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Made closed and opened afterwards, so that nobody slips in between bind and chmod.
        before = os.umask(0o177)
        try:
            sock.bind(path)
        finally:
            os.umask(before)
        sock.listen(backlog)
        os.chmod(path, 0o660)
    except OSError:
        sock.close()
        raise
    return sock


def _remove_stale(path: str) -> None:
    """Remove a socket file that a killed server left; leave a served one, and any other file, alone."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise AddressInUse("unix:" + path, errno.EADDRINUSE, "a file that is no socket is in the way")
    except FileNotFoundError:
        return
    in_use = AddressInUse("unix:" + path, errno.EADDRINUSE, "another server listens there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            pass
        except BlockingIOError:
            raise in_use from None  # its queue is full
        else:
            raise in_use
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _inherit(address: str) -> socket.socket:
    digits = address[3:]
    if not digits.isascii() or not digits.isdecimal():
        raise BadAddress(address, errno.EINVAL, "not a descriptor's number")
    sock = InheritedSocket(fileno=int(digits))
    if not is_listening(sock):
        sock.detach()
        raise BadAddress(address, errno.ENOTSOCK, "not a listening stream socket")
    sock.set_inheritable(False)
    return sock


def is_listening(sock: socket.socket) -> bool:
    """Whether `sock` is a stream socket that listens."""
    if sock.type != socket.SOCK_STREAM:
        return False
    accepts = getattr(socket, "SO_ACCEPTCONN", None)
    return accepts is None or bool(sock.getsockopt(socket.SOL_SOCKET, accepts))


def describe(sock: socket.socket) -> str:
    """The address of a socket as `listen` would take it."""
    name = sock.getsockname()
    if sock.family == socket.AF_INET6:
        return f"[{name[0]}]:{name[1]}"
    if sock.family == socket.AF_INET:
        return f"{name[0]}:{name[1]}"
    return "unix:" + (os.fsdecode(name) if isinstance(name, bytes) else str(name))


def remove_file(sock: socket.socket) -> None:
    """Remove the file of a unix socket of our own; nothing for any other socket."""
    if sock.family != socket.AF_UNIX or isinstance(sock, InheritedSocket):
        return
    name = sock.getsockname()
    if isinstance(name, str) and name:
        try:
            os.unlink(name)
        except OSError:
            pass


class Listener:
    """A listening socket in a worker, and what a WSGI environ says about it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.inherited = isinstance(sock, InheritedSocket)
        self.is_unix = sock.family == socket.AF_UNIX
        self.server_name, self.server_port = self._names()
        # Several workers wake up for one connection, and one of them gets it.
        sock.setblocking(False)
        if not self.is_unix:
            # Inherited by accepted sockets: a streamed answer's pieces do not wait for acknowledgements.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _names(self) -> tuple[str, str]:
        if self.is_unix:
            return "localhost", "80"
        name = self.sock.getsockname()
        return str(name[0]), str(name[1])
