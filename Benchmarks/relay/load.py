# SPDX-License-Identifier: Apache-2.0
"""One client's load through one balancer, and what came of it."""
import os
from dataclasses import dataclass

from network import BALANCER, FILES

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass
class Row:
    name: str
    title: str
    file: str = "small"
    connections: int = 64
    close: bool = False
    keep: bool = False
    # Requests a second over all connections; as fast as it goes when 0.
    rate: int = 0


ROWS = [
    Row("keepalive", "200 B, keep-alive"),
    Row("rate", "200 B, keep-alive, 5,000/s", rate=5000),
    Row("connections", "200 B, a connection each", close=True),
    Row("kept", "the same, client's address kept", close=True, keep=True),
    Row("1mb", "1 MB, keep-alive", file="1m", connections=16),
    Row("100mb", "100 MB, keep-alive", file="100m", connections=4),
]


@dataclass
class Result:
    rate: float
    cpu: float
    p50: float
    p99: float
    p999: float
    # Processor seconds of each thread.
    threads: dict


def measure(network, balancer, row, seconds):
    before = balancer.spent()
    generate = fixed_rate if row.rate else full_speed
    requests, duration, p50, p99, p999 = generate(network, balancer, row, seconds)
    threads = {thread: spent - before.get(thread, 0) for thread, spent in balancer.spent().items()}
    return Result(requests / duration, sum(threads.values()) / requests * 1e6, p50, p99, p999, threads)


def url(balancer, row):
    return f"http://{BALANCER}:{balancer.port}/{row.file}"


def full_speed(network, balancer, row, seconds):
    headers = ["-H", "Connection: close"] if row.close else []
    out = network.run(
        "c", "wrk", "-t1", f"-c{row.connections}", f"-d{seconds}s", "--timeout", "20s", "-s", f"{HERE}/wrk.lua", *headers,
        url(balancer, row))
    lines = [line for line in out.splitlines() if line.startswith("RESULT")]
    requests, duration, bytes_, failed, p50, p99, p999 = (int(number) for number in lines[0].split()[1:])
    if failed or not requests:
        raise SystemExit(f"{balancer.name}, {row.title}: {failed} of {requests} requests failed\n{out}")
    # The last answers are cut off half way, which is much when there are few.
    done = bytes_ / FILES[row.file] if FILES[row.file] > 1 << 16 else requests
    return done, duration / 1e6, p50, p99, p999


def fixed_rate(network, balancer, row, seconds):
    """All connections ask at the same moments, whether or not the others are answered: bursts, with rest between them."""
    log = f"{network.directory}/h2load.log"
    if os.path.exists(log):
        os.unlink(log)
    out = network.run(
        "c", "h2load", "--h1", "-t1", f"-c{row.connections}", f"-D{seconds}", f"--rps={row.rate / row.connections}",
        f"--log-file={log}", url(balancer, row))
    with open(log, encoding="utf8") as file:
        lines = [line.split() for line in file]
    if not lines or any(line[1] != "200" for line in lines):
        raise SystemExit(f"{balancer.name}, {row.title}: a request failed\n{out}")
    times = sorted(int(line[2]) for line in lines)
    return len(lines), seconds, *(times[int(len(times) * part)] for part in (0.5, 0.99, 0.999))
