# SPDX-License-Identifier: Apache-2.0
"""Leads generated requests deeper than their first check: ids, names and versions of what is there."""
import json


class World:
    """What there is, as the API tells it; looked at anew every few requests."""

    def __init__(self, client, get):
        self.client, self.get, self.age = client, get, 0
        self.objects = {"services": [], "tasks": [], "nodes": [], "networks": []}
        self.swarm = {}

    def refresh(self):
        self.age -= 1
        if self.age > 0:
            return
        self.age = 20
        for kind in self.objects:
            found = self.get(f"/{kind}")
            self.objects[kind] = found if isinstance(found, list) else []
        swarm = self.get("/swarm")
        self.swarm = swarm if isinstance(swarm, dict) else {}

    def kind(self, path):
        return path.split("/")[1]

    def pick(self, kind, chosen):
        found = self.objects.get(kind) or []
        return chosen.choice(found) if found else None


def reference(thing, chosen):
    """An id, a part of it, or a name."""
    whole = thing.get("ID") or thing.get("Id") or ""
    name = thing.get("Name") or thing.get("Spec", {}).get("Name") or thing.get("Description", {}).get("Hostname") or whole
    return chosen.choice([whole, whole, whole, name, name.upper(), whole[:chosen.randrange(1, 12)], whole + "x"])


def filters(world, kind, chosen):
    """JSON that is nearly right for a list request."""
    thing = world.pick(kind, chosen) or {}
    values = [reference(thing, chosen), "running", "manager", "accepted", "fuzz", "a=b", "a=", "=", "", "true", "container", "swarm", "x"]
    keys = [
        "id", "name", "label", "mode", "runtime", "role", "membership", "node.label", "service", "node", "desired-state",
        "_up-to-date", "names", "driver", "scope", "type", "dangling", "nonsense", "until", "label!"]
    made = {}
    for key in chosen.sample(keys, chosen.randrange(0, 4)):
        some = chosen.sample(values, chosen.randrange(0, 3))
        made[key] = chosen.choice([some, {value: True for value in some}, some, None, 1, [1], {"a": 1}])
    return json.dumps(made)
