# SPDX-License-Identifier: Apache-2.0
"""See `run`, which starts this with the interpreter that has what it needs."""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import checks
import groups
import schema
import worker
from client import Client, Sent
from daemon import Daemon
from hostile import Hostile
from hosts import ROOT, Host
from shape import readable

FAILED = os.path.join(ROOT, ".build", "fuzz", "failed.jsonl")
# What a daemon may hold after all requests beyond what it held after the first of them.
MEMORY, DESCRIPTORS = 64 << 20, 10


def main():
    parser = argparse.ArgumentParser(usage="Conformance/fuzz/run [options]")
    parser.add_argument("--requests", type=int, default=1_000, metavar="N", help="per group")
    parser.add_argument("--only", default="", metavar="REGEX", help="groups")
    parser.add_argument("--seed", type=int, default=None, metavar="N")
    parser.add_argument("--schema", default=None, metavar="FILE")
    parser.add_argument("--replay", default=None, metavar="FILE")
    parser.add_argument("--keep", action="store_true", help="leave the host up")
    options = parser.parse_args()
    schema.load(options.schema)
    for product in ("skep", "skepd", "skep-relay"):
        subprocess.run(["swift", "build", "--product", product], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    host = Host("fuzz", engine_only=False)
    try:
        host.up()
        host.docker(["swarm", "init"])
        return Run(host, options).replay() if options.replay else Run(host, options).all()
    finally:
        None if options.keep else host.down()


class Run:
    def __init__(self, host, options):
        self.host, self.options, self.daemon, self.problems = host, options, Daemon(host.socket), 0
        self.seed = random.randrange(2**32) if options.seed is None else options.seed
        self.failed = []

    def all(self):
        names = [name for name in groups.GROUPS if re.search(self.options.only, name)]
        print(f"seed {self.seed}", flush=True)
        few = max(20, self.options.requests // 20)
        # The first requests bring what stays: code pages, caches, pools.
        total = self.groups(names, few, "warm-up")
        self.quiet()
        before = (self.daemon.memory, self.daemon.descriptors) if self.daemon.lives else (0, 0)
        total += self.groups(names, self.options.requests, "")
        if self.alive() and re.search(self.options.only, "hostile"):
            Hostile(self.host, self.daemon, self.problem).all()
        if self.alive():
            self.consistent()
            self.settled(*before)
        self.write()
        print(f"{total} requests, {self.problems} problems")
        return 1 if self.problems else 0

    def groups(self, names, count, what):
        """Two at a time; what makes and leaves swarms alone."""
        results = []
        shared = [name for name in names if name != "life"]
        number = self.seed + (1 if what else 0)
        with ProcessPoolExecutor(2) as pool:
            waiting = [pool.submit(worker.run, name, self.host.socket, number, self.options.schema, count) for name in shared]
            results += [self.report(each.result(), what) for each in waiting]
            if "life" in names and self.daemon.lives:
                self.plain("POST", "/v1.41/swarm/leave?force=1")
                life = pool.submit(worker.run, "life", self.host.socket, number, self.options.schema, count)
                results.append(self.report(life.result(), what))
                self.plain("POST", "/v1.41/swarm/leave?force=1")
                self.host.docker(["swarm", "init"])
        return sum(result.sent for result in results)

    def report(self, result, what):
        rate = result.seconds / max(1, result.sent) * 1000
        if not what or result.problems:
            print(
                f"== {result.group} {what}: {result.sent} requests in {result.seconds:.0f} s ({rate:.0f} ms each), "
                f"slowest {result.slowest:.1f} s, {self.tally(result)}", flush=True)
        for endpoint, problem, line, answer in result.problems[:5]:
            print(f"{endpoint}: {problem}\n    {readable(Sent.of(line))}\n    {answer}", flush=True)
        self.problems += len(result.problems)
        self.failed += [line for _, _, line, _ in result.problems] + result.last
        return result

    def tally(self, result):
        counts = {}
        for key, number in result.statuses.items():
            counts[key.split()[-1]] = counts.get(key.split()[-1], 0) + number
        return ", ".join(f"{number} x {status}" for status, number in sorted(counts.items()))

    def alive(self):
        if not self.daemon.lives:
            self.problem(f"skepd ended; its log is {self.host.directory}/n1/skepd.log")
            with open(f"{self.host.directory}/n1/skepd.log", errors="replace", encoding="utf-8") as log:
                print(log.read()[-4000:])
        return self.daemon.lives

    def consistent(self):
        """After all that, a service comes and goes as ever."""
        self.quiet()
        status, output, error = self.host.docker(["service", "ls", "--quiet"])
        if status != 0 or output.strip():
            self.problem(f"docker service ls: {status} {output} {error}")
        name = "after-all"
        status, output, error = self.host.docker(["service", "create", "--quiet", "--name", name, "--detach", "skep-web"])
        if status != 0 or not self.host.settle():
            self.problem(f"a service made at the end has no running task: {output} {error} {self.host.json('/v1.41/tasks')}")
        self.host.docker(["service", "rm", name])
        self.quiet()
        if self.host.json("/v1.41/tasks"):
            self.problem(f"tasks without a service stay: {json.dumps(self.host.json('/v1.41/tasks'))[:1000]}")

    def quiet(self, limit=60):
        """Waits until the tasks of removed services are gone."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and self.daemon.lives and self.host.json("/v1.41/tasks"):
            time.sleep(0.2)

    def settled(self, memory, descriptors):
        if not self.daemon.calms(memory + MEMORY, descriptors + DESCRIPTORS):
            self.problem(f"skepd holds {MEMORY >> 20} MiB or {DESCRIPTORS} descriptors more than after the first requests")
        print(
            f"skepd: {memory >> 20} MiB and {descriptors} descriptors before, {self.daemon.memory >> 20} MiB and "
            f"{self.daemon.descriptors} after")

    def problem(self, text):
        self.problems += 1
        print(text, flush=True)

    def plain(self, method, target):
        return self.host.call(method, target, timeout=60)

    def write(self):
        if not self.failed:
            return
        with open(FAILED, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in self.failed))
        print(f"to send these again: Conformance/fuzz/run --replay {FAILED}")

    def replay(self):
        client = Client(self.host.socket)
        with open(self.options.replay, encoding="utf-8") as file:
            lines = [line for line in file if line.strip()]
        for line in lines:
            sent = Sent.of(line)
            answer = client.send(sent, 1)
            problem = checks.wrong(sent, answer)
            text = answer.body[:300].decode(errors="replace")
            print(f"{readable(sent)}\n    {answer.status} {text}\n    {problem or 'well'}", flush=True)
            self.problems += bool(problem)
            if not self.alive():
                break
        print(f"{len(lines)} requests, {self.problems} problems")
        return 1 if self.problems else 0


if __name__ == "__main__":
    sys.exit(main())
