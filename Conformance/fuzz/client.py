# SPDX-License-Identifier: Apache-2.0
"""Puts requests on Skep's socket, one connection for many of them, and times the answers."""
import http.client
import json
import os
import socket
import sys
import time
from dataclasses import dataclass, field

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from hosts import UnixConnection


@dataclass
class Sent:
    """As it went out; what a replay needs."""

    method: str
    target: str
    headers: dict
    body: bytes = b""

    def line(self):
        return json.dumps([self.method, self.target, self.headers, self.body.decode("latin-1")])

    @classmethod
    def of(cls, line):
        method, target, headers, body = json.loads(line)
        return cls(method, target, headers, body.encode("latin-1"))


@dataclass
class Answer:
    """Status 0 with the reason as body where there was none."""

    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0
    cut: bool = False

    def header(self, name):
        return next((value for key, value in self.headers.items() if key.lower() == name), "")


class Client:
    def __init__(self, path, patience=30):
        self.path, self.patience, self.connection = path, patience, None

    def send(self, sent, taste=None):
        """`taste` is for how long a stream is read that may have no end."""
        began = time.monotonic()
        try:
            answer = self.exchange(sent, taste)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            answer = Answer(0, {}, f"{type(error).__name__}: {error}".encode())
        answer.seconds = time.monotonic() - began
        return answer

    def exchange(self, sent, taste):
        connection = self.connect()
        try:
            connection.putrequest(sent.method, sent.target, skip_accept_encoding=True)
            for name, value in sent.headers.items():
                connection.putheader(name, value)
            connection.endheaders(sent.body or None)
        except (BrokenPipeError, ConnectionResetError):
            # Refused before all of it was sent: the answer is there.
            pass
        answer = connection.getresponse()
        body, cut = self.read(answer, connection, taste)
        headers = dict(answer.getheaders())
        if cut or answer.will_close:
            self.close()
        return Answer(answer.status, headers, body, cut=cut)

    def read(self, answer, connection, taste):
        if taste is None:
            return answer.read(), False
        if connection.sock:
            connection.sock.settimeout(taste)
        parts = []
        try:
            while part := answer.read1(65536):
                parts.append(part)
        except (TimeoutError, socket.timeout):
            return b"".join(parts), True
        answer.close()
        if connection.sock:
            connection.sock.settimeout(self.patience)
        return b"".join(parts), False

    def connect(self):
        if self.connection is None:
            self.connection = UnixConnection(self.path, self.patience)
        return self.connection

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None
