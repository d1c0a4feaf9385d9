# SPDX-License-Identifier: Apache-2.0
"""Sends one group's requests and notes what is wrong."""
import collections
import json
import random
import time
import zlib
from dataclasses import dataclass, field

import checks
import groups
import schema
import specs
from client import Client, Sent
from daemon import Daemon
from live import World
from shape import Shaper

# Services of a group that may be there at a time.
KEPT = 8


@dataclass
class Result:
    group: str
    sent: int = 0
    seconds: float = 0
    slowest: float = 0
    statuses: dict = field(default_factory=dict)
    # Endpoint, what is wrong, the request as a line for a replay, the answer's beginning.
    problems: list = field(default_factory=list)
    # The last requests before the daemon was gone.
    last: list = field(default_factory=list)


class Worker:
    def __init__(self, group, socket, number):
        self.group, self.socket, self.daemon = group, socket, Daemon(socket)
        # Apart from each other, so that a group alone gets the same requests as with all others.
        self.number = zlib.crc32(f"{number} {group}".encode())
        self.chosen = random.Random(self.number)
        self.client, self.helper = Client(socket), Client(socket)
        self.world = World(self.helper, self.get)
        self.shaper = Shaper(self.world, self.chosen, group)
        self.result, self.last = Result(group), collections.deque(maxlen=40)

    def run(self, description, count):
        began = time.monotonic()
        self.begin()
        for index, (method, path, number) in enumerate(groups.shares(self.group, count)):
            schema.generate(
                description, method, path, number, self.number + index, lambda request: self.one(method, path, request))
        self.result.seconds = time.monotonic() - began
        self.tidy(keep=0)
        return self.result

    def begin(self):
        """Something to ask about: a service whose task runs and speaks, one that waits for a node that will not come."""
        if self.group not in ("services", "tasks", "logs"):
            return
        for name, constraints in (("speaks", []), ("waits", [specs.NEVER])):
            speech = "while :; do echo out; echo err >&2; sleep 0.3; done"
            container = {"Image": specs.IMAGE, "Command": ["sh", "-c", speech], "Init": True}
            template = {"ContainerSpec": container, "Placement": {"Constraints": constraints}}
            spec = {"Name": f"{self.group}-{name}", "TaskTemplate": template, "Mode": {"Replicated": {"Replicas": 1}}}
            self.plain("POST", "/v1.41/services/create", json.dumps(spec).encode())

    def one(self, method, path, request):
        if not self.daemon.lives:
            self.result.last = self.result.last or [sent.line() for sent in self.last]
            return
        self.world.refresh()
        sent, taste = self.shaper.shape(method, path, request)
        self.last.append(sent)
        answer = self.client.send(sent, taste)
        self.note(f"{method} {path}", sent, answer)
        if self.group == "life":
            self.leave(path, answer)
        elif self.result.sent % 40 == 0:
            self.tidy(KEPT)

    def note(self, endpoint, sent, answer):
        result = self.result
        result.sent += 1
        result.slowest = max(result.slowest, answer.seconds)
        key = f"{endpoint} {answer.status}"
        result.statuses[key] = result.statuses.get(key, 0) + 1
        problem = checks.wrong(sent, answer) if self.daemon.lives else "the daemon ended"
        if problem:
            result.problems.append((endpoint, problem, sent.line(), f"{answer.status} {answer.body[:300].decode(errors='replace')}"))

    def leave(self, path, answer):
        """A swarm that a request made is left again at once in most cases, at last when the next are asked for their names."""
        if path == "/swarm/init" and answer.status == 200 and self.chosen.random() < 0.8:
            self.plain("POST", "/v1.41/swarm/leave?force=1")

    def tidy(self, keep):
        """Removes the group's services but the newest few, and undoes what would keep tasks from being placed."""
        found = self.get("/services")
        mine = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        others = tuple(name + "-" for name in groups.GROUPS if name != self.group)
        own = self.group + "-"
        # What was given another name is of the group that makes the most of them.
        mine = [
            each for each in mine
            if each["Spec"]["Name"].startswith(own) or self.group == "services" and not each["Spec"]["Name"].startswith(others)]
        # With the two that `begin` made at the end, so that they stay.
        mine.sort(key=lambda each: (each["Spec"]["Name"].endswith(("-speaks", "-waits")), each["CreatedAt"]))
        for service in mine[:len(mine) - keep]:
            self.plain("DELETE", f"/v1.41/services/{service['ID']}")
        for node in self.world.objects["nodes"] if self.group == "nodes" else []:
            current = self.get(f"/nodes/{node['ID']}")
            body = json.dumps({"Role": "manager", "Availability": "active", "Labels": {"fuzz": "x"}}).encode()
            self.plain("POST", f"/v1.41/nodes/{node['ID']}/update?version={current['Version']['Index']}", body)

    def plain(self, method, target, body=b""):
        return self.helper.send(Sent(method, target, {"Content-Type": "application/json"} if body else {}, body))

    def get(self, path):
        sent = Sent("GET", "/v1.41" + path, {})
        answer = self.helper.send(sent)
        try:
            return json.loads(answer.body) if answer.status == 200 else {}
        except ValueError:
            text = answer.body[:300].decode(errors="replace")
            self.result.problems.append((f"GET {path}", "an answer that is no JSON", sent.line(), text))
            return {}


def run(group, socket, number, description, count):
    return Worker(group, socket, number).run(schema.load(description), count)
