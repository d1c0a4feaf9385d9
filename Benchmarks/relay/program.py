#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs a skep-relay with one round-robin listener, as skepd does: program.py SOCKET PORT ADDRESS:PORT..."""
import socket
import struct
import sys

path, port, endpoints = sys.argv[1], int(sys.argv[2]), [e.rsplit(":", 1) for e in sys.argv[3:]]


def text(value):
    return struct.pack(">H", len(value)) + value.encode()


table = struct.pack(">BQI", 1, 1, 1) + text("bench") + struct.pack(">HBBI", port, 6, 0, len(endpoints))
for number, (address, endpoint_port) in enumerate(endpoints):
    table += text(f"e{number}") + socket.inet_aton(address) + struct.pack(">HB", int(endpoint_port), 0)
table += struct.pack(">IH", 1, port)

listener = socket.create_server(("0.0.0.0", port), backlog=4096)
listener.setblocking(False)
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
control.connect(path)
control.recv(65536)
socket.send_fds(control, [bytes([1, 16, 0]) + table], [listener.fileno()])
while control.recv(65536)[1] != 2:
    pass
