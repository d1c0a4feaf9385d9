# SPDX-License-Identifier: Apache-2.0
"""A client that costs little beside what it measures: one kept connection, no look into answers."""
import json
import socket
import time

HEAD_END, CHUNKS_END = b"\r\n\r\n", b"\r\n0\r\n\r\n"


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.buffer = bytearray(16 << 20)

    def close(self):
        self.socket.close()

    def call(self, method, path, body=None, expect=200):
        """The time from the first byte sent to the last received, in seconds, and the body's size. Any other status is an error."""
        head = f"{method} /v1.41{path} HTTP/1.1\r\nHost: docker\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        request = head.encode() + b"\r\n" + (body or b"")
        start = time.perf_counter()
        self.socket.sendall(request)
        self.length = self._receive()
        elapsed = time.perf_counter() - start
        status = int(self.buffer[9:12])
        if status != expect:
            raise RuntimeError(f"{method} {path}: {status} {bytes(self.buffer[self.begin:self.length]).decode(errors='replace')}")
        return elapsed, self.length - self.begin

    def json(self, method, path, body=None, expect=200):
        self.call(method, path, body, expect)
        text = bytes(self.buffer[self.begin:self.length])
        return json.loads(self._unchunked(text) if self.is_chunked else text)

    def _receive(self):
        """How many bytes the answer has. The end of chunks is looked for at the end only: JSON has no line feeds within."""
        view, count, self.begin, length = memoryview(self.buffer), 0, 0, None
        while True:
            got = self.socket.recv_into(view[count:])
            if not got:
                raise RuntimeError("the connection was closed")
            count += got
            if not self.begin:
                end = self.buffer.find(HEAD_END, 0, count)
                if end < 0:
                    continue
                self.begin = end + 4
                length = self._content_length(self.buffer[:end])
                self.is_chunked = length is None
            if length is None and self.buffer.endswith(CHUNKS_END, 0, count):
                return count
            if length is not None and count >= self.begin + length:
                return count

    @staticmethod
    def _content_length(head):
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return int(line.split(b":")[1])
        return 0 if b" 204 " in head[:16] else None

    @staticmethod
    def _unchunked(text):
        body = b""
        while True:
            size, _, text = text.partition(b"\r\n")
            if int(size, 16) == 0:
                return body
            body, text = body + text[: int(size, 16)], text[int(size, 16) + 2 :]
