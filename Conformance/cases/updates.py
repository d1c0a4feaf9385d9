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
TOPICS = {"updates by flag": [docker("service create --quiet --detach --no-resolve-image --name u skep-web"), settle()]}
for flag in FLAGS:
    inspected = docker(SPEC)
    inspected.name += f"  # {flag}"
    TOPICS["updates by flag"] += [docker(f"{UPDATE} {flag} u"), inspected]
TOPICS["updates by flag"] += [settle(), docker("service inspect --format '{{json .UpdateStatus}}' u"), docker("service rm u"), settle()]

TOPICS["updates that fail"] = [
    docker("service create --quiet --no-resolve-image --name u --replicas 2 --update-monitor 1s --restart-delay 100ms skep-web"),
    docker("service update --quiet --args 'sh -c \"exit 3\"' u"),
    docker("service inspect --format '{{.UpdateStatus.State}}' u"),
    docker("service update --quiet --update-failure-action rollback --args 'sleep 1000' u"),
    docker("service update --quiet --detach --update-failure-action rollback --rollback-monitor 1s --args 'sh -c \"exit 4\"' u"), settle(),
    docker("service inspect --format '{{.UpdateStatus.State}} {{json .Spec.TaskTemplate.ContainerSpec.Args}}' u"),
    docker("service rollback --quiet --detach nothing"), docker("service update --detach nothing"), docker("service rm u"), settle(),
]
