#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens connections, asks for one file on each, says so, and keeps them until standard input ends: idle.py ADDRESS PORT COUNT."""
import resource
import socket
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
clients = []
for _ in range(count):
    client = socket.create_connection((address, port), timeout=10)
    client.sendall(b"GET /small HTTP/1.1\r\nHost: benchmark\r\n\r\n")
    if not client.recv(4096).startswith(b"HTTP/1.1 200"):
        raise SystemExit("no answer")
    clients.append(client)
print("ready", flush=True)
sys.stdin.read()
