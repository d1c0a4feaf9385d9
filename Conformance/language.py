# SPDX-License-Identifier: Apache-2.0
"""The words that cases are written in. Each becomes one step, done on both systems in the order of the file."""
import json
import re
import shlex
import time
from dataclasses import dataclass, field

import normal


@dataclass
class Step:
    name: str
    compared: bool = True

    def run(self, host):
        """The normalised outcome."""
        raise NotImplementedError


@dataclass
class Command(Step):
    """`docker …`, as a user types it. `{id:NAME}` becomes that service's id."""

    arguments: list = field(default_factory=list)
    stdin: str = ""
    timeout: float = 60
    sort: bool = False

    def run(self, host):
        arguments = [expand(each, host) for each in self.arguments]
        status, output, error = host.docker(arguments, self.stdin, self.timeout)
        lines = normal.output(output)
        if self.sort and isinstance(lines, list):
            lines = sorted(lines, key=str)
        return {"status": status, "stdout": lines, "stderr": normal.output(error)}


@dataclass
class Call(Step):
    """A request to the API. `{id:NAME}` and `{version:NAME}` in path and body are that service's, `{secret:NAME}` and
    `{secret-version:NAME}` that secret's, and so for configs; `{node}` is the node's id."""

    method: str = "GET"
    path: str = "/"
    body: object = None
    headers: dict = field(default_factory=dict)

    def run(self, host):
        status, headers, body = host.call(self.method, expand(self.path, host), self.content(host), self.headers)
        shown = {"status": status, "body": normal.body(body)}
        for header in ("Content-Type", "Api-Version", "Docker-Experimental", "Ostype", "Swarm"):
            if header in headers:
                shown[header] = headers[header]
        return shown

    def content(self, host):
        return expand(self.body, host) if isinstance(self.body, str) else self.body


@dataclass
class Settle(Step):
    """Waits until nothing changes any more."""

    def run(self, host):
        return {"settled": host.settle(), "unsettled": host.unsettled()}


@dataclass
class Mark(Step):
    """The moment from which `events` looks."""

    def run(self, host):
        host.mark = moment()
        return {}


@dataclass
class Events(Step):
    """What `docker events` tells of the time since the mark. Each once: how often one comes depends on the clock."""

    arguments: list = field(default_factory=list)

    def run(self, host):
        arguments = [expand(each, host) for each in self.arguments]
        command = ["events", "--since", host.mark, "--until", moment(), "--format", "{{json .}}", *arguments]
        status, output, error = host.docker(command)
        return {"status": status, "stderr": normal.output(error), **self.told(host, output)}

    def told(self, host, output):
        events = [json.loads(line) for line in output.splitlines()]
        # An object's time is taken a little before it is written.
        ordered = all(a["timeNano"] <= b["timeNano"] + 0.1e9 for a, b in zip(events, events[1:]))
        recent = all(event["timeNano"] >= float(host.mark) * 1e9 for event in events)
        return {
            "ordered": ordered, "recent": recent,
            "events": normal.listed([json.loads(each) for each in {self.shown(event) for event in events}]),
        }

    @staticmethod
    def shown(event):
        event = {key: value for key, value in event.items() if key not in ("time", "timeNano")}
        return json.dumps(normal.tree(event), sort_keys=True)


@dataclass
class Follow(Events):
    """The same as it is told while `meanwhile`, a docker command, is run and its outcome settles."""

    meanwhile: list = field(default_factory=list)

    def run(self, host):
        host.mark = moment()
        with host.start(["events", "--format", "{{json .}}", *self.arguments]) as following:
            # Until the command has connected there is nothing to see of it.
            time.sleep(1)
            host.docker(self.meanwhile)
            host.settle()
            time.sleep(1)
            ended = following.poll()
            following.terminate()
            output, error = following.communicate()
        return {"ended": ended, "stderr": normal.output(error), **self.told(host, output)}


def moment():
    return f"{time.time():.9f}"


PLACE = re.compile(r"\{((?:id|version|secret|config)(?:-version)?:[^{}]*|node|node-version|swarm-version)\}")


def expand(text, host):
    return PLACE.sub(lambda found: value(found.group(1), host), text)


def value(word, host):
    kind, _, name = word.partition(":")
    if kind == "id":
        return next((s["ID"] for s in host.json("/v1.41/services") if s["Spec"]["Name"] == name), "missing")
    if kind == "version":
        return next((str(s["Version"]["Index"]) for s in host.json("/v1.41/services") if s["Spec"]["Name"] == name), "0")
    if kind.partition("-")[0] in ("secret", "config"):
        kind, _, what = kind.partition("-")
        found = next((p for p in host.json(f"/v1.41/{kind}s") if p["Spec"]["Name"] == name), None)
        return str(found["Version"]["Index"]) if found and what else found["ID"] if found else "missing"
    if kind == "task":
        return next((t["ID"] for t in host.json("/v1.41/tasks") if t.get("Slot") == 1 and t["DesiredState"] == "running"), "missing")
    if word == "swarm-version":
        return str(host.json("/v1.41/swarm")["Version"]["Index"])
    nodes = host.json("/v1.41/nodes")
    return {"node": nodes[0]["ID"], "node-version": str(nodes[0]["Version"]["Index"])}.get(word, word) if nodes else "missing"


def docker(line, **options):
    return Command(f"docker {line}", arguments=shlex.split(line), **options)


def api(method, path, body=None, name=None, **headers):
    shown = name or f"{method} {path}" + (f" {body if isinstance(body, str) else ''}" if body is not None else "")
    return Call(shown[:160], method=method, path=path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def quietly(step):
    """Done, and not compared."""
    step.compared = False
    return step


def settle(what=""):
    return Settle(f"settle{' after ' if what else ''}{what}")


@dataclass
class Container(Step):
    """What the engine was told of a service's containers."""

    service: str = ""

    def run(self, host):
        filters = normal.quoted({"label": [f"com.docker.swarm.service.name={self.service}"]})
        found = host.json(f"/v1.41/containers/json?all=1&filters={filters}")
        details = [each for each in (host.json(f"/v1.41/containers/{each['Id']}/json") for each in found) if each]
        for each in details:
            # The engine keeps them in a map.
            each["Mounts"].sort(key=lambda mount: mount["Destination"])
        keys = ("Args", "Config", "HostConfig", "Image", "Mounts", "Name", "Path", "RestartCount")
        return {"containers": [normal.tree({key: each[key] for key in keys}) for each in details]}


@dataclass
class Inside(Step):
    """What a command says in the first container of a service. Its times are nobody's to repeat."""

    service: str = ""
    line: str = ""

    def run(self, host):
        filters = normal.quoted({"label": [f"com.docker.swarm.service.name={self.service}"]})
        found = host.json(f"/v1.41/containers/json?filters={filters}")
        if not found:
            return {"container": "missing"}
        status, output, error = host.docker(["exec", found[0]["Id"], "sh", "-c", self.line])
        return {"status": status, "stdout": normal.output(output), "stderr": normal.output(error)}


def inside(service, line):
    return Inside(f"in {service}: {line}"[:160], service=service, line=line)


def mark():
    return quietly(Mark("mark"))


def events(line="", what=""):
    return Events(f"events {line}{' after ' if what else ''}{what}", arguments=shlex.split(line))


def follow(line, meanwhile):
    return Follow(f"events {line} during {meanwhile}", arguments=shlex.split(line), meanwhile=shlex.split(meanwhile))


def container(service):
    return Container("the container", service=service)
