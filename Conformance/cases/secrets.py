# SPDX-License-Identifier: Apache-2.0
"""Secrets and configs: both kinds go through the same, so that what differs between them is seen."""
import json

from language import Command, api, docker, events, inside, mark, quietly, settle

CREATE = "service create --quiet --detach --no-resolve-image"
KINDS = ("secret", "config")


def make(kind, name, data="hunter2", options=""):
    line = f"{kind} create {options} {name} -"
    return Command(f"docker {line}", arguments=line.split(), stdin=data)


def create(kind, name=None, version="1.41", **body):
    return api("POST", f"/v{version}/{kind}s/create", body, name=name or f"{kind} {version} {json.dumps(body)}"[:100])


def update(kind, body, version=None):
    version = "{%s-version:key}" % kind if version is None else version
    return api("POST", f"/v1.41/{kind}s/key/update?version={version}", json.dumps(body))


def life(kind):
    return [
        mark(), make(kind, "key", options="--label a=b"), make(kind, "key"), make(kind, "KEY"),
        make(kind, "form", "{{.Service.Name}}", "--template-driver golang --label c="), make(kind, "key.2"),
        docker(f"{kind} ls --format '{{{{.Name}}}}'", sort=True), docker(f"{kind} ls --filter name=ke --format '{{{{.Name}}}}'", sort=True),
        docker(f"{kind} ls --filter label=a=b --format '{{{{.Name}}}} {{{{.Labels}}}}'"), docker(f"{kind} ls --filter label=a=x"),
        api("GET", f'/v1.41/{kind}s?filters={{"name":["KEY"]}}'), api("GET", f'/v1.41/{kind}s?filters={{"name":["key"],"label":["a"]}}'),
        api("GET", f'/v1.41/{kind}s?filters={{"names":["key"]}}'), api("GET", f'/v1.41/{kind}s?filters={{"id":["{{{kind}:key}}"],"name":["form"]}}'),
        api("GET", f"/v1.41/{kind}s?filters={{"), api("GET", f'/v1.41/{kind}s?filters={{"x":["y"]}}'),
        docker(f"{kind} inspect key"), docker(f"{kind} inspect --pretty key"), api("GET", f"/v1.24/{kind}s"), api("GET", f"/v1.24/{kind}s/key"), docker(f"{kind} inspect form nothing"), api("GET", f"/v1.41/{kind}s/KEY"),
        update(kind, {"Name": "key", "Labels": {"x": "y"}}), docker(f"{kind} inspect key"), update(kind, {"Name": "key", "Data": "aHVudGVyMg=="}),
        update(kind, {"Name": "key", "Data": "aHVudGVyMw=="}), update(kind, {"Name": "key", "Data": ""}), update(kind, {"Name": "other"}),
        update(kind, {"Name": "KEY"}), update(kind, {"Name": "key", "Templating": {"Name": "golang"}}), docker(f"{kind} inspect key"),
        update(kind, {"Name": "key"}, "1"), update(kind, {"Name": "key"}, ""), update(kind, {"Name": "key"}, "x"), update(kind, {"Name": "key"}, "-1"),
        api("POST", f"/v1.41/{kind}s/nothing/update?version=1", {"Name": "key"}), api("DELETE", f"/v1.41/{kind}s/nothing"),
        docker(f"{kind} rm key.2"), docker(f"{kind} rm key nothing form"), docker(f"{kind} ls"),
        events(f"--filter type={kind}", f"{kind}s come and go"),
    ]


