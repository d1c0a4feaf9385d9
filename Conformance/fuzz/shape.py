# SPDX-License-Identifier: Apache-2.0
"""From a generated request to the one that is sent."""
import json
import time
from urllib.parse import quote, unquote, urlsplit

import requests

import live
import specs
from client import Sent

NUMBERS = ["", "0", "1", "all", "-1", "5", "9" * 30, "1.5", "1.999999999", "x", "-5.5", str(2**63 - 1)]
VERSIONS = ["/v1.41"] * 16 + ["", "/v1.24", "/v1.30", "/v1.37", "/v1.40", "/v1.12", "/v1.99", "/v1.x", "/v99999999999999999999.1"]


class Shaper:
    def __init__(self, world, chosen, prefix):
        self.world, self.chosen, self.prefix, self.number = world, chosen, prefix, 0

    def shape(self, method, path, arguments):
        """As it goes out, and for how long its answer is read."""
        kind = self.world.kind(path)
        target = self.world.pick(kind, self.chosen) if self.likely(0.7) else None
        arguments["url"] = "http://docker" + self.chosen.choice(VERSIONS) + self.path(path, arguments["url"], target)
        query = arguments.get("params")
        query = arguments["params"] = query if isinstance(query, dict) else {}
        self.ask(path, kind, query, target)
        if isinstance(arguments.get("json"), dict):
            arguments["json"] = self.body(path, arguments["json"], target)
        if "json" in arguments:
            # As text of our own: numbers beyond what JSON knows are part of the trial.
            arguments["data"] = json.dumps(arguments.pop("json"))
            arguments["headers"].setdefault("Content-Type", "application/json")
        taste = 0.3 if "/logs" in path or path == "/events" else None
        return self.sent(arguments), taste

    def likely(self, chance):
        return self.chosen.random() < chance

    def path(self, path, url, target):
        if "{" in path and target and path.split("/")[1] in self.world.objects:
            return path.replace("{id}", quote(live.reference(target, self.chosen), safe=""))
        return urlsplit(url).path or path

    def ask(self, path, kind, query, target):
        if "filters" in query and self.likely(0.8):
            query["filters"] = live.filters(self.world, kind, self.chosen)
        if path.endswith("/update") and self.likely(0.85):
            thing = self.world.swarm if kind == "swarm" else target
            query["version"] = (thing or {}).get("Version", {}).get("Index", 0)
        if path.endswith("/services/{id}/update") and "rollback" in query and self.likely(0.7):
            query.pop("rollback")
        if path.endswith("/logs"):
            self.logs(query)
        if path == "/events":
            # So that it ends.
            query["until"] = str(int(time.time()) - self.chosen.randrange(0, 3))
        if path == "/swarm/leave" and kind == "swarm" and self.prefix != "life":
            query.pop("force", None)

    def logs(self, query):
        if self.likely(0.8):
            query["stdout"] = "1"
        for name in ("follow", "since", "tail", "timestamps", "details"):
            if self.likely(0.3):
                query[name] = self.chosen.choice(NUMBERS)
            elif name in query and self.likely(0.7):
                query.pop(name)

    def body(self, path, body, target):
        if path.startswith("/services/"):
            self.number += 1
            current = target.get("Spec") if target and path.endswith("/update") else None
            if self.likely(0.75):
                body = specs.service_spec(body, current, f"{self.prefix}-{self.number}", self.chosen)
            specs.tame(body, self.chosen)
            return body
        if path == "/networks/create" and isinstance(body.get("Driver", ""), str):
            # The engine looks for a driver that it does not know for 15 s.
            body["Driver"] = self.chosen.choice(["bridge", "bridge", "overlay", "macvlan", "host", ""])
        if self.likely(0.6):
            body = self.nearly(path, body, target)
            body = specs.one_odd(body, self.chosen) if self.likely(0.5) else specs.extremes(body, self.chosen, 0.08)
        return body

    def nearly(self, path, body, target):
        """The right shape for what is no service."""
        spec = (self.world.swarm if path.startswith("/swarm") else target or {}).get("Spec")
        if path.endswith("/update") and isinstance(spec, dict):
            spec = json.loads(json.dumps(spec))
            return spec if self.likely(0.4) else specs.graft(spec, body, self.chosen)
        if path == "/swarm/init":
            whole = {
                "ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "", "DataPathAddr": "", "DataPathPort": 4789, "ForceNewCluster": False,
                "DefaultAddrPool": ["10.0.0.0/8"], "SubnetSize": 24, "AutoLockManagers": False, "Availability": "active",
                "Spec": {"Labels": {}, "Orchestration": {"TaskHistoryRetentionLimit": 5}}}
            return whole if self.likely(0.3) else specs.graft(whole, body, self.chosen)
        return body

    def sent(self, arguments):
        made = requests.Request(**arguments).prepare()
        parts = urlsplit(made.url)
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        body = made.body or b""
        headers = {name: value if isinstance(value, str) else value.decode("latin-1") for name, value in made.headers.items()}
        return Sent(made.method, target, headers, body.encode() if isinstance(body, str) else bytes(body))


def readable(sent):
    return f"{sent.method} {unquote(sent.target)[:300]}"
