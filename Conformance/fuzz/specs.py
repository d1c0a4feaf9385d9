# SPDX-License-Identifier: Apache-2.0
"""Bodies that are nearly right: a whole spec with something odd in it, or with parts of what was generated."""
import copy

# What arithmetic fails at.
EXTREMES = [
    0, 1, -1, 2, 999_999, 1_000_000, 4 << 20, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**31),
    -(2**63), 10**30, 0.5, -0.5, 1e308, 65_535, 65_536, 30_000]
NEVER = "node.labels.fuzz==never"
IMAGE = "skep-web"


def extremes(value, chosen, chance):
    """Puts extreme numbers in place of some."""
    if isinstance(value, dict):
        return {key: extremes(each, chosen, chance) for key, each in value.items()}
    if isinstance(value, list):
        return [extremes(each, chosen, chance) for each in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and chosen.random() < chance:
        return chosen.choice(EXTREMES)
    return value


def full_spec():
    """A service that uses every number, list and map there is."""
    return {
        "Name": "", "Labels": {"a": "b", "skep.drain.timeout": "1s", "skep.ready.timeout": "1s", "skep.lb.strategy": "round-robin"},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": IMAGE, "Labels": {"c": "d"}, "Hostname": "{{.Service.Name}}-{{.Task.Slot}}", "Env": ["A=b", "N={{.Node.ID}}"],
                "Dir": "/", "User": "0", "Groups": ["1"], "TTY": False, "ReadOnly": False,
                "Mounts": [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1 << 20, "Mode": 0o777}}],
                "StopSignal": "TERM", "StopGracePeriod": 1_000_000_000,
                "HealthCheck": {
                    "Test": ["CMD", "true"], "Interval": 10**9, "Timeout": 10**9, "Retries": 3, "StartPeriod": 10**9},
                "Hosts": ["10.1.1.1 x"], "DNSConfig": {"Nameservers": ["10.1.1.1"], "Search": ["x"], "Options": ["timeout:1"]},
                "Init": True, "Sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"}, "CapabilityAdd": ["NET_RAW"],
                "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 2048}],
            },
            "Resources": {
                "Limits": {"NanoCPUs": 10**9, "MemoryBytes": 64 << 20, "Pids": 50},
                "Reservations": {
                    "NanoCPUs": 10**6, "MemoryBytes": 4 << 20,
                    "GenericResources": [{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 1}}]}},
            "RestartPolicy": {"Condition": "any", "Delay": 10**8, "MaxAttempts": 2, "Window": 10**9},
            "Placement": {
                "Constraints": ["node.role==manager"], "Preferences": [{"Spread": {"SpreadDescriptor": "node.labels.x"}}],
                "MaxReplicas": 3, "Platforms": [{"Architecture": "amd64", "OS": "linux"}]},
            "ForceUpdate": 1, "LogDriver": {"Name": "json-file", "Options": {"max-size": "1m"}},
        },
        "Mode": {"Replicated": {"Replicas": 1}},
        "UpdateConfig": {
            "Parallelism": 1, "Delay": 10**6, "FailureAction": "pause", "Monitor": 10**6, "MaxFailureRatio": 0.5, "Order": "stop-first"},
        "RollbackConfig": {
            "Parallelism": 1, "Delay": 10**6, "FailureAction": "pause", "Monitor": 10**6, "MaxFailureRatio": 0.5, "Order": "stop-first"},
        "EndpointSpec": {"Mode": "vip", "Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishMode": "ingress"}]},
    }


def graft(spec, generated, chosen):
    """Takes some parts of `spec` away and puts some of what was generated in."""
    for key in list(spec):
        if key in generated and chosen.random() < 0.12:
            spec[key] = generated[key]
        elif isinstance(spec[key], dict) and isinstance(generated.get(key), dict):
            graft(spec[key], generated[key], chosen)
        elif chosen.random() < 0.08:
            del spec[key]
    for key in generated:
        if key not in spec and chosen.random() < 0.05:
            spec[key] = generated[key]
    return spec


ODD_STRINGS = [
    "", "\0", "a" * 70_000, "{{", "{{.Node.ID", "{{.Service.Labels}}", "{{index .Service.Labels \"a\"}}", "\u202e", "../..", "=", " ", "\n",
    "é", "\ud800", "-1", "node.id!=x", "node.ip==10.0.0.0/8", "127.0.0.1", "::1", "99999999999999999999s", "-5s", "1e9h"]


def leaves(value, path=()):
    """Where the strings, numbers and booleans are."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        return [path]
    return [leaf for key, each in items for leaf in leaves(each, path + (key,))]


def one_odd(value, chosen):
    """One thing in it, or two, is not what it should be; all else stays right."""
    for _ in range(chosen.choice([1, 1, 2])):
        places = leaves(value)
        if not places or not places[0]:
            return value
        path = chosen.choice(places)
        # At times a whole branch.
        path = path if chosen.random() < 0.85 else path[:chosen.randrange(1, len(path) + 1)]
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = odd(holder[path[-1]], chosen)
    return value


def odd(old, chosen):
    if isinstance(old, (int, float)) and not isinstance(old, bool) and chosen.random() < 0.9:
        return chosen.choice(EXTREMES)
    if isinstance(old, str) and chosen.random() < 0.8:
        return chosen.choice(ODD_STRINGS)
    if isinstance(old, list) and old and chosen.random() < 0.5:
        return old * chosen.choice([2, 300])
    return chosen.choice([None, {}, [], "x", 1, -1, True, [None], {"x": None}, [[]]])


def service_spec(generated, current, name, chosen):
    """Of a new service, or of the one that is to be changed."""
    base = copy.deepcopy(current) if current and chosen.random() < 0.6 else full_spec()
    if chosen.random() < 0.5:
        spec = one_odd(base, chosen)
    else:
        spec = extremes(graft(base, generated if isinstance(generated, dict) else {}, chosen), chosen, chosen.choice([0, 0.08]))
    if chosen.random() < 0.9:
        spec["Name"] = current["Name"] if current else name
    return spec


def tame(spec, chosen):
    """Bounds what a spec would cost the engine: at most two tasks, in most cases none that is ever placed."""
    if not isinstance(spec, dict):
        return
    for mode in [value for key, value in spec.items() if key.lower() == "mode" and isinstance(value, dict)]:
        for inner in [value for value in mode.values() if isinstance(value, dict)]:
            for key, value in inner.items():
                if key.lower() == "replicas" and isinstance(value, (int, float)) and 2 < value < 2**63:
                    inner[key] = int(value) % 3
    template = spec.get("TaskTemplate")
    if isinstance(template, dict) and chosen.random() < 0.7:
        placement = template.setdefault("Placement", {})
        if isinstance(placement, dict):
            constraints = placement.get("Constraints")
            placement["Constraints"] = (constraints if isinstance(constraints, list) else []) + [NEVER]
