"""HTTP/1.1 requests, strictly: bytes in, a request or an error with its status out.

Pure functions of bytes, after RFC 9112 (messages) and RFC 9110 (fields); no sockets and no clock. Where the
two leave a choice, the choice is the one that leaves no room for request smuggling: whatever could be read in
two ways is refused. What a request is *for* is not known here.

The head's text is latin-1, as WSGI wants it (PEP 3333, "Unicode Issues").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .options import Options

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110 section 5.6.2

_is_token = re.compile(TOKEN).fullmatch
_request_line = re.compile(rf"({TOKEN}) ([\x21-\x7e]+) HTTP/([0-9]\.[0-9])").fullmatch
# What a request line may look like so far: garbage is answered at once, not when its time is up.
_PARTIAL_LINE = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]*(?: [\x21-\x7e]*(?: [HTP/0-9.]*)?)?"
# RFC 3986 section 3.2.2: reg-name with its sub-delims, or an IP literal. Userinfo has no place in http(s)
# (RFC 9110 section 4.2.4), and an empty host is no host (section 4.2.1).
_host = re.compile(
    r"(?:(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"
    r"|\[(?:([0-9A-Fa-f:.]{2,45})|[vV][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+)\])"
    r"(?::([0-9]{0,5}))?"
).fullmatch
# A TCP port has sixteen bits (RFC 9293 section 3.1).
PORT_MAX = 65535
_ABSOLUTE_FORM = r"(?i:https?)://([^/?]*)(.*)"
# Eighteen digits fit 64 bits in every implementation on the way, so none of them can see another number.
_content_length = re.compile(r"[0-9]{1,18}").fullmatch
_ESCAPE = r"%([0-9A-Fa-f]{2})"  # RFC 3986 section 2.1

# Every control character but the tab. In a good head they are exactly the CRLF pairs.
_CONTROLS = bytes(range(0x09)) + bytes(range(0x0A, 0x20)) + b"\x7f"


# Blocks of field lines that a HeadParser remembers: a proxy's variety, in some 400 KB.
REMEMBERED_BLOCKS = 128
REMEMBERED_BYTES = 1024


class HTTPError(Exception):
    """A request that is not served, with the status that says so."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Fields:
    """A head's fields as CGI variables, and what they say about the message. Shared, so never changed."""

    __slots__ = ("chunked", "environ", "expects", "keep_alive", "length")

    def __init__(self, environ: dict[str, Any], keep_alive: bool) -> None:
        self.environ = environ
        self.keep_alive = keep_alive
        self.chunked = False
        self.length = 0  # of the body, as announced
        self.expects = False  # the client waits for "100 Continue"


class Request:
    """A parsed request; with its body, once that is whole."""

    __slots__ = ("body", "fields", "http11", "method", "path", "query", "target")

    def __init__(self, method: str, target: str, path: str, query: str, http11: bool) -> None:
        self.method = method
        self.target = target  # as it came
        self.path = path  # decoded
        self.query = query
        self.http11 = http11
        self.fields = _NO_FIELDS
        self.body = b""

    def environ(self) -> dict[str, Any]:
        """A WSGI environ of the request's own (PEP 3333, "environ Variables"): what its parser was given as
        common to all of them, and the CGI variables."""
        fields = self.fields
        environ = fields.environ.copy()
        environ["REQUEST_METHOD"] = self.method
        environ["PATH_INFO"] = self.path
        environ["QUERY_STRING"] = self.query
        environ["REQUEST_URI"] = self.target
        if self.target[0] != "/":
            # RFC 9112 section 3.2.2: the authority of an absolute target replaces Host.
            match = re.fullmatch(_ABSOLUTE_FORM, self.target)
            if match is not None:
                environ["HTTP_HOST"] = match[1]
        if fields.chunked:
            # The body is handed over as if it had come with its length.
            environ["CONTENT_LENGTH"] = str(len(self.body))
            del environ["HTTP_TRANSFER_ENCODING"]
        return environ


_NO_FIELDS = Fields({}, False)


def _key(name: str) -> str:
    """The environ key of a field name; "" for one that is dropped.

    `X_Y` and `X-Y` have one key, so a name with an underscore could pose as its twin (nginx and gunicorn drop
    it too). `Proxy` would become HTTP_PROXY, which CGI programs take for a setting (CVE-2016-5385, httpoxy).
    """
    if _is_token(name) is None:
        raise HTTPError(400, "a field name is not a token")
    key = name.upper().replace("-", "_")
    if "_" in name or key == "PROXY":
        return ""
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


