"""The requests of one connection: bytes in, in pieces of any size, whole requests out.

Knows where one message ends and the next begins, and nothing of sockets or time. An app never sees a request
whose body is not whole (RFC 9112 section 8), so it cannot be held up by one.
"""

from __future__ import annotations

from .http import HeadParser, HTTPError, Request, check_partial_head, parse_chunk_line, parse_trailer
from .options import Options

# A size, and room for the extensions that nobody sends.
CHUNK_LINE_MAX = 1024
# All extensions of a body: more is an attack on whoever counts only data (CVE-2023-39326).
CHUNK_EXTENSIONS_MAX = 4 * 1024


class Reader:
    """Feed it what arrives; it hands back requests, one by one, in order."""

    __slots__ = ("_announced", "_body", "_chunks", "_expects", "_parser", "_request", "_skipped", "buffer")

    def __init__(self, parser: HeadParser) -> None:
        self._parser = parser
        self.buffer = b""  # what has arrived and is not yet part of a returned request, nor of its body
        self._request: Request | None = None  # its head is whole, its body is not
        self._body: bytearray | None = None  # what has arrived of a body whose length is known
        self._chunks: _Chunks | None = None
        self._announced = 0  # bytes of a body whose length is known, until somebody asked
        self._expects = False  # the client may send no body before we say "100 Continue"
        self._skipped = False  # one empty line before a request line is forgiven, not two

    def feed(self, data: bytes) -> Request | None:
        """Take what arrived; return the next whole request, or None when more is needed.

        Call it with b"" after each request, since the next may have come in the same packet.

        Raises: HTTPError; nothing after it can be understood, so the connection must end.
        """
        if self._request is not None:
            return self._feed_body(data)
        if self.buffer:
            data = self.buffer + data
        # RFC 9112 section 2.2: ignore an empty line received before the request line.
        if data.startswith(b"\r\n") and not self._skipped:
            data = data[2:]
            self._skipped = True
        head, ended, rest = data.partition(b"\r\n\r\n")
        if not ended:
            self.buffer = data
            if data:
                check_partial_head(data, self._parser.options)
            return None
        try:
            request = self._parser.parse(head)
        except HTTPError:
            self.buffer = head  # says how to answer
            raise
        fields = request.fields
        self._skipped = False
        length = fields.length
        self.buffer = b""
        if len(rest) == length and not fields.chunked:
            request.body = rest
            return request
        if len(rest) > length and not fields.chunked:
            request.body, self.buffer = rest[:length], rest[length:]
            return request
        self._request = request
        self._expects = fields.expects and not rest
        if fields.chunked:
            self._chunks = _Chunks(self._parser.options)
        else:
            self._body = bytearray()
            self._announced = length
        return self._feed_body(rest)

    @property
    def pending(self) -> int:
        """How many bytes are held here."""
        if self._chunks is not None:
            return len(self.buffer) + len(self._chunks.body)
        return len(self.buffer) if self._body is None else len(self._body)

    @property
    def begun(self) -> bool:
        """Whether something of the next request is here, if only the empty line before it."""
        return bool(self.buffer) or self._skipped

    @property
    def is_head(self) -> bool:
        """Whether the method of the unfinished, or refused, request is HEAD."""
        return self.buffer.startswith(b"HEAD ") if self._request is None else self._request.method == "HEAD"

    @property
    def in_body(self) -> Request | None:
        """The request whose body is awaited."""
        return self._request

    def take_announced(self) -> int:
        """How many bytes of the awaited body were announced since the last call: all, or some chunks."""
        source = self if self._chunks is None else self._chunks
        announced, source._announced = source._announced, 0
        return announced

    def take_expectation(self) -> bool:
        """Whether "100 Continue" must be sent now: true once for a request that asks for it."""
        expects, self._expects = self._expects, False
        return expects

    def _feed_body(self, data: bytes) -> Request | None:
        request = self._request
        assert request is not None
        if self._chunks is not None:
            self.buffer = self._chunks.feed(self.buffer + data)
            if not self._chunks.done:
                return None
            request.body = bytes(self._chunks.body)
            self._request = self._chunks = None
            return request
        body = self._body
        assert body is not None
        missing = request.fields.length - len(body)
        body += data[:missing]
        if len(data) < missing:
            return None
        request.body, self.buffer = bytes(body), data[missing:]
        self._request = self._body = None
        return request


class _Chunks:
    """A chunked body on its way in (RFC 9112 section 7.1)."""

    __slots__ = ("_announced", "_extensions", "_options", "_remaining", "_trailer_bytes", "_trailers", "body", "done")

    def __init__(self, options: Options) -> None:
        self._options = options
        self._remaining = -1  # bytes of this chunk still to come, without its CRLF; -1: a line comes
        self._announced = 0  # bytes in chunks that have begun, until somebody asked
        self._extensions = 0
        self._trailers = -1  # trailer fields seen; -1 until the last chunk
        self._trailer_bytes = 0
        self.body = bytearray()
        self.done = False

    def feed(self, data: bytes) -> bytes:
        """Take bytes, return those that could not be used yet, or that follow the body when `done`.

        Raises: HTTPError 400, 413, 431.
        """
        at = 0
        while not self.done:
            if self._remaining >= 0:
                took = data[at : at + self._remaining]
                self.body += took
                at += len(took)
                self._remaining -= len(took)
                end = data[at : at + 2]
                if self._remaining or len(end) < 2:
                    if not self._remaining and end not in (b"", b"\r"):
                        raise HTTPError(400, "a chunk does not end where it should")
                    break
                if end != b"\r\n":
                    raise HTTPError(400, "a chunk does not end where it should")
                at += 2
                self._remaining = -1
                continue
            end_of_line = data.find(b"\r\n", at)
            if end_of_line < 0:
                self._check_partial_line(data[at:])
                break
            self._line(data[at:end_of_line])
            at = end_of_line + 2
        return data[at:]

    def _check_partial_line(self, line: bytes) -> None:
        limit = CHUNK_LINE_MAX if self._trailers < 0 else self._options.line_max
        if b"\n" in line or b"\r" in line[:-1]:
            raise HTTPError(400, "a bare CR or LF in a chunked body")
        if len(line) > limit:
            raise HTTPError(400 if self._trailers < 0 else 431, "a line of a chunked body is too long")

    def _line(self, line: bytes) -> None:
        if self._trailers >= 0:
            self._trailer(line)
            return
        if len(line) > CHUNK_LINE_MAX:
            raise HTTPError(400, "a chunk's line is too long")
        size, extensions = parse_chunk_line(line)
        self._extensions += extensions
        if self._extensions > CHUNK_EXTENSIONS_MAX:
            raise HTTPError(400, "too many chunk extensions")
        if size == 0:
            self._trailers = 0
        elif len(self.body) + size > self._options.body_max:
            raise HTTPError(413, "the body is too large")
        else:
            self._remaining = size
            self._announced += size

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailers += 1
        self._trailer_bytes += len(line) + 2
        options = self._options
        too_many = self._trailers > options.fields_max or self._trailer_bytes > options.head_max
        if too_many or len(line) > options.line_max:
            raise HTTPError(431, "the trailers are too large")
        parse_trailer(line)
