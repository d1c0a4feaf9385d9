# SPDX-License-Identifier: Apache-2.0
"""Registry credentials, without a registry: what is taken, what comes back, and which tasks a change of them touches."""
import base64
import json

from language import api, docker, quietly, settle

MISSING = "127.0.0.1:5000/no/such"
PAUSE = quietly(docker("run --rm skep-web sleep 2"))


def credentials(user):
    return base64.urlsafe_b64encode(json.dumps({"username": user, "password": "p", "serveraddress": "127.0.0.1:5000"}).encode()).decode()


def spec(name, image, **template):
    return {"Name": name, "TaskTemplate": {"ContainerSpec": {"Image": image}, **template}, "Mode": {"Replicated": {"Replicas": 1}}}


def create(name, image, auth, **template):
    return api("POST", "/v1.41/services/create", spec(name, image, **template), name=f"create {name}", X_Registry_Auth=auth)


def update(name, image, auth=None, query="", **template):
    headers = {} if auth is None else {"X_Registry_Auth": auth}
    path = f"/v1.41/services/{name}/update?version={{version:{name}}}{query}"
    return api("POST", path, spec(name, image, **template), name=f"update {name}{query}" + (" with credentials" if auth else ""), **headers)


def tasks(name):
    return docker(f"service ps --no-trunc --format '{{{{.DesiredState}}}} {{{{.Image}}}} {{{{.Error}}}}' {name}")


NEVER = {"RestartPolicy": {"Condition": "none"}}
TOPICS = {
    "registry credentials": [
        create("a", "skep-web", credentials("a")), create("anonymous", "skep-web", "e30="), create("malformed", "skep-web", "no base64 !"),
        create("empty", "skep-web", ""), settle(),
        api("GET", "/v1.41/services/a"), api("GET", "/v1.41/services/malformed"), api("GET", "/v1.41/tasks/{task:}"),
        # A running task needs no other credentials than it had.
        update("a", "skep-web", credentials("b")), settle(), PAUSE, tasks("a"),
        update("a", "skep-web"), update("a", "skep-web", query="&registryAuthFrom=spec"), update("a", "skep-web", query="&registryAuthFrom=previous-spec"),
        update("a", "skep-web", query="&rollback=previous"), settle(), PAUSE, tasks("a"),
        docker("service inspect --format '{{json .UpdateStatus.State}} {{json .PreviousSpec}}' a"),
        docker("service rm a anonymous malformed empty"), settle(),
    ],
    "registry credentials: images that are not there": [
        docker(f"service create --quiet --detach --restart-condition none --with-registry-auth --name resolved {MISSING}"),
        api("GET", f"/v1.41/distribution/{MISSING}/json"), api("GET", f"/v1.41/distribution/{MISSING}/json", name="with credentials", X_Registry_Auth=credentials("a")),
        create("a", MISSING, credentials("a"), **NEVER), PAUSE, tasks("resolved"), tasks("a"),
        # One that has failed is tried again with others, and only with others.
        update("a", MISSING, credentials("a"), **NEVER), PAUSE, tasks("a"),
        update("a", MISSING, **NEVER), PAUSE, tasks("a"),
        update("a", MISSING, credentials("b"), **NEVER), PAUSE, tasks("a"),
        docker("service rm a resolved"), settle(),
    ],
}