# Names that nginx, browsers and WeChat send, in their two usual spellings: looked up, not computed.
_USUAL = (
    "Accept Accept-Charset Accept-Encoding Accept-Language Authorization Cache-Control Connection "
    "Content-Encoding Content-Length Content-Type Cookie Date DNT Expect Forwarded From Host If-Match "
    "If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Last-Event-ID Max-Forwards "
    "Origin Pragma Priority Range Referer Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest "
    "Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User TE Trailer Transfer-Encoding Upgrade "
    "Upgrade-Insecure-Requests User-Agent Via X-Forwarded-For X-Forwarded-Host X-Forwarded-Port "
    "X-Forwarded-Proto X-Real-IP X-Request-ID X-Requested-With"
)
_KEYS = {spelling: _key(name) for name in _USUAL.split() for spelling in (name, name.lower())}


def check_partial_head(data: bytes, options: Options) -> None:
    """Refuse what can no longer become a request, before the head is whole.

    Raises: HTTPError 400 for bytes that no head may hold, 414 and 431 for too many of them.
    """
    whole = data[:-1] if data.endswith(b"\r") else data  # its line feed may be on the way
    line, ended, _ = whole.partition(b"\r\n")
    if len(line) > options.line_max:
        raise HTTPError(414, "the request line is too long")
    if not ended:
        if re.fullmatch(_PARTIAL_LINE, whole) is None:
            raise HTTPError(400, "this is not HTTP")
        return
    _check_controls(whole)
    _parse_request_line(line.decode("latin-1"), options)
    if len(data) > options.head_max or len(data) - data.rfind(b"\r\n") - 2 > options.line_max:
        raise HTTPError(431, "the head is too large")


def _check_controls(head: bytes) -> None:
    """No NUL, no bare CR or LF, no other control character: only tabs and line ends."""
    if len(head) - len(head.translate(None, _CONTROLS)) != 2 * head.count(b"\r\n"):
        raise HTTPError(400, "a control character in the head")


class HeadParser:
    """Parses whole heads.

    It remembers blocks of field lines that it has found good: a proxy sends the same ones again and again,
    and looking one up takes a quarter of the time that parsing it takes. Their order, spelling and every byte
    are the key, so what is found is exactly what parsing would give.

    `common` is what the environ of each request begins with. Keys that stand there already, if with another
    value, cost least: a dict that is copied whole and keeps its size is the cheapest to make.
    """

    def __init__(self, options: Options, common: Mapping[str, Any] | None = None) -> None:
        self.options = options
        self._common = common or {}
        self._seen: dict[tuple[bytes, bool], Fields] = {}

    def parse(self, head: bytes) -> Request:
        """Parse a head, from the request line to the last field, without the empty line that ends it.

        Raises: HTTPError with the status to answer.
        """
        line, end, block = head.partition(b"\r\n")
        request = _parse_request_line(line.decode("latin-1"), self.options)
        key = (block, request.http11)
        fields = self._seen.get(key)
        if fields is None:
            if len(head) > self.options.head_max:
                raise HTTPError(431, "the head is too large")
            fields = self._parse_block(end + block, request.http11)
            if len(block) <= REMEMBERED_BYTES:
                if len(self._seen) >= REMEMBERED_BLOCKS:
                    self._seen.clear()
                self._seen[key] = fields
        request.fields = fields
        return request

    def _parse_block(self, block: bytes, http11: bool) -> Fields:
        options = self.options
        _check_controls(block)
        lines = block.decode("latin-1").split("\r\n")[1:]
        if len(lines) > options.fields_max:
            raise HTTPError(431, "too many fields")
        environ = {**self._common, "SERVER_PROTOCOL": "HTTP/1.1" if http11 else "HTTP/1.0"}
        _parse_fields(lines, environ, options)
        host = environ.get("HTTP_HOST")
        if (http11 and host is None) or (host is not None and not _is_host(host)):
            raise HTTPError(400, "no Host, or a malformed one")
        fields = Fields(environ, http11)
        _frame(fields, http11, options)
        return fields


