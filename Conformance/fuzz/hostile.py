# SPDX-License-Identifier: Apache-2.0
"""Clients that are broken or mean no good, raw on the socket: what they are told, and what others notice of them."""
import json
import re
import resource
import socket
import statistics
import time

from shapes import END, SHAPES, get, post


class Hostile:
    def __init__(self, host, daemon, problem):
        self.host, self.daemon, self.problem = host, daemon, problem

    def all(self):
        for name, content, status, text in SHAPES:
            began = time.monotonic()
            answer = self.exchange(content() if callable(content) else [content])
            took = time.monotonic() - began
            found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
            if not found or int(found.group(1)) != status or text.encode() not in answer:
                self.problem(f"{name}: {answer[:300]!r} and not {status} {text!r}")
            elif took > 20:
                self.problem(f"{name}: took {took:.1f} s")
            self.host.call("DELETE", "/v1.41/services/odd")
        self.pipelined()
        self.crowd()
        print(f"{len(SHAPES)} odd requests, and a crowd")

    def connect(self):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Waits for its turn where the queue is full, which a socket with a time limit does not.
        client.connect(self.host.socket)
        client.settimeout(60)
        return client

    def exchange(self, parts):
        """What is answered, also to somebody who goes on sending."""
        with self.connect() as client:
            try:
                for part in parts:
                    client.sendall(part)
            except OSError:
                pass
            return self.receive(client)

    @staticmethod
    def receive(client):
        """Up to the end, or as long as a message may be."""
        answer = b""
        try:
            while part := client.recv(65_536):
                answer += part
                found = re.search(rb"\r\nContent-Length: (\d+)\r\n", answer, re.IGNORECASE)
                if found and len(answer.split(END, 1)[-1]) >= int(found.group(1)) and END in answer:
                    break
        except OSError:
            pass
        return answer

    def pipelined(self):
        with self.connect() as client:
            client.sendall(b"GET /_ping HTTP/1.1\r\nHost: d" + END)
            client.sendall((b"GET /v1.41/services/none HTTP/1.1\r\nHost: d" + END) * 500 + get(b"/_ping"))
            answer = b""
            while part := client.recv(65_536):
                answer += part
        if answer.count(b"HTTP/1.1 404 ") != 500 or answer.count(b"HTTP/1.1 200 ") != 2:
            self.problem(f"of 500 requests sent at once {answer.count(b'HTTP/1.1 404 ')} were answered")

    def crowd(self):
        """Thousands who keep their connections and say nothing, or not all; one who works as ever among them."""
        resource.setrlimit(resource.RLIMIT_NOFILE, (20_000, max(20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
        quiet = self.latency()
        memory, descriptors = self.daemon.memory, self.daemon.descriptors
        clients = []
        for number in range(5_000):
            clients.append(self.connect())
            clients[-1].sendall((b"", b"GET /v1.41/serv", post(b"x" * 50_000)[:40_000], b"POST /_ping HTTP/1.1\r\nA: ")[number % 4])
        # The queue of those not yet accepted is the system's, and full until they are.
        deadline = time.monotonic() + 60
        while self.daemon.descriptors < descriptors + len(clients) and time.monotonic() < deadline:
            time.sleep(0.05)
        during = self.latency()
        peak = self.daemon.memory
        status, _, error = self.host.docker(["service", "ls"])
        for client in clients:
            client.close()
        if not self.daemon.calms(memory + (64 << 20), descriptors + 10):
            self.problem(f"after 5,000 connections {self.daemon.descriptors - descriptors} descriptors and much memory are kept")
        print(
            f"5,000 connections: a request takes {quiet * 1000:.1f} ms without them, {during * 1000:.1f} ms among them; "
            f"{memory >> 20} MiB before, {peak >> 20} MiB with them, {self.daemon.memory >> 20} MiB after")
        if status != 0:
            self.problem(f"docker service ls among 5,000 connections: {error}")
        if during > quiet * 5 + 0.05:
            self.problem("others slow a client down")
        if peak > memory + (512 << 20):
            self.problem("5,000 connections take more than 512 MiB")

    def latency(self):
        """The median of a request on a connection of its own."""
        times, failures = [], 0
        for _ in range(40):
            began = time.monotonic()
            status, _, body = self.host.call("GET", "/v1.41/services")
            times.append(time.monotonic() - began)
            failures += status != 200 or not isinstance(json.loads(body), list)
        if failures:
            self.problem(f"of 40 requests {failures} are not answered")
        return statistics.median(times)