def refusals(kind):
    limit = 512000 if kind == "secret" else 1024000
    largest = "QUFB" * (limit // 3)
    return [
        create(kind), create(kind, Name=""), create(kind, Name="a"), create(kind, Name="a", Data=""), create(kind, Name="-a", Data="YQ=="),
        create(kind, Name="a.", Data="YQ=="), create(kind, Name="a b", Data="YQ=="), create(kind, Name="x" * 65, Data="YQ=="),
        create(kind, Name="a", Data="?"), create(kind, "data is no text", Name="a", Data=1), create(kind, "labels are no map", Name="a", Data="YQ==", Labels=[]),
        create(kind, f"the largest {kind}", Name="large", Data=largest), create(kind, f"one byte too many for a {kind}", Name="larger", Data=largest + "QUFB"),
        create(kind, Name="a", Driver={}), create(kind, Name="a", Data="YQ==", Driver={"Name": "nothing"}),
        create(kind, Name="old", Data="YQ==", Templating={"Name": "golang"}, version="1.36"), create(kind, Name="odd", Data="YQ==", Templating={"Name": "odd"}),
        create(kind, Name="none", Data="YQ==", Templating={}), docker(f"{kind} inspect odd"), docker(f"{kind} inspect none"),
        docker(f"{kind} rm a large odd none"),
    ]


def service(name, container, path="/v1.41/services/create"):
    body = {"Name": "web", "TaskTemplate": {"ContainerSpec": {"Image": "skep-web", **container}}, "Mode": {"Replicated": {"Replicas": 0}}}
    return api("POST", path, json.dumps(body), name=name)


def reference(kind, name="key", of=None, target="f", **more):
    word = kind.capitalize()
    file = {"File": {"Name": target, "UID": "0", "GID": "0", "Mode": 292}} if target is not None else {}
    return {f"{word}ID": "{%s:%s}" % (kind, name) if of is None else of, f"{word}Name": name, **file, **more}


def references(kind):
    word = kind.capitalize() + "s"
    one = lambda name, *refs, **more: service(f"{kind} reference: {name}", {word: list(refs), **more})
    return [
        make(kind, "key"), make(kind, "other"),
        one("nothing", {}), one("no target", reference(kind, target=None)), one("no name of a file", reference(kind, target="")),
        one("no id", reference(kind, of="")), one("no name", reference(kind, name="", of="x")),
        one("one target", reference(kind), reference(kind, "other")), one("one target by itself", reference(kind), reference(kind)),
        one("not there", reference(kind, "nothing", of="nothing")), one("neither there", reference(kind, "nothing", of="x"), reference(kind, "never", of="y", target="g")),
        one("another's id", reference(kind, "key", of="{%s:other}" % kind)), one("in capitals", reference(kind, "KEY", of="{%s:key}" % kind)),
        one("a runtime target", reference(kind, target=None, Runtime={})), api("GET", "/v1.41/services/web"), quietly(docker("service rm web")),
        one("both targets", reference(kind, Runtime={})), quietly(docker("service rm web")),
        one("twice", reference(kind), reference(kind, target="/g")), api("GET", "/v1.41/services/web"),
        docker(f"{kind} rm key"), docker(f"{CREATE} --name web2 --replicas 0 --{kind} key skep-web"), docker("service inspect web2"),
        docker(f"service update --quiet --detach --{kind}-rm key --{kind}-add source=other,target=new,mode=0440,uid=5,gid=6 web2"),
        docker("service inspect web2"), docker(f"{kind} rm key"), docker("service rm web"), docker(f"{kind} rm key other"), docker("service rm web2"),
        docker(f"{kind} rm other"),
    ]


FORM = """{{.Service.Name}} {{.Task.Slot}} {{env "A"}} {{config "/plain"}} {{secret "key"}} [{{.Node.Hostname}}{{.Node.Platform.OS}}]"""

PAUSE = quietly(docker("run --rm skep-web sleep 3"))
ENDED = docker("service ps --no-trunc --format '{{.DesiredState}} {{.CurrentState}} {{.Error}}' web")


def failure(data, options="--template-driver golang"):
    """What becomes of a task whose config cannot be made."""
    return [
        make("config", "form", data, options), docker(f"{CREATE} --name web --restart-condition none --config source=form,target=/form skep-web"), PAUSE,
        ENDED, docker("service rm web"), docker("config rm form"),
    ]


TOPICS = {
    **{f"secrets: life of a {kind}": life(kind) for kind in KINDS},
    **{f"secrets: refusals of a {kind}": refusals(kind) for kind in KINDS},
    **{f"secrets: references to a {kind}": references(kind) for kind in KINDS},
    "secrets: credential specs": [
        make("config", "key"), service("a credential spec from nowhere", {"Privileges": {"CredentialSpec": {"Config": "nothing"}}}),
        service("a credential spec without a reference", {"Privileges": {"CredentialSpec": {"Config": "{config:key}"}}}),
        service("a credential spec", {"Privileges": {"CredentialSpec": {"Config": "{config:key}"}}, "Configs": [reference("config", target=None, Runtime={})]}),
        docker("service inspect web"), docker("service scale --detach web=1"), quietly(docker("service ls")), docker("service rm web"), docker("config rm key"),
        service("a credential spec of an old client", {"Privileges": {"CredentialSpec": {"Config": "x", "File": "y"}}}, "/v1.39/services/create"),
        docker("service inspect web"), docker("service rm web"),
    ],
    "secrets: that cannot be given": [
        *failure('{{secret "key"}}'), *failure("{{.Nope}}"), *failure("{{"), *failure('{{env "nothing"}}'), *failure("x", "--template-driver odd"),
        make("secret", "key"), docker(f"{CREATE} --name web --restart-delay 60s --secret key skep-web"), settle(),
        docker("service update --quiet --detach --secret-rm key --replicas 0 web"), settle(), docker("secret rm key"),
        docker("service rollback --quiet --detach web"), PAUSE, ENDED, docker("service rm web"),
        make("secret", "key"), docker(f"{CREATE} --name web --restart-condition none --secret source=key,uid=root skep-web"), PAUSE, ENDED,
        docker("service rm web"), docker("secret rm key"),
    ],
    "secrets: in containers": [
        make("secret", "key"), make("config", "plain", "a=b"), make("config", "form", FORM, "--template-driver golang"),
        docker(f"{CREATE} --name web --env A=1 --secret key --secret source=key,target=/etc/deep/key,uid=1000,gid=33,mode=0400 "
               "--config source=plain,target=/plain --config source=form,target=etc/form,mode=0750 skep-web"), settle(),
        inside("web", "cat /run/secrets/key /etc/deep/key /plain /etc/form"), inside("web", "stat -c '%a %u %g %s %F' /run/secrets/key /plain /etc/form"),
        inside("web", "echo x > /run/secrets/key"), inside("web", "rm /plain"), inside("web", "grep -c -E ' (/run/secrets/key|/etc/deep/key|/plain|/etc/form) tmpfs ro,' /proc/mounts"),
        inside("web", "ls /run/secrets /etc/deep"),
        docker("service inspect web"), docker("service update --quiet --detach --secret-rm key --secret-add source=key,target=new --config-rm form web"), settle(),
        inside("web", "ls /run/secrets; ls /etc/form; cat /run/secrets/new"), docker("service rollback --quiet --detach web"), settle(),
        inside("web", "ls /run/secrets; cat /etc/form"), docker("service rm web"), docker("secret rm key"), docker("config rm plain form"),
    ],
}
