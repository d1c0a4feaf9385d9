# SPDX-License-Identifier: Apache-2.0
"""Specs that no flag can say: what is read back, and what the container was given."""
from language import api, container, docker, quietly, settle

IMAGE = "skep-web"


def spec(name, container=None, task=None, image=IMAGE, **service):
    template = {"ContainerSpec": {"Image": image, **(container or {})}, **(task or {})}
    return {"Name": name, "TaskTemplate": template, "Mode": {"Replicated": {"Replicas": 1}}, **service}


def env(*texts):
    return {"Env": [f"A{number}={text}" for number, text in enumerate(texts)]}


RUN = {
    "empty parts": dict(
        task={"RestartPolicy": {}, "Resources": {}, "Placement": {}, "LogDriver": {}, "Networks": []},
        UpdateConfig={}, RollbackConfig={}, EndpointSpec={}),
    "empty lists": dict(
        container={
            "Labels": {}, "Command": [], "Args": [], "Env": [], "Groups": [], "Hosts": [], "Mounts": [], "Secrets": [], "Configs": [],
            "Sysctls": {}, "Ulimits": [], "DNSConfig": {}, "Privileges": {}, "Healthcheck": {}, "Hostname": "", "Dir": "", "User": "",
        },
        task={"Resources": {"Limits": {}, "Reservations": {"GenericResources": []}}, "Placement": {"Constraints": [], "Preferences": [{}]}},
        Labels=None),
    "zeros": dict(
        container={"StopGracePeriod": 0, "Init": False, "TTY": False, "ReadOnly": False, "Healthcheck": {"Test": ["NONE"], "Retries": 0}},
        task={
            "Resources": {"Limits": {"NanoCPUs": 0, "MemoryBytes": 0, "Pids": 0}},
            "RestartPolicy": {"Delay": 0, "MaxAttempts": 0, "Window": 0}, "Placement": {"MaxReplicas": 0}, "ForceUpdate": 7,
            "Runtime": "container",
        },
        UpdateConfig={"Parallelism": 0, "Delay": 0, "Monitor": 0, "MaxFailureRatio": 0}),
    "capitals": dict(
        container={"Mounts": [{"Type": "TMPFS", "Target": "/t"}, {"Type": "Bind", "Source": "/usr", "Target": "/u", "BindOptions": {"Propagation": "RSLAVE"}}]},
        EndpointSpec={"Ports": [{"Protocol": "UDP", "TargetPort": 53, "PublishedPort": 8190, "PublishMode": "HOST"}]}),
    "a mount without a type": dict(container={"Mounts": [{"Source": "/usr", "Target": "/u"}]}),
    "mounts with empty options": dict(container={"Mounts": [
        {"Type": "volume", "Source": "specs", "Target": "/d", "Consistency": "cached", "VolumeOptions": {}},
        {"Type": "volume", "Source": "specs2", "Target": "/d2", "VolumeOptions": {"DriverConfig": {}}},
        {"Type": "bind", "Source": "/usr", "Target": "/u", "BindOptions": {}}, {"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {}},
        {"Type": "bind", "Source": "/etc", "Target": "/e", "BindOptions": {"NonRecursive": True}},
    ]}),
    "options of another type": dict(container={"Mounts": [{"Type": "tmpfs", "Target": "/t", "VolumeOptions": {"NoCopy": True}}]}),
    "mounts by template": dict(container={"Mounts": [{
        "Type": "volume", "Source": "v-{{.Service.Name}}-{{.Task.Slot}}", "Target": "/d/{{.Node.Hostname}}",
        "VolumeOptions": {"Labels": {"a": "{{.Service.Name}}"}, "DriverConfig": {"Name": "local", "Options": {}}}}]}),
    "SELinux": dict(container={"Privileges": {"SELinuxContext": {"User": "u", "Role": "r", "Type": "t", "Level": "l"}}}),
    "SELinux off": dict(container={"Privileges": {"SELinuxContext": {"Disable": True, "User": "u"}}}),
    "hosts": dict(container={"Hosts": ["10.1.2.3 db alias", "10.1.2.4\tother", "bad", " 10.1.2.5  spaced ", "::1 six"], "StopGracePeriod": 1_500_000_000}),
    "pids below zero": dict(task={"Resources": {"Limits": {"Pids": -1}}}),
    "log options without a driver": dict(task={"LogDriver": {"Options": {"max-size": "1m"}}}),
    "a ulimit without end": dict(container={"Ulimits": [{"Name": "core", "Hard": -1, "Soft": -1}, {"Name": "nproc", "Soft": 5000, "Hard": 6000}]}),
    "a terminal with input": dict(container={"TTY": True, "OpenStdin": True, "Command": ["/bin/sh"]}),
    "ports of the host": dict(EndpointSpec={"Mode": "dnsrr", "Ports": [
        {"Name": "one", "TargetPort": 80, "PublishedPort": 8191, "PublishMode": "host"}, {"TargetPort": 81, "PublishMode": "host"}]}),
    "one target, two ports of the host": dict(EndpointSpec={"Ports": [
        {"TargetPort": 80, "PublishedPort": 8192, "PublishMode": "host"}, {"TargetPort": 80, "PublishedPort": 8193, "PublishMode": "host"}]}),
    "ports left open": dict(EndpointSpec={"Ports": [{"TargetPort": 80}, {"TargetPort": 81}, {"TargetPort": 80, "Protocol": "udp"}]}),
    "a host's and an ingress port of one target": dict(EndpointSpec={"Ports": [
        {"TargetPort": 80, "PublishedPort": 8194}, {"TargetPort": 80, "PublishedPort": 8195, "PublishMode": "host"}]}),
    "an image by its whole name": dict(image="docker.io/library/skep-web:latest"),
    "platforms": dict(task={"Placement": {"Platforms": [{}, {"OS": "windows"}], "Preferences": [{"Spread": {"SpreadDescriptor": "node.labels.x"}}]}}),
    "platform amd64": dict(task={"Placement": {"Platforms": [{"Architecture": "amd64", "OS": "linux"}]}}),
    "dnsrr without ports": dict(EndpointSpec={"Mode": "dnsrr"}),
    "no replicas said": dict(Mode={"Replicated": {}}),
    "no mode": dict(Mode={}),
    "everywhere": dict(Mode={"Global": {}}, EndpointSpec={"Mode": "vip"}),
    "names": dict(container={
        "Hostname": "{{.Service.Name}}-{{.Node.Hostname}}",
        **env("{{.Service.Name}}", "{{.Task.Slot}}", "{{.Node.Hostname}}", "{{.Node.Platform.OS}} {{.Node.Platform.Architecture}}",
              '{{index .Service.Labels "x"}}', "{{.Service.Labels}}", '{{join "-" .Service.Name .Task.Slot}}', '{{"a\\"b"}}', "{{`raw`}}",
              "x {{- .Task.Slot -}} y", "a{{/* note */}}b", "{{.Node}}")}, Labels={"x": "y"}),
    "pipelines": dict(container=env(
        '{{.Task.Slot | printf "%03s"}}', '{{printf "%s-%d-%v-%q" .Service.Name 3 true "x"}}', "{{len .Service.Name}}", '{{print 1 "a" 2 3}}',
        '{{println "a"}}', '{{(index .Service.Labels "x") | html}}', '{{urlquery "a b&c"}}', '{{js "it\'s"}}', '{{slice .Service.Name 0 2}}',
        '{{index .Service.Labels "x" | len}}', "{{1}} {{-2}} {{0x10}} {{true}} {{1.5}}", '{{printf "%5s|%-5s|%05d|%+d|%x|%.2f|%q" "a" "b" -42 7 255 1.5 "c"}}',
        '{{printf "%d %s" "x"}} {{printf "a" 1 "b"}}', "{{print .Node.Platform}} {{.Task.Slot | print 1 2}}", '{{eq 1 2 1}} {{le 2 2}} {{not ""}}',
        '{{index "abc" 1}} {{slice "abcdef" 4}}', "{{len .Service.Labels}}"), Labels={"x": "<y>"}),
    "conditions": dict(container=env(
        '{{if eq .Task.Slot "1"}}first{{else}}other{{end}}', '{{if and .Service.Name (not "")}}both{{end}}', '{{if or "" "b"}}{{or "" "b"}}{{end}}',
        '{{with $x := .Service.Name}}{{$x}}{{end}}', '{{range $k, $v := .Service.Labels}}{{$k}}={{$v}};{{end}}', "{{range .Service.Labels}}{{.}},{{else}}none{{end}}",
        '{{$a := "q"}}{{$a}}{{if true}}{{$a = "r"}}{{end}}{{$a}}', "{{with $n := .Node}}{{$n.Hostname}} {{.Platform.OS}}{{end}}", "{{(.Node).Hostname}}",
        '{{if lt 1 2}}less{{else if gt 1 2}}more{{end}}', '{{if ne .Node.Hostname "n9"}}not{{end}}', "{{with $}}{{.Task.Slot}}{{end}}",
        '{{range $k, $v := .Service.Labels}}{{if eq $k "a"}}{{continue}}{{end}}{{$k}}{{break}}{{end}}'),
        Labels={"x": "y", "a": "b"}),
}
# What a node, the scheduler or the engine refuses; the task says why, and is not tried again.
REFUSED = {
    "a relative target": dict(container={"Mounts": [{"Type": "volume", "Source": "v", "Target": "d"}]}),
    "no target": dict(container={"Mounts": [{"Type": "tmpfs"}]}),
    "a relative bind source": dict(container={"Mounts": [{"Type": "bind", "Source": "etc", "Target": "/d"}]}),
    "a volume with a path": dict(container={"Mounts": [{"Type": "volume", "Source": "/etc", "Target": "/d"}]}),
    "a volume with a bad name": dict(container={"Mounts": [{"Type": "volume", "Source": "a b", "Target": "/d"}]}),
    "a tmpfs with a source": dict(container={"Mounts": [{"Type": "tmpfs", "Source": "x", "Target": "/d"}]}),
    "a source by template": dict(container={"Mounts": [{"Type": "bind", "Source": "{{.Node.Hostname}}", "Target": "/d"}]}),
    "isolation process": dict(container={"Isolation": "process"}),
    "an unknown ulimit": dict(container={"Ulimits": [{"Name": "x", "Hard": 1, "Soft": 1}]}),
    "soft above hard": dict(container={"Ulimits": [{"Name": "nofile", "Hard": 1, "Soft": 2}]}),
    "an unknown sysctl": dict(container={"Sysctls": {"kernel.x": "1"}}),
    "an unknown capability": dict(container={"CapabilityAdd": ["CAP_X"]}),
    "an unknown user": dict(container={"User": "nobody-here"}),
    "an unknown group": dict(container={"Groups": ["nogroup-here"]}),
    "a relative directory": dict(container={"Dir": "tmp"}),
    "a bad signal": dict(container={"StopSignal": "SIGX"}),
    "a bad name server": dict(container={"DNSConfig": {"Nameservers": ["x"]}}),
    "a bad address of a host": dict(container={"Hosts": ["x name"]}),
    "a long host name": dict(container={"Hostname": "a" * 70}),
    "an unknown log driver": dict(task={"LogDriver": {"Name": "x"}}),
    "an unknown log option": dict(task={"LogDriver": {"Name": "json-file", "Options": {"x": "y"}}}),
    "a command that is not there": dict(container={"Command": ["/bin/nothing"]}),
    "a command that fails": dict(container={"Command": ["/bin/sh", "-c", "exit 3"]}),
    "a command that is killed": dict(container={"Command": ["/bin/sh", "-c", "kill -9 $$"]}),
    "too little memory": dict(container={}, task={"Resources": {"Limits": {"MemoryBytes": 4 << 20}}}),
    "a port that a container has": dict(EndpointSpec={"Ports": [{"TargetPort": 80, "PublishedPort": 8199, "PublishMode": "host"}]}),
    "an image that is not there": dict(image="no-such-image:1"),
    "no platform": dict(task={"Placement": {"Platforms": [{"OS": "windows"}]}}),
    "a driver that is not there": dict(container={"Mounts": [{"Type": "volume", "Source": "v", "Target": "/d", "VolumeOptions": {"DriverConfig": {"Name": "x"}}}]}),
    "an unknown key": dict(task={"Placement": {"Constraints": ["planet!=earth"]}}),
    "named resources": dict(task={"Resources": {"Reservations": {"GenericResources": [{"NamedResourceSpec": {"Kind": "gpu", "Value": "a"}}]}}}),
    "an ill container": dict(container={"Healthcheck": {"Test": ["CMD", "false"], "Interval": 1_000_000_000, "Retries": 2}}),
    "an ill container that fails": dict(
        container={"Command": ["/bin/sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done"],
                   "Healthcheck": {"Test": ["CMD", "false"], "Interval": 1_000_000_000, "Retries": 2}}),
    "an end on request": dict(container={"Command": ["/bin/sh", "-c", "exit 0"]}),
}
ONCE = {"Condition": "none"}


def created(name, title, fields):
    return api("POST", "/v1.41/services/create", spec(name, **fields), name=f"create: {title}")


def refused(fields):
    return {**fields, "task": {**fields.get("task", {}), "RestartPolicy": ONCE}}


def tasks(name, title):
    return api("GET", f"/v1.41/tasks?filters={{\"service\":[\"{name}\"]}}", name=f"tasks: {title}")


def titled(step, title):
    step.name = f"{step.name}: {title}"
    return step


RUNNING = {f"r{number}": each for number, each in enumerate(RUN.items())}
VOLUME = next(f"v-{name}-1" for name, (title, _) in RUNNING.items() if title == "mounts by template")
FAILING = {f"q{number}": each for number, each in enumerate(REFUSED.items())}
TOPICS = {
    "fields by the API": [
        *[created(name, title, fields) for name, (title, fields) in RUNNING.items()], settle(),
        *[api("GET", f"/v1.41/services/{name}", name=f"read back: {title}") for name, (title, _) in RUNNING.items()],
        *[titled(container(name), title) for name, (title, _) in RUNNING.items()],
        *[tasks(name, title) for name, (title, _) in RUNNING.items()],
        docker(f"volume inspect --format '{{{{.Labels}}}} {{{{.Driver}}}}' {VOLUME} specs specs2"),
        docker("service rm " + " ".join(RUNNING)), settle(), quietly(docker(f"volume rm specs specs2 {VOLUME}")),
        created("x", "isolation x", dict(container={"Isolation": "x"})), quietly(docker("service rm x")),
    ],
    "fields that a node refuses": [
        quietly(docker("run --detach --name taken --publish 8199:80 skep-web")),
        *[created(name, title, refused(fields)) for name, (title, fields) in FAILING.items()],
        quietly(docker("run --rm skep-web sleep 12")),
        *[tasks(name, title) for name, (title, _) in FAILING.items()],
        docker("service rm " + " ".join(FAILING)), settle(), quietly(docker("rm --force taken")),
    ],
}
