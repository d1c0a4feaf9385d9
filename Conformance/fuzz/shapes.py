# SPDX-License-Identifier: Apache-2.0
"""Odd requests as raw bytes, and what is to be said to them."""

END = b"\r\n\r\n"
CREATE = b"POST /v1.41/services/create HTTP/1.1\r\n"
CHUNKED = b"Transfer-Encoding: chunked"
JSON = b"Content-Type: application/json\r\n"


def post(body, path=b"/v1.41/services/create", headers=JSON):
    return b"POST " + path + b" HTTP/1.1\r\n" + headers + b"Content-Length: %d" % len(body) + END + body


def spec(member):
    return b'{"Name":"odd","TaskTemplate":{"ContainerSpec":{"Image":"skep-web"' + member + b"}}}"


def endless(part, count):
    yield CREATE + JSON + CHUNKED + END
    for _ in range(count):
        yield b"%x\r\n" % len(part) + part + b"\r\n"


def head(size):
    yield b"GET /v1.41/services HTTP/1.1\r\n"
    for _ in range(size // 65_536):
        yield b"X-Pad: " + b"a" * 65_527 + b"\r\n"


def get(target, more=b""):
    return b"GET " + target + b" HTTP/1.1\r\nHost: docker\r\n" + more + b"Connection: close" + END


# Name, what is sent, the status, a part of the message.
SHAPES = [
    ("a body of 10 GB announced", CREATE + JSON + b"Content-Length: 10737418240" + END, 413, "body larger than"),
    ("a body of 10 GB, with Expect", CREATE + JSON + b"Expect: 100-continue\r\nContent-Length: 10737418240" + END, 413, "body larger than"),
    ("chunks without end", lambda: endless(b"[" * 65_536, 4_000), 413, "body larger than"),
    ("a head of 100 MB", lambda: head(100 << 20), 431, "header too large"),
    ("100,000 brackets", post(b"[" * 100_000), 400, "exceeded max depth"),
    ("100,000 objects", post(b'{"a":' * 100_000), 400, "exceeded max depth"),
    ("100,000 brackets in filters", get(b"/v1.41/services?filters=" + b"%5B" * 20_000), 400, "invalid filter"),
    ("900 brackets in a part that is kept whole", post(spec(b',"Privileges":{"x":' + b"[" * 900 + b"]" * 900 + b"}")), 201, ""),
    ("a list of 600,000", post(spec(b',"Env":[' + b'"A=b",' * 600_000 + b'"A=b"]')), 400, "transaction"),
    ("a string of 3 MB", post(spec(b',"Dir":"' + b"a" * 3_000_000 + b'"')), 400, "transaction"),
    ("200,000 keys", post(b"{" + b",".join(b'"k%d":0' % number for number in range(200_000)) + b"}"), 400, "mismatched Runtime"),
    ("bytes that are no UTF-8", post(b'{"Name":"\xff\xfe"}'), 400, ""),
    ("zero bytes", post(b'{"Name":"a\x00b"}'), 400, "invalid character"),
    ("only zero bytes", post(b"\x00" * 1_000), 400, "invalid character"),
    ("two values", post(b"{} {}"), 400, "unexpected content after JSON"),
    ("half a value", post(b'{"Name":'), 400, "unexpected EOF"),
    ("a type that is not JSON's", post(b"{}", headers=b"Content-Type: text/plain\r\n"), 400, "unsupported Content-Type"),
    ("two different lengths", CREATE + b"Content-Length: 2\r\nContent-Length: 3" + END + b"{}x", 400, "Content-Length"),
    ("a length and chunks", CREATE + b"Content-Length: 2\r\nTransfer-Encoding: chunked" + END + b"0" + END, 400, "ambiguous"),
    ("chunks twice", CREATE + CHUNKED + b"\r\n" + CHUNKED + END + b"0" + END, 501, "transfer encoding"),
    ("chunks under another name", CREATE + b"Transfer-Encoding: xchunked" + END + b"0" + END, 501, "transfer encoding"),
    ("a length with a sign", CREATE + b"Content-Length: +2" + END + b"{}", 400, "Content-Length"),
    ("a length beyond 64 bits", CREATE + b"Content-Length: 99999999999999999999" + END, 400, "Content-Length"),
    ("a chunk with a sign", CREATE + CHUNKED + END + b"-1\r\n", 400, "chunked"),
    ("a space before the colon", get(b"/v1.41/services", b"Content-Length : 5\r\n"), 400, "header line"),
    ("a folded line", get(b"/v1.41/services", b"A: b\r\n c\r\n"), 400, "header line"),
    ("an absolute address", get(b"http://elsewhere/v1.41/services"), 200, ""),
    ("another scheme", get(b"file:///etc/passwd"), 400, "request target"),
    ("CONNECT", b"CONNECT docker:80 HTTP/1.1" + END, 400, "request target"),
    ("OPTIONS *", b"OPTIONS * HTTP/1.1" + END, 400, "request target"),
    ("an escape that is none", get(b"/v1.41/services/%zz"), 400, "request target"),
    ("an escaped byte that is no UTF-8", get(b"/v1.41/services/%ff"), 400, "request target"),
    ("an escaped zero", get(b"/v1.41/services/%00"), 404, "not found"),
    ("an escaped slash", get(b"/v1.41/services%2Fx%2Fnowhere"), 404, "page not found"),
    ("a name of 60 KB", get(b"/v1.41/services/" + b"a" * 60_000), 404, "not found"),
    ("an unknown path", get(b"/v1.41/nowhere"), 404, "page not found"),
    ("an unknown method", b"FROB /v1.41/services HTTP/1.1\r\nHost: d\r\nConnection: close" + END, 404, "page not found"),
    ("a newer version", get(b"/v9.99/services"), 400, "too new"),
    ("a version of the past", get(b"/v1.1/services"), 400, "too old"),
    ("HTTP/2's beginning", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "protocol version"),
    ("TLS", bytes.fromhex("16030100") + b"\xa0\x01\x00\x00\x9c\x03\x03" + END, 400, ""),
    ("no request at all", b"hello" + END, 400, "request line"),
]
