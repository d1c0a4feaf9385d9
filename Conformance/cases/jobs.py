# SPDX-License-Identifier: Apache-2.0
"""Services whose tasks run to their end."""
from language import api, container, docker, events, follow, mark, quietly, settle

CREATE = "service create --quiet --detach --no-resolve-image"
TASKS = "service ps --no-trunc --format '{{.Name}} {{.Image}} {{.Node}} {{.DesiredState}} {{.CurrentState}} {{.Error}}'"
# A global job asks for nothing before its tasks are made.
MADE = quietly(docker("run --rm skep-web sleep 1"))
COUNTS = docker("service ls --format '{{.Name}} {{.Mode}} {{.Replicas}}'")


def mode(body, **rest):
    return {"Name": "e", "TaskTemplate": {"ContainerSpec": {"Image": "skep-web", "Args": ["true"]}}, "Mode": body, **rest}


def create(name, spec, path="/v1.41/services/create"):
    return api("POST", path, spec, name=f"create a job: {name}")


def tasks(service, state):
    return docker(f"{TASKS} {service}", sort=True) if not state else docker(f"{TASKS} --filter desired-state={state} {service}", sort=True)


TOPICS = {
    "jobs: their life": [
        mark(),
        docker(f"{CREATE} --name life --mode replicated-job --replicas 5 --max-concurrent 2 --label a=1 skep-web echo done"), settle(),
        COUNTS, docker("service ls"), docker("service ls --filter mode=replicated-job --quiet"), docker("service ls --filter mode=replicated --quiet"),
        tasks("life", ""), docker("service ps life", sort=True), docker("service inspect life"), docker("service inspect --pretty life"),
        docker("service logs --raw life"), docker("service logs --no-trunc --raw life", sort=True),
        api("GET", "/v1.41/services/life"), api("GET", "/v1.41/services/life?insertDefaults=true"), api("GET", "/v1.40/services/life"),
        api("GET", "/v1.41/services?status=true"), api("GET", "/v1.40/services?status=true"), api("GET", "/v1.41/tasks?filters={\"service\":[\"life\"]}"),
        api("GET", "/v1.41/tasks?filters={\"service\":[\"life\"],\"_up-to-date\":[\"true\"]}"),
        api("GET", "/v1.41/tasks?filters={\"desired-state\":[\"complete\"]}"), api("GET", "/v1.41/tasks?filters={\"name\":[\"life.1\"]}"),
        events("--filter type=service", what="a life"),
        docker("service rm life"), settle(), COUNTS,
    ],
    "jobs: run again": [
        docker(f"{CREATE} --name again --mode replicated-job --replicas 3 skep-web echo done"), settle(), COUNTS,
        docker("service update --quiet --detach --force again"), settle(), COUNTS, tasks("again", ""), api("GET", "/v1.41/services/again", name="a job run twice"),
        docker("service update --quiet --detach --label-add a=b again"), settle(), COUNTS,
        docker("service update --quiet --detach --max-concurrent 1 again"), settle(), COUNTS, docker("service inspect --format '{{json .Spec.Mode}}' again"),
        docker("service scale --detach again=4"), settle(), COUNTS, docker("service inspect --format '{{json .Spec.Mode}}' again"),
        docker("service rollback --quiet --detach again"), settle(), COUNTS, docker("service inspect --format '{{json .Spec.Mode}} {{json .UpdateStatus}}' again"),
        api("GET", "/v1.41/services/again", name="a job rolled back"),
        docker("service rm again"), settle(),
    ],
    "jobs: updated while they run": [
        docker(f"{CREATE} --name busy --mode replicated-job --replicas 3 --stop-grace-period 1s skep-web sleep 1000"),
        quietly(docker("run --rm skep-web sleep 4")), COUNTS, tasks("busy", ""),
        docker("service update --quiet --detach --args 'echo done' busy"), settle(), COUNTS, tasks("busy", ""), docker("service rm busy"), settle(),
    ],
    "jobs: waited for": [
        docker("service create --quiet --no-resolve-image --name waited --mode replicated-job --replicas 3 skep-web true"), COUNTS,
        docker("service update --quiet --force waited"), COUNTS, docker("service update --quiet --max-concurrent 1 waited"), COUNTS,
        docker("service rm waited"), settle(),
        docker("service create --quiet --no-resolve-image --name nodes --mode global-job skep-web true"), COUNTS, docker("service rm nodes"), settle(),
    ],
    "jobs: global": [
        docker(f"{CREATE} --name each --mode global-job skep-web echo done"), MADE, settle(), docker("service ls"), docker("service ls --filter mode=global-job --quiet"),
        tasks("each", ""), docker("service inspect each"), docker("service inspect --pretty each"), docker("service logs --raw each"), container("each"),
        api("GET", "/v1.41/services?status=true"), api("GET", "/v1.41/tasks?filters={\"service\":[\"each\"]}"), docker("service scale each=2"),
        docker("service update --quiet --detach --force each"), MADE, settle(), COUNTS, tasks("each", ""),
        docker("service rm each"), settle(),
        docker(f"{CREATE} --name none --mode global-job --constraint node.labels.x==y skep-web true"), settle(), docker("service ls"), docker("service ps none"),
        docker("service rm none"), settle(),
    ],
    "jobs: that fail": [
        docker(f"{CREATE} --name once --mode replicated-job --restart-condition none skep-web sh -c 'exit 3'"),
        docker(f"{CREATE} --name thrice --mode replicated-job --restart-max-attempts 2 --restart-delay 100ms skep-web sh -c 'exit 3'"),
        docker(f"{CREATE} --name any --mode replicated-job --restart-condition any --restart-delay 100ms skep-web true"),
        docker(f"{CREATE} --name everywhere --mode global-job --restart-condition none skep-web sh -c 'exit 3'"),
        docker(f"{CREATE} --name nowhere --mode replicated-job --constraint node.labels.x==y skep-web true"),
        docker(f"{CREATE} --name missing --mode replicated-job --restart-condition none no-such-image:1"),
        quietly(docker("run --rm skep-web sleep 8")), COUNTS,
        tasks("once", ""), tasks("thrice", ""), tasks("any", ""), tasks("everywhere", ""), tasks("nowhere", ""),
        docker("service ps --format '{{.Name}} {{.DesiredState}}' missing"),
        api("GET", "/v1.41/tasks?filters={\"service\":[\"once\"]}"), api("GET", "/v1.41/tasks?filters={\"service\":[\"nowhere\"]}"),
        docker("service rm once thrice any everywhere nowhere missing"), settle(),
    ],
    "jobs: with a published port, a network and templates": [
        docker("network create --driver overlay jobs"),
        docker(f"{CREATE} --name job --mode replicated-job --replicas 2 --max-concurrent 1 --publish 8080:80 --network jobs --env 'SLOT={{{{.Task.Slot}}}} {{{{.Task.Name}}}}' --hostname 'h{{{{.Task.Slot}}}}' skep-web sh -c 'echo $SLOT | cut -c1-4'"),
        settle(), COUNTS, docker("service inspect job"), tasks("job", ""), docker("network rm jobs"), docker("service rm job"), settle(), docker("network rm jobs"),
    ],
    "jobs: what they cannot be": [
        create("an empty one", mode({"ReplicatedJob": {}})), settle(), docker("service inspect --format '{{json .Spec.Mode}} {{json .JobStatus}}' e"),
        api("POST", "/v1.41/services/e/update?version={version:e}", mode({"Global": {}}), name="a job made global"),
        api("POST", "/v1.41/services/e/update?version={version:e}", mode({"GlobalJob": {}}), name="a job made a global job"),
        api("POST", "/v1.41/services/e/update?version={version:e}", mode({"Replicated": {}}), name="a job made replicated"),
        api("POST", "/v1.40/services/e/update?version={version:e}", mode({"ReplicatedJob": {}}), name="a job updated by a client without jobs"),
        api("POST", "/v1.41/services/e/update?version={version:e}&rollback=previous", mode({"ReplicatedJob": {}}), name="a job without a spec before"),
        docker("service update --detach --update-delay 1s e"), docker("service update --detach --rollback-delay 1s e"), docker("service update --detach --max-concurrent 0 e"),
        docker("service inspect --format '{{json .Spec.Mode}} {{json .Spec.UpdateConfig}} {{json .Spec.RollbackConfig}}' e"), docker("service rm e"), settle(),
        create("concurrency alone", mode({"ReplicatedJob": {"MaxConcurrent": 2}})), settle(), docker("service inspect --format '{{json .Spec.Mode}}' e"), docker("service rm e"), settle(),
        create("completions alone", mode({"ReplicatedJob": {"TotalCompletions": 2}})), settle(), docker("service inspect --format '{{json .Spec.Mode}}' e"), docker("service rm e"), settle(),
        create("with a rollback config", mode({"ReplicatedJob": {}}, RollbackConfig={"Delay": -1})), docker("service inspect --format '{{json .Spec.RollbackConfig}}' e"), docker("service rm e"), settle(),
        create("by a client without jobs", mode({"ReplicatedJob": {"TotalCompletions": 3}}), "/v1.40/services/create"), docker("service inspect --format '{{json .Spec.Mode}}' e"), docker("service rm e"), settle(),
        create("with an update config", mode({"ReplicatedJob": {}}, UpdateConfig={})), create("global, with an update config", mode({"GlobalJob": {}}, UpdateConfig={"Delay": -1})),
        create("of two modes", mode({"ReplicatedJob": {}, "GlobalJob": {}})), create("of another two modes", mode({"ReplicatedJob": {}, "Replicated": {}})),
        create("of text", mode({"ReplicatedJob": {"MaxConcurrent": "1"}})), create("below zero", mode({"ReplicatedJob": {"TotalCompletions": -1}})),
        create("too much at a time", mode({"ReplicatedJob": {"MaxConcurrent": 2**63}})), create("too much", mode({"ReplicatedJob": {"TotalCompletions": 2**63}})),
        docker(f"{CREATE} --name e --mode replicated-job --update-delay 1s skep-web"), docker(f"{CREATE} --name e --mode global-job --replicas 2 skep-web"),
        docker(f"{CREATE} --name e --max-concurrent 2 skep-web"), docker(f"{CREATE} --name e --mode job skep-web"),
        docker(f"{CREATE} --name e --mode global-job --max-concurrent 2 skep-web"), docker(f"{CREATE} --name e --mode replicated-job --update-order start-first skep-web"),
    ],
}