def _parse_request_line(line: str, options: Options) -> Request:
    if len(line) > options.line_max:
        raise HTTPError(414, "the request line is too long")
    match = _request_line(line)
    if match is None:
        raise HTTPError(400, "the request line is malformed")
    method, target, version = match.groups()
    if version not in ("1.1", "1.0"):
        raise HTTPError(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    plain = target[0] == "/" and "#" not in target and method != "CONNECT"
    form = target if plain else _origin_form(method, target)
    path, _, query = form.partition("?")
    if "%" in path:
        path = re.sub(_ESCAPE, lambda escape: chr(int(escape[1], 16)), path)
    return Request(method, target, path, query, version == "1.1")


def _origin_form(method: str, target: str) -> str:
    """The path and query of a target that is more or less than those (RFC 9112 section 3.2)."""
    if method == "CONNECT":
        raise HTTPError(501, "this is not a proxy")
    if target == "*" and method == "OPTIONS":
        return ""
    match = re.fullmatch(_ABSOLUTE_FORM, target)
    if match is None or "#" in target or not _is_host(match[1]):
        raise HTTPError(400, "the request target is malformed")
    return match[2] if match[2].startswith("/") else "/" + match[2]


def _is_host(text: str) -> bool:
    """Whether `text` is a host, with a port or without one (RFC 9110 section 7.2)."""
    match = _host(text)
    if match is None:
        return False
    literal, port = match.groups()
    if literal is not None:
        from ipaddress import IPv6Address  # for who is asked by such a name; everybody else starts sooner

        try:
            IPv6Address(literal)
        except ValueError:
            return False
    return not port or int(port) <= PORT_MAX


def _parse_fields(lines: list[str], environ: dict[str, Any], options: Options) -> None:
    """Put field lines into `environ` as CGI variables; repeated ones are joined (RFC 9110 section 5.3)."""
    for line in lines:
        name, colon, value = line.partition(":")
        key = _KEYS.get(name)
        if key is None:
            key = _key(name)
        if not colon:
            raise HTTPError(400, "a field without a colon")
        if len(line) > options.line_max:
            raise HTTPError(431, "a field is too long")
        if not key:
            continue
        # Only these two are blank here: a bare strip() would also take \x85 and \xa0 off a value.
        value = value.strip(" \t")
        if key in environ:
            if key == "HTTP_HOST" or key == "CONTENT_LENGTH":
                raise HTTPError(400, "Host and Content-Length come once")
            value = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value
        environ[key] = value


def _frame(fields: Fields, http11: bool, options: Options) -> None:
    """Where the body ends, whether the connection goes on, and what the client expects first."""
    environ = fields.environ
    connection = environ.get("HTTP_CONNECTION")
    if connection is not None:
        tokens = [token.strip(" \t") for token in connection.lower().split(",")]
        fields.keep_alive = "close" not in tokens and (http11 or "keep-alive" in tokens)
    length = environ.get("CONTENT_LENGTH")
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is not None:
        if not http11 or length is not None:
            raise HTTPError(400, "Transfer-Encoding in HTTP/1.0, or beside Content-Length")
        _check_codings(coding)
        fields.chunked = True
    elif length is not None:
        if _content_length(length) is None:
            raise HTTPError(400, "Content-Length is malformed")
        fields.length = int(length)
        if fields.length > options.body_max:
            raise HTTPError(413, "the body is too large")
        environ["CONTENT_LENGTH"] = str(fields.length)
    expect = environ.get("HTTP_EXPECT")
    if expect is not None and http11:
        if expect.lower() != "100-continue":
            raise HTTPError(417, "an expectation other than 100-continue")
        fields.expects = fields.chunked or fields.length > 0


def _check_codings(field: str) -> None:
    """RFC 9112 section 6.1: `chunked` once, last, and alone, since no other coding is undone here."""
    codings = [coding for coding in (item.strip(" \t").lower() for item in field.split(",")) if coding]
    if codings == ["chunked"]:
        return
    if not codings or codings.count("chunked") > 1 or "chunked" in codings[:-1]:
        raise HTTPError(400, "Transfer-Encoding does not end in one chunked")
    raise HTTPError(501, "an unknown transfer coding")


def parse_trailer(line: bytes) -> None:
    """Check one trailer field by the rules of a head's fields; trailers are not handed on.

    Raises: HTTPError 400.
    """
    _check_controls(line)
    name, colon, _ = line.decode("latin-1").partition(":")
    if not colon or _is_token(name) is None:
        raise HTTPError(400, "a trailer field is malformed")


_CHUNK_LINE = (
    rb"([0-9A-Fa-f]{1,8})"
    rb"(?:[ \t]*;[ \t]*%(token)s(?:[ \t]*=[ \t]*(?:%(token)s|%(quoted)s))?)*"
    % {
        b"token": TOKEN.encode(),
        b"quoted": rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"',
    }
)


def parse_chunk_line(line: bytes) -> tuple[int, int]:
    """A chunk's size, and how many bytes of extensions follow it (RFC 9112 section 7.1).

    Raises: HTTPError 400.
    """
    match = re.fullmatch(_CHUNK_LINE, line)
    if match is None:
        raise HTTPError(400, "a chunk size is malformed")
    return int(match[1], 16), len(line) - match.end(1)


