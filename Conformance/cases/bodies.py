# SPDX-License-Identifier: Apache-2.0
"""What an API client sends in part, in other case or with zeros in it, and how it reads back. Nothing runs: no replicas."""
from language import api, settle


def spec(container=None, task=None, **service):
    template = {"ContainerSpec": {"Image": "skep-web", **(container or {})}, **(task or {})}
    return {"TaskTemplate": template, "Mode": {"Replicated": {"Replicas": 0}}, **service}


SPECS = {
    "zeros": spec({"TTY": False, "OpenStdin": False, "ReadOnly": False, "Init": False, "StopGracePeriod": 0, "Env": [], "Labels": {}}),
    "zero limits": spec(task={"Resources": {"Limits": {"NanoCPUs": 0, "MemoryBytes": 0, "Pids": 0}, "Reservations": {"NanoCPUs": 0}}}),
    "empty parts": spec({"DNSConfig": {}, "Healthcheck": {}, "Privileges": {}}, {"Resources": {}, "Placement": {}, "RestartPolicy": {}}),
    "an empty restart policy": spec(task={"RestartPolicy": {"Delay": 0, "Window": 0, "MaxAttempts": 0}}),
    "half a restart policy": spec(task={"RestartPolicy": {"Condition": "none"}}),
    "empty update configs": spec(UpdateConfig={}, RollbackConfig={}),
    "half an update config": spec(UpdateConfig={"Parallelism": 2, "Delay": 0, "Monitor": 0}),
    "an empty endpoint": spec(EndpointSpec={}),
    "half a port": spec(EndpointSpec={"Ports": [{"TargetPort": 80, "PublishedPort": 8077}]}),
    "a port of the host's choice": spec(EndpointSpec={"Ports": [{"TargetPort": 80, "PublishedPort": 0, "PublishMode": "host"}]}),
    "a port in capitals": spec(EndpointSpec={"Mode": "vip", "Ports": [{"TargetPort": 80, "Protocol": "UDP", "PublishMode": "HOST", "Name": "x"}]}),
    "a selinux context": spec({"Privileges": {"SELinuxContext": {"Disable": True}}}),
    "a credential spec with nothing": spec({"Privileges": {"CredentialSpec": {}}}),
    "a mount without a type": spec({"Mounts": [{"Source": "/tmp", "Target": "/x"}]}),
    "a mount in capitals": spec({"Mounts": [{"Type": "VOLUME", "Target": "/x"}]}),
    "mount options": spec({"Mounts": [
        {"Type": "bind", "Source": "/tmp", "Target": "/a", "ReadOnly": False, "BindOptions": {}},
        {"Type": "bind", "Source": "/tmp", "Target": "/b", "BindOptions": {"NonRecursive": True}},
        {"Type": "bind", "Source": "/tmp", "Target": "/c", "BindOptions": {"Propagation": "SHARED", "NonRecursive": False}},
        {"Type": "volume", "Target": "/d", "VolumeOptions": {"NoCopy": False, "Labels": {}, "DriverConfig": {}}},
        {"Type": "tmpfs", "Target": "/e", "TmpfsOptions": {"SizeBytes": 0, "Mode": 0}},
        {"Type": "bind", "Source": "/tmp", "Target": "/f", "Consistency": "cached"}]}),
    "a bad propagation": spec({"Mounts": [{"Type": "bind", "Target": "/x", "BindOptions": {"Propagation": "x"}}]}),
    "a zero health check": spec({"Healthcheck": {"Test": ["NONE"], "Interval": 0, "Timeout": 0, "StartPeriod": 0, "Retries": 0}}),
    "half a ulimit": spec({"Ulimits": [{"Name": "nofile"}]}),
    "preferences": spec(task={"Placement": {"Preferences": [{}, {"Spread": {}}], "Constraints": [], "MaxReplicas": 0, "Platforms": [{}]}}),
    "a log driver": spec(task={"LogDriver": {}}),
    "a driver without options": spec(task={"LogDriver": {"Name": "json-file", "Options": {}}}),
    "isolation x": spec({"Isolation": "x"}), "hyperv": spec({"Isolation": "HyperV"}),
    "generic resources": spec(task={"Resources": {"Reservations": {"GenericResources": [{"DiscreteResourceSpec": {"Kind": "gpu", "Value": 0}}]}}}),
    "negative pids": spec(task={"Resources": {"Limits": {"Pids": -1}}}), "a null mode": {**spec(), "Mode": None},
    "global": {**spec(task={"Placement": {"Constraints": ["node.role==worker"]}}), "Mode": {"Global": {}}},
    "no spec of a task": {"Mode": {"Replicated": {"Replicas": 0}}, "TaskTemplate": None},
    "html": spec({"Env": ["A=<b>&\u2028\u007f"]}, Labels={"<": ">"}),
}
TOPICS = {
    "specs over the API": [
        *[api("POST", "/v1.41/services/create", {**each, "Name": f"a{number}"}, name=f"create: {name}")
          for number, (name, each) in enumerate(SPECS.items())], settle(),
        *[api("GET", f"/v1.41/services/a{number}", name=f"read: {name}") for number, name in enumerate(SPECS)],
        *[api("GET", f"/v1.41/services/a{number}?insertDefaults=1", name=f"read with defaults: {name}") for number, name in enumerate(SPECS)],
        *[api("DELETE", f"/v1.41/services/a{number}", name=f"delete: {name}") for number, name in enumerate(SPECS)], settle(),
    ],
    "words of a request": [
        *[api("POST", "/v1.41/services/create", body, name=f"create with body {body!r}") for body in ("{}}", "{} x", " ", "nul", "[1", "{\"a\":tru}", "\"\\x\"", "{\"Name\":\"\\ud800\"")],
        api("POST", "/v1.41/services/create", "{}", name="create without a type", Content_Type=""),
        api("POST", "/v1.41/services/create", "{}", name="create of text", Content_Type="text/plain"),
        api("POST", "/v1.41/services/create", "{}", name="create of JSON in capitals", Content_Type="APPLICATION/JSON; charset=utf-8"),
        api("POST", "/v1.41/services/create", "{}", name="create of a bad type", Content_Type="a/b/c"),
        api("GET", "/v1.41/services?status=x"), api("GET", "/v1.40/services?status=x"), api("GET", "/v1.41/services?status="),
        api("GET", "/v1.41/services/none?insertDefaults=T"), api("GET", "/v1.41/services/none?insertDefaults="),
        api("POST", "/v1.41/services/none/update?version=+1", spec(), name="version +1"),
        api("POST", "/v1.41/services/none/update?version=99999999999999999999", spec(), name="a version too large"),
        api("POST", "/v1.41/services/none/update?version=1", spec({"Image": ""}), name="a bad update of none"),
        api("POST", "/v1.41/services/none/update?version=1", spec(task={"Runtime": "x"}), name="an update of none that cannot be read"),
        api("POST", "/v1.41/services/none/update?version=1&rollback=x&registryAuthFrom=x", spec(), name="options of an update of none"),
        api("POST", "/v1.41/swarm/unlock", "{"), api("POST", "/v1.41/swarm/join", "{"), api("POST", "/v1.41/nodes/none/update?version=1", "{"),
        api("GET", "/v1.41/nodes?filters={\"role\":[\"\"]}"), api("GET", "/v1.41/nodes?filters={\"membership\":[\"\"]}"), api("GET", "/v1.41/nodes?filters={\"role\":[\"MANAGER\"]}"),
        api("GET", "/v1.41/tasks?filters={\"desired-state\":[\"\"]}"), api("GET", "/v1.41/tasks?filters={\"desired-state\":[\"allocated\"]}"),
        api("GET", "/v1.41/tasks?filters={\"desired-state\":[\"RUNNING\",\"\"]}"), api("GET", "/v1.41/tasks?filters={\"service\":[]}"),
        api("GET", "/v1.41/services?filters={\"name\":{\"x\":false}}"), api("GET", "/v1.41/services?filters={\"name\":{\"x\":1}}"),
        api("GET", "/v1.41/networks?filters={\"name\":[\"^ingress$\"]}"), api("GET", "/v1.41/networks?filters={\"name\":[\"^gress\"]}"),
        api("GET", "/v1.41/networks?filters={\"name\":[\"in.*s\"],\"driver\":[\"overlay\"]}"), api("GET", "/v1.41/networks?filters={\"type\":[\"x\"]}"),
        api("GET", "/v1.41/networks?filters={\"dangling\":[\"x\"]}"), api("GET", "/v1.41/networks?filters={\"scope\":[\"x\"]}"),
        api("GET", "/v1.41/networks/ingress?verbose=x"), api("GET", "/v1.41/networks/ingress?scope=local"), api("GET", "/v1.41/networks/INGRESS"),
        api("GET", "/v1.41/networks/host?scope=swarm"), api("GET", "/v1.12/networks"), api("GET", "/v1.12/info"), api("GET", "/v1.12/_ping"), api("GET", "/v1.99/_ping"),
        api("HEAD", "/v1.41/services"), api("HEAD", "/v1.41/info"), api("POST", "/v1.41/swarm/leave?force=no"),
        api("GET", "/v1.41/nodes/"), api("GET", "/v1.41/tasks/none"), api("GET", "/v1.41//services"), api("GET", "/v1.41/services/%6eone"), api("GET", "/v1.41/services/a%2Fb"),
        api("GET", "/v1.41/configs/none"), api("GET", "/v1.41/secrets/none"),
    ],
}
