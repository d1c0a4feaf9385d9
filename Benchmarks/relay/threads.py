# SPDX-License-Identifier: Apache-2.0
"""Whether two threads of the relay do twice the work of one. The load runs on the same cores, so it is asked in two ways."""
from statistics import median

import load
from balancers import Relay
from groups import held_to

HEAD = "{:<32} {:>8} {:>11} {:>11} {:>8}  {}"
LINE = "{:<32} {:>8} {:>11.0f} {:>11.1f} {:>8}  {}"
SHARE = 0.2


def compare(network, build, rounds, seconds, rows):
    relays = [Relay(build, 9200 + threads, threads=threads, name=f"relay-{threads}") for threads in (1, 2)]
    for relay in relays:
        relay.start(network)
    print(HEAD.format("row", "threads", "requests/s", "CPU µs", "ratio", "work of each thread"))
    for row in rows:
        report(row.title, [[load.measure(network, relay, row, seconds) for relay in relays] for _ in range(rounds)], "cpu")
        report(f"  each held to {SHARE:.0%} of a core", [held(network, relays, row, seconds) for _ in range(rounds)], "rate")


def held(network, relays, row, seconds):
    """The relay is the bottleneck then, not the load."""
    results = []
    for relay in relays:
        with held_to(SHARE, relay.process.pid, f"{network.id}-{relay.name}"):
            results.append(load.measure(network, relay, row, seconds))
    return results


def report(title, rounds, what):
    ratio = median(getattr(two, what) / getattr(one, what) for one, two in rounds)
    for index in range(2):
        results = [both[index] for both in rounds]
        work = sorted(results[-1].threads.values(), reverse=True)
        shares = " ".join(f"{spent / sum(work):.0%}" for spent in work if spent > 0.01 * sum(work))
        print(LINE.format(
            title if index == 0 else "", index + 1, median(result.rate for result in results),
            median(result.cpu for result in results), f"{ratio:.2f}" if index else "", shares), flush=True)
