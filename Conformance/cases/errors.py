# SPDX-License-Identifier: Apache-2.0
"""Bad input, and the text that clients match on."""
from language import api, docker, settle


def create(name, spec, path="/v1.41/services/create"):
    return api("POST", path, spec, name=f"create: {name}")


def container(**fields):
    return {"Name": "e", "TaskTemplate": {"ContainerSpec": {"Image": "skep-web", **fields}}}


def task(**fields):
    return {"Name": "e", "TaskTemplate": {"ContainerSpec": {"Image": "skep-web"}, **fields}}


def service(**fields):
    return {"Name": "e", "TaskTemplate": {"ContainerSpec": {"Image": "skep-web"}}, **fields}


def port(**fields):
    return service(EndpointSpec={"Ports": [fields]})


TOPICS = {
    "errors: creating": [
        create("no body", ""), create("half a body", "{"), create("no object", "[]"), create("null", "null"), create("a number", "1"),
        create("an empty object", {}), create("a name of the wrong type", {"Name": 1}), create("replicas of text", service(Mode={"Replicated": {"Replicas": "1"}})),
        create("negative replicas", service(Mode={"Replicated": {"Replicas": -1}})), create("a fraction", service(Mode={"Replicated": {"Replicas": 1.5}})),
        create("two modes", service(Mode={"Replicated": {}, "Global": {}})), create("no name", {**service(), "Name": ""}),
        create("a bad name", {**service(), "Name": "a b"}), create("a name with a dot", {**service(), "Name": "a.b"}),
        create("a long name", {**service(), "Name": "a" * 64}), create("no image", {"Name": "e", "TaskTemplate": {"ContainerSpec": {}}}),
        create("a bad image", {"Name": "e", "TaskTemplate": {"ContainerSpec": {"Image": "A B"}}}), create("no task", {"Name": "e"}),
        create("no container", {"Name": "e", "TaskTemplate": {}}), create("runtime x", task(Runtime="x")), create("plugin without spec", task(Runtime="plugin")),
        create("tiny cpu", task(Resources={"Limits": {"NanoCPUs": 1}})), create("tiny memory", task(Resources={"Limits": {"MemoryBytes": 1}})),
        create("tiny reservation", task(Resources={"Reservations": {"MemoryBytes": 1}})),
        create("restart condition", task(RestartPolicy={"Condition": "sometimes"})), create("restart delay", task(RestartPolicy={"Delay": -1})),
        create("restart window", task(RestartPolicy={"Window": -1})), create("bad constraint", task(Placement={"Constraints": ["node.role"]})),
        create("bad key", task(Placement={"Constraints": ["a b==c"]})), create("bad value", task(Placement={"Constraints": ["node.role==a b c"]})),
        create("update action", service(UpdateConfig={"FailureAction": "x"})), create("update order", service(UpdateConfig={"Order": "x"})),
        create("update delay", service(UpdateConfig={"Delay": -1})), create("update ratio", service(UpdateConfig={"MaxFailureRatio": 2})),
        create("update monitor", service(UpdateConfig={"Monitor": -1})), create("rollback delay", service(RollbackConfig={"Delay": -1})),
        create("mount twice", container(Mounts=[{"Type": "tmpfs", "Target": "/x"}, {"Type": "tmpfs", "Target": "/x"}])),
        create("mount type", container(Mounts=[{"Type": "x", "Target": "/x"}])), create("health interval", container(Healthcheck={"Interval": 1})),
        create("health retries", container(Healthcheck={"Retries": -1})), create("bad template", container(Env=["A={{.Nothing}}"])),
        create("bad hostname", container(Hostname="{{.X}}")), create("bad mount template", container(Mounts=[{"Type": "volume", "Source": "{{.X}}", "Target": "/x"}])),
        create("resolution mode", service(EndpointSpec={"Mode": "x"})), create("dnsrr with ingress", service(EndpointSpec={"Mode": "dnsrr", "Ports": [{"TargetPort": 80}]})),
        create("a port twice", service(EndpointSpec={"Ports": [{"TargetPort": 80, "PublishedPort": 8080}, {"TargetPort": 81, "PublishedPort": 8080}]})),
        create("port of text", port(TargetPort="80")), create("negative port", port(TargetPort=-1)),
        create("mount propagation", container(Mounts=[{"Type": "bind", "Source": "/usr", "Target": "/x", "BindOptions": {"Propagation": "x"}}])),
        create("resolution mode in capitals", service(EndpointSpec={"Mode": "VIP"})), create("a plugin with replicas", task(Runtime="plugin", PluginSpec={})),
        create("a network attachment", task(Runtime="attachment", NetworkAttachmentSpec={"ContainerID": "x"})), create("privileges of text", container(Privileges="x")),
        create("an invalid template of a label", container(Mounts=[{"Type": "volume", "Target": "/x", "VolumeOptions": {"Labels": {"a": "{{.X}}"}}}])),
        create("an open template", container(Env=["A={{"])), create("a template with an unknown function", container(Env=["A={{env \"A\"}}"])),
        create("the same mount by template", container(Mounts=[{"Type": "tmpfs", "Target": "/1"}, {"Type": "tmpfs", "Target": "/{{.Task.Slot}}"}])),
        create("two dozen replicas too many", service(Mode={"Replicated": {"Replicas": 2**63}})), create("parallelism below zero", service(UpdateConfig={"Parallelism": -1})),
        create("attempts below zero", task(RestartPolicy={"MaxAttempts": -1})), create("retries of text", container(Healthcheck={"Retries": "1"})),
        create("swap without limit", task(Resources={"SwapBytes": 1})),
        create("network", task(Networks=[{"Target": "nothing"}])), create("ingress by hand", task(Networks=[{"Target": "ingress"}])),
        create("version in the future", service(), "/v1.99/services/create"), create("version of the past", service(), "/v1.12/services/create"),
        create("keys in any case", {"NAME": "e", "tasktemplate": {"containerspec": {"IMAGE": "skep-web"}}, "Unknown": 1}),
        create("a name that is taken", service()), create("a name that is taken, in other case", {**service(), "Name": "E"}),
        api("GET", "/v1.41/services/e"), docker("service rm e"), settle(),
    ],
    "errors: ports": [
        create("a port", {**port(TargetPort=80, PublishedPort=8080), "Name": "first"}), create("the same port", port(TargetPort=80, PublishedPort=8080)),
        create("the same port of the host", port(TargetPort=80, PublishedPort=8080, PublishMode="host")),
        create("the same number of udp", {**port(TargetPort=80, PublishedPort=8080, Protocol="udp", PublishMode="host"), "Name": "second"}),
        settle(), docker("service rm first second"), settle(),
    ],
    "errors: updating": [
        create("a service", service()), settle(),
        api("POST", "/v1.41/services/e/update", service(), name="no version"),
        api("POST", "/v1.41/services/e/update?version=x", service(), name="version x"),
        api("POST", "/v1.41/services/e/update?version=-1", service(), name="version -1"),
        api("POST", "/v1.41/services/e/update?version=1", service(), name="a stale version"),
        api("POST", "/v1.41/services/nothing/update?version=1", service(), name="update nothing"),
        api("POST", "/v1.41/services/e/update?version={version:e}", "{", name="half a body"),
        api("POST", "/v1.41/services/e/update?version={version:e}", {**service(), "Name": ""}, name="no name"),
        api("POST", "/v1.41/services/e/update?version={version:e}", {**service(), "Name": "other"}, name="another name"),
        api("POST", "/v1.41/services/e/update?version={version:e}", service(Mode={"Global": {}}), name="another mode"),
        api("POST", "/v1.41/services/e/update?version={version:e}&rollback=x", service(), name="rollback x"),
        api("POST", "/v1.41/services/e/update?version={version:e}&rollback=previous", service(), name="rollback without a past"),
        api("POST", "/v1.41/services/e/update?version={version:e}&registryAuthFrom=x", service(), name="registryAuthFrom x"),
        api("POST", "/v1.41/services/e/update?version={version:e}&registryAuthFrom=previous-spec", service(), name="no previous credentials"),
        api("POST", "/v1.41/services/e/update?version={version:e}", service(), name="an update without a change"),
        api("GET", "/v1.41/services/e"), docker("service rm e"), settle(),
    ],
    "errors: lookups and paths": [
        create("x1", {**service(), "Name": "x1"}), create("x2", {**service(), "Name": "x2"}), settle(),
        api("GET", "/v1.41/services/"), api("GET", "/v1.41/services/no-such-service"), api("GET", "/v1.41/tasks/no-such-task"), api("GET", "/v1.41/services/x1/nothing"),
        api("PUT", "/v1.41/services/x1"), api("POST", "/v1.41/services/x1"), api("PATCH", "/v1.41/services"), api("OPTIONS", "/v1.41/services"),
        api("GET", "/v1.99/services"), api("GET", "/v1.12/services"), api("GET", "/v1/services"), api("GET", "/vx/services"),
        api("GET", "/v1.41/nothing"), api("GET", "/services/x1"), api("DELETE", "/v1.41/services/no-such-service"), api("DELETE", "/v1.41/tasks/no-such-task"),
        docker("service rm x1 x2"), settle(),
    ],
}
