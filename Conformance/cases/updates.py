# SPDX-License-Identifier: Apache-2.0
from language import api, docker, settle

UPDATE = "service update --quiet --detach --no-resolve-image"
SPEC = "service inspect --format '{{json .Spec}}' u"
FLAGS = [
    "--env-add A=1", "--env-add A=2", "--env-rm A", "--label-add x=1", "--label-rm x", "--container-label-add y=1",
    "--container-label-rm y", "--constraint-add node.role==manager", "--constraint-rm node.role==manager", "--args 'sleep 100'",
    "--args ''", "--image skep-web:latest", "--publish-add published=8081,target=80", "--publish-add published=8082,target=81,protocol=udp,mode=host",
    "--publish-rm 80", "--publish-rm 81/udp", "--mount-add type=tmpfs,target=/t", "--mount-rm /t", "--dns-add 10.9.9.9", "--dns-rm 10.9.9.9",
    "--host-add a:10.1.1.1", "--host-rm a:10.1.1.1", "--limit-cpu 0.5", "--limit-cpu 0", "--limit-memory 100M", "--reserve-memory 10M",
    "--user 5", "--workdir /tmp", "--hostname x", "--stop-grace-period 1s", "--restart-delay 1s", "--restart-condition any", "--update-delay 1ms",
    "--update-order start-first", "--update-parallelism 0", "--replicas 2", "--replicas 1", "--force", "--rollback", "--read-only",
    "--read-only=false", "--tty", "--cap-add NET_ADMIN", "--cap-drop NET_ADMIN", "--ulimit-add nofile=10:20", "--sysctl-add net.core.somaxconn=9",
    "--placement-pref-add spread=node.labels.z", "--placement-pref-rm spread=node.labels.z", "--replicas-max-per-node 3", "--group-add 7",
    "--group-rm 7", "--health-cmd true", "--no-healthcheck", "--log-driver json-file", "--endpoint-mode dnsrr", "--init", "--isolation default",
]
# Most of these say nothing that a container could not have; what they leave is not waited for.
MORE = [
    "--dns-option-add ndots:2 --dns-search-add example.org", "--dns-option-rm ndots:2 --dns-search-rm example.org", "--entrypoint /bin/web --init=false",
    "--entrypoint ''", "--health-cmd 'exit 0' --health-interval 2s --health-retries 4 --health-timeout 3s --health-start-period 1s", "--no-healthcheck",
    "--limit-pids 50 --reserve-cpu 0.1", "--limit-pids 0 --reserve-cpu 0 --reserve-memory 0", "--limit-cpu 0.0005", "--limit-memory x",
    "--restart-max-attempts 3 --restart-window 5s --restart-condition on-failure", "--restart-delay -1s", "--restart-condition sometimes",
    "--update-failure-action continue --update-max-failure-ratio 0.3 --update-monitor 2s --update-delay 0s",
    "--rollback-delay 1s --rollback-failure-action continue --rollback-max-failure-ratio 0.2 --rollback-monitor 2s --rollback-order start-first --rollback-parallelism 2",
    "--stop-signal SIGINT --stop-grace-period 0s", "--sysctl-rm net.core.somaxconn --ulimit-rm nofile --cap-drop ALL --cap-add CHOWN",
    "--mount-add type=volume,source=uv,target=/v,volume-label=a=b", "--mount-add type=bind,source=/usr,target=/v,readonly", "--mount-rm /v", "--mount-rm /nothing",
    "--generic-resource-add gpu=1", "--generic-resource-rm gpu", "--generic-resource-rm none", "--with-registry-auth", "--max-concurrent 2", "--replicas x",
    "--secret-add x", "--config-add x", "--secret-rm x", "--health-start-interval 1s", "--oom-score-adj 5", "--network-add nothing", "--network-rm nothing",
    "--publish-add 8083:80", "--publish-add published=8084,target=80", "--publish-rm 8083:80 --publish-rm 80", "--constraint-add x", "--env-add 'B={{.X}}'",
    "--container-label-add a=b --container-label-rm a", "--host-rm nothing:1.2.3.4", "--image no-such-image:1 --force", "--image skep-web", "--update-order x",
    "--rollback --force", "--rollback --env-add A=1", "--tty=false", "--user '' --workdir '' --hostname ''",
]


def updated(flags):
    """The service made, and each update with the spec that it leaves."""
    yield docker("service create --quiet --detach --no-resolve-image --name u skep-web")
    yield settle()
    for flag in flags:
        inspected = docker(SPEC)
        inspected.name += f"  # {flag}"
        yield from (docker(f"{UPDATE} {flag} u"), inspected)


TOPICS = {"updates by flag": [*updated(FLAGS)], "updates by more flags": [*updated(MORE), docker("service rm u"), settle()]}
TOPICS["updates by flag"] += [settle(), api("GET", "/v1.41/services/u", name="what the updates left"), docker("service inspect --format '{{json .UpdateStatus}}' u"), docker("service rm u"), settle()]

TOPICS["updates that fail"] = [
    docker("service create --quiet --no-resolve-image --name u --replicas 2 --update-monitor 1s --restart-delay 100ms skep-web"),
    docker("service update --quiet --args 'sh -c \"exit 3\"' u"),
    docker("service inspect --format '{{.UpdateStatus.State}}' u"),
    docker("service update --quiet --update-failure-action rollback --args 'sleep 1000' u"),
    docker("service update --quiet --detach --update-failure-action rollback --rollback-monitor 1s --args 'sh -c \"exit 4\"' u"), settle(),
    docker("service inspect --format '{{.UpdateStatus.State}} {{json .Spec.TaskTemplate.ContainerSpec.Args}}' u"),
    docker("service rollback --quiet --detach nothing"), docker("service update --detach nothing"), docker("service rm u"), settle(),
]
