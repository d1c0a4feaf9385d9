# SPDX-License-Identifier: Apache-2.0
from language import api, docker, quietly, settle

# Time for the scheduler to say why it cannot place a task.
PAUSE = quietly(docker("run --rm skep-web sleep 2"))

TOPICS = {
    "nodes": [
        docker("node ls"), docker("node ls --quiet"), docker("node ls --format '{{json .}}'"), docker("node ls --filter role=manager"),
        docker("node inspect self"), docker("node inspect --pretty self"), docker("node inspect n1"), docker("node inspect nothing"),
        docker("node ps"), docker("node ps nothing"), docker("node update --label-add zone=a n1"), docker("node update --label-rm other n1"),
        docker("node inspect --format '{{json .Spec}}' self"), docker("node update --availability pause n1"),
        docker("node update --availability lazy n1"), docker("node ls"), docker("node update --availability active n1"),
        docker("node update --role worker n1"), docker("node demote n1"), docker("node promote n1"), docker("node rm n1"),
        docker("node rm --force n1"), docker("node rm nothing"), docker("node update nothing"),
        api("GET", "/v1.41/nodes"), api("GET", "/v1.41/nodes/n1"), api("GET", "/v1.41/nodes/{node}"), api("GET", "/v1.41/nodes/self"),
        api("POST", "/v1.41/nodes/n1/update", {}), api("POST", "/v1.41/nodes/n1/update?version=x", {}),
        api("POST", "/v1.41/nodes/n1/update?version=1", {"Role": "manager", "Availability": "active"}, name="stale node version"),
        api("POST", "/v1.41/nodes/{node}/update?version={node-version}", {"Role": "boss", "Availability": "active"}, name="role boss"),
        api("POST", "/v1.41/nodes/{node}/update?version={node-version}", {"Role": "", "Availability": ""}, name="empty role"),
        api("POST", "/v1.41/nodes/{node}/update?version={node-version}", {"Role": "worker", "Availability": "active"}, name="demote the last"),
        api("POST", "/v1.41/nodes/{node}/update?version={node-version}", "{"), api("DELETE", "/v1.41/nodes/nothing"),
        api("DELETE", "/v1.41/nodes/{node}"), api("DELETE", "/v1.41/nodes/{node}?force=1"),
    ],
    "nodes: drain": [
        docker("service create --quiet --detach --no-resolve-image --name web --replicas 2 skep-web"), settle(), docker("node ps"),
        docker("node update --availability drain n1"), docker("service create --quiet --detach --no-resolve-image --name late skep-web"),
        PAUSE, docker("service ps --no-trunc --format '{{.Name}} {{.Error}}' late"), docker("node update --availability active n1"), settle(),
        docker("service ls"), docker("service rm web late"), settle(),
    ],
}
