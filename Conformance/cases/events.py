# SPDX-License-Identifier: Apache-2.0
from language import api, docker, events, follow, mark, quietly, settle

# Swarm mode removes containers a while after their service.
PAUSE = quietly(docker("run --rm skep-web sleep 3"))
CREATE = "service create --quiet --detach --no-resolve-image"
# Of what happened to one service and its node, by every filter; the engine's own events are among them.
FILTERS = [
    "--filter type=service", "--filter type=node", "--filter type=service --filter type=node", "--filter scope=swarm",
    "--filter scope=local --filter type=container --filter event=start", "--filter event=create --filter scope=swarm", "--filter event=remove",
    "--filter service=move", "--filter service=mo", "--filter service={id:move}", "--filter service=other", "--filter node=n1",
    "--filter node={node}", "--filter container=move --filter event=create", "--filter label=name=move", "--filter label=name",
    "--filter label=name= --filter scope=swarm", "--filter label=name=other", "--filter image=skep-web --filter event=create",
    "--filter network=ingress", "--filter secret=nothing", "--filter config=nothing", "--filter volume=nothing",
    "--filter daemon=nothing", "--filter plugin=nothing",
    "--filter x=y --filter scope=swarm", "--filter event=exec_create --filter event=up --filter scope=swarm", "--filter type=job",
]
TOPICS = {
    "events": [
        mark(), docker(f"{CREATE} --name move skep-web"), settle(), events("--filter scope=swarm", "create"),
        mark(), docker("service scale --detach move=2"), settle(), events("--filter scope=swarm", "scale"),
        mark(), docker("service update --quiet --env-add X=1 move"), settle(), events("--filter scope=swarm", "update"),
        mark(), docker("service update --quiet --no-resolve-image --image skep-web:latest move"), settle(),
        events("--filter scope=swarm", "another image"),
        mark(), docker("service rollback --quiet move"), settle(), events("--filter scope=swarm", "rollback"),
        mark(), docker("node update --label-add a=b n1"), events("--filter type=node", "a label"),
        mark(), docker("node update --availability pause n1"), events("--filter type=node", "pause"),
        docker("node update --availability active n1"), docker("node update --label-rm a n1"),
        mark(), docker("service rm move"), settle(), events("--filter scope=swarm", "rm"),
    ],
    "events: following": [
        follow("--filter scope=swarm", f"{CREATE} --name move --publish 8089:80 skep-web"),
        follow("--filter type=container --filter type=service", "service update --quiet --force move"),
        follow("--filter type=service --filter event=update", "service scale --detach move=3"),
        follow("--filter type=service", "service rm move"), PAUSE,
    ],
    "events: filters": [
        mark(), docker(f"{CREATE} --name move skep-web"), settle(), docker("node update --label-add a=b n1"),
        docker("node update --label-rm a n1"), docker(f"{CREATE} --name gone --replicas 0 skep-web"), docker("service rm gone"),
        *[events(each) for each in FILTERS],
        docker("service rm move"), settle(),
    ],
    "events: calls": [
        api("GET", "/v1.41/events?until=1"), api("GET", "/v1.41/events?since=x"), api("GET", "/v1.41/events?until=x"),
        api("GET", "/v1.41/events?since=2&until=1"), api("GET", "/v1.41/events?since=1&until=2"),
        api("GET", "/v1.41/events?until=1&filters={"), api("GET", "/v1.41/events?until=1&filters=[]"),
        api("GET", "/v1.41/events?until=1&filters={\"type\":\"service\"}"), api("GET", "/v1.41/events?until=1&filters={\"type\":{\"service\":true}}"),
        api("GET", "/v1.41/events?until=1&filters=null"), api("POST", "/v1.41/events"), api("GET", "/v1.41/events/x"), api("GET", "/v1.12/events?until=1"),
        docker("events --since yesterday"), docker("events --until 1 --filter type"), docker("system events --since 1 --until 2"),
        docker("events --filter type=service", timeout=2),
    ],
}
