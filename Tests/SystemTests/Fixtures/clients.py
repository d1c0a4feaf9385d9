# SPDX-License-Identifier: Apache-2.0
# Clients that curl and the load program cannot be. The last line of each says how it went.
import resource
import socket
import sys
import threading
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


def load(host, seconds, rate):
    """A connection for each request, at a steady rate. Of those that failed or were slow it says when."""
    results, begin, threads = [], time.monotonic(), []

    def one():
        at = time.monotonic()
        try:
            connection = connect(host)
            failure = None if answered(connection) else "a wrong answer"
            connection.close()
        except OSError as error:
            failure = str(error)
        results.append((at - begin, time.monotonic() - at, failure))

    print(f"began at {begin:.3f}")
    for number in range(int(float(seconds) * float(rate))):
        time.sleep(max(0, begin + number / float(rate) - time.monotonic()))
        threads.append(threading.Thread(target=one))
        threads[-1].start()
    for thread in threads:
        thread.join()
    for at, took, failure in sorted(results, key=lambda result: result[0]):
        if failure or took > 0.5:
            print(f"{at:.3f} s: {failure or 'slow'}, after {took:.3f} s")
    print(len(results), "requests,", len([result for result in results if result[2]]), "failed")


globals()[sys.argv[1]](*sys.argv[2:])
