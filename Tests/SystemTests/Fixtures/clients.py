# SPDX-License-Identifier: Apache-2.0
# Clients that curl and the load program cannot be. The last line of each says how it went.
import os
import resource
import selectors
import socket
import sys
import time

REQUEST = b"GET /peer HTTP/1.1\r\nHost: a\r\n\r\n"


def connect(host, port=0):
    connection = socket.socket()
    connection.settimeout(5)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if port:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    connection.bind(("10.77.0.254", port))
    connection.connect((host, 8080))
    return connection


def answered(connection):
    connection.send(REQUEST)
    return b"10.77.0.254" in connection.recv(1000)


def same(port, *hosts):
    """One port of this host's, a connection to each of the hosts at the same time, three requests on each in turn."""
    connections = [connect(host, int(port)) for host in hosts]
    answers = [answered(connection) for _ in range(3) for connection in connections]
    print(answers.count(False), "failed")


def many(count, *hosts):
    """So many connections to each of the hosts, all of them kept open."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
    failed, kept = 0, []
    for _ in range(int(count)):
        for host in hosts:
            try:
                kept.append(connect(host))
                failed += not answered(kept[-1])
            except OSError as error:
                print(host, error)
                failed += 1
    print(failed, "failed")


def datagrams(host, port, count):
    """From a socket each; whom the answers say that they saw, each once."""
    seen = set()
    for _ in range(int(count)):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.settimeout(5)
        client.sendto(b"hello", (host, int(port)))
        seen.add(client.recv(1000).split()[-1].decode())
    print(" ".join(sorted(seen)))


class Load:
    """A connection for each request, at a steady rate; one thread for all of them, and never more than so many at a time."""

    REQUEST = REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    AT_ONCE = 800
    PATIENCE = 5

    def __init__(self, host):
        self.host, self.results, self.selector = host, [], selectors.DefaultSelector()
        # In the order in which they began, which is that in which patience with them ends.
        self.began, self.answers = {}, {}

    def start(self):
        connection = socket.socket()
        connection.setblocking(False)
        self.began[connection], self.answers[connection] = time.monotonic(), b""
        self.selector.register(connection, selectors.EVENT_WRITE)
        connection.connect_ex((self.host, 8080))

    def turn(self, seconds):
        """What the connections have to say within that time."""
        for key, events in self.selector.select(max(0, seconds)):
            try:
                self.go_on(key.fileobj, events)
            except OSError as error:
                self.end(key.fileobj, str(error))
        while self.began:
            connection, began = next(iter(self.began.items()))
            if time.monotonic() - began < self.PATIENCE:
                return
            self.end(connection, "timed out")

    def go_on(self, connection, events):
        if events & selectors.EVENT_WRITE:
            connection.send(self.REQUEST)
            self.selector.modify(connection, selectors.EVENT_READ)
            return
        data = connection.recv(1000)
        self.answers[connection] += data
        # The other side closes: the ports that wait for stragglers are its own, spread over the tasks.
        if not data:
            answer = self.answers[connection]
            self.end(connection, None if b"10.77.0.254" in answer else f"a wrong answer, {answer.splitlines()[-1:]}")

    def end(self, connection, failure):
        began = self.began.pop(connection)
        del self.answers[connection]
        self.selector.unregister(connection)
        connection.close()
        self.results.append((began, time.monotonic() - began, failure))


def load(host, seconds, rate, over=None):
    """For so many seconds, and where a file is named, until it is there. Of requests that failed or were slow it says when."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))
    begin, number, requests = time.monotonic(), 0, Load(host)
    print(f"began at {begin:.3f}")
    while number < float(seconds) * float(rate) or (over and not os.path.exists(over)):
        due = begin + number / float(rate)
        if due <= time.monotonic() and len(requests.began) < Load.AT_ONCE:
            requests.start()
            number += 1
        requests.turn(due - time.monotonic() if len(requests.began) < Load.AT_ONCE else 0.01)
    while requests.began:
        requests.turn(0.01)
    for at, took, failure in sorted(requests.results):
        if failure or took > 0.5:
            print(f"{at - begin:.3f} s: {failure or 'slow'}, after {took:.3f} s")
    print(len(requests.results), "requests,", len([result for result in requests.results if result[2]]), "failed")


globals()[sys.argv[1]](*sys.argv[2:])
