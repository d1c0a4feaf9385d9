# SPDX-License-Identifier: Apache-2.0
"""Every field a flag can set: what the spec says of it, and what the container was given."""
from language import container, docker, settle

CREATE = "service create --quiet --detach --no-resolve-image --replicas 1"

FLAGS = [
    "--env A=1 --env B --env C=", "--hostname h-{{.Task.Slot}}", "--env 'N={{.Service.Name}} {{.Node.Hostname}}'",
    "--user 1000:1000", "--group 5 --group 6", "--workdir /tmp", "--entrypoint /bin/web",
    "--host a:10.1.1.1 --host b:10.1.1.2", "--dns 10.1.1.1 --dns-search example.org --dns-option ndots:2",
    "--log-driver json-file --log-opt max-size=1m", "--log-driver none", "--tty", "--init", "--read-only",
    "--stop-signal SIGINT --stop-grace-period 3s", "--cap-add NET_ADMIN --cap-drop CHOWN", "--sysctl net.core.somaxconn=100",
    "--ulimit nofile=100:200", "--limit-cpu 0.5 --limit-memory 64M --limit-pids 50", "--reserve-cpu 0.1 --reserve-memory 16M",
    "--health-cmd true --health-interval 1s --health-retries 9 --health-timeout 30s --health-start-period 30s", "--no-healthcheck",
    "--mount type=volume,source=vol,target=/data", "--mount type=volume,target=/data,volume-label=a=b,volume-nocopy=true",
    "--mount type=bind,source=/usr,target=/u,readonly,bind-propagation=rslave", "--mount type=tmpfs,target=/t,tmpfs-size=1M,tmpfs-mode=0700",
    "--mount type=volume,source=vol,target=/data,readonly",
    "--label a=b --container-label c=d", "--isolation default",
    "--publish published=8090,target=80,mode=host", "--publish target=80,mode=host", "--publish published=8091,target=80,protocol=udp,mode=host",
    "--publish 8092:80", "--publish 80", "--publish 8093:80 --publish 8094:81",
    "--network host", "--network none", "--network bridge",
    "--constraint node.role==manager --constraint node.hostname!=x", "--placement-pref spread=node.labels.zone", "--replicas-max-per-node 2",
    "--restart-condition on-failure --restart-delay 1s --restart-max-attempts 3 --restart-window 5s",
    "--update-delay 1s --update-parallelism 2 --update-failure-action rollback --update-monitor 1s --update-max-failure-ratio 0.5 --update-order start-first",
    "--rollback-delay 1s --rollback-parallelism 2 --rollback-failure-action continue --rollback-monitor 1s --rollback-order start-first",
    "--endpoint-mode dnsrr", "--with-registry-auth",
    "--env-file /etc/os-release", "--mount type=bind,source=/usr,target=/u,bind-nonrecursive,consistency=cached",
    "--mount type=volume,source=vd,target=/d,volume-driver=local,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=1m",
    "--mount source=vol,target=/data", "--mount type=x,target=/d", "--mount target=/d,volume-x=y",
    "--publish published=8310-8311,target=80-81,mode=host", "--publish published=8320,target=80 --publish published=8320,target=81",
    "--publish 80/x", "--publish published=8330,target=80,mode=x", "--publish published=x,target=80", "--publish 127.0.0.1:8340:80",
    "--health-start-interval 1s", "--health-cmd 'exit 0' --no-healthcheck", "--secret x", "--config x", "--max-concurrent 2", "--ulimit core=-1",
    "--ulimit nofile=200:100", "--cap-add net_admin --cap-drop NET_ADMIN", "--limit-cpu 0.0005", "--limit-memory 1M",
    "--limit-memory x", "--init=false", "--stop-grace-period 0s", "--stop-signal 9", "--restart-condition sometimes", "--restart-window 5s",
    "--update-order x", "--update-max-failure-ratio 2", "--update-failure-action x", "--rollback-failure-action rollback", "--endpoint-mode x",
    "--constraint x", "--host x", "--dns x", "--replicas 0", "--mode global --replicas 2",
    "--mode global --replicas-max-per-node 1", "--name a/b", "--hostname '{{.Nothing}}'", "--label a --label b= --container-label c",
    "--sysctl net.ipv4.ip_unprivileged_port_start=0", "--generic-resource gpu=x", "--log-opt max-size=1m", "--network name=bridge",
    "--network ingress", "--network nothing", "--env 'A={{if .Task.Slot}}{{.Task.Name | printf \"%.3s\"}}{{end}}'",
    "--generic-resource x", "--mode replicated", "--mode other", "--replicas x", "--memory-swap 1G", "--oom-score-adj 5",
]
# No task of these runs for long.
STUCK = [
    "--mount type=bind,source=/no/such,target=/u", "--generic-resource gpu=1", "--constraint 'planet==earth'", "--entrypoint 'sh -c'", "--sysctl a",
    "--mount type=tmpfs,source=x,target=/d", "--cap-add ALL --cap-drop CAP_SYS_ADMIN", "--user nobody-here", "--network host --hostname x --workdir tmp",
]


def named(step, flag):
    step.name = f"{step.name.split(' --name')[0].split(' f')[0]}  # {flag}"
    return step


def create(name, flag):
    return named(docker(f"{CREATE} --name {name} {flag} skep-web"), flag)


def spec(name, flag):
    return named(docker(f"service inspect --format '{{{{json .Spec}}}}' {name}"), flag)


BY_NAME = {f"f{number}": flag for number, flag in enumerate(FLAGS)}
STUCK_BY_NAME = {f"s{number}": flag for number, flag in enumerate(STUCK)}
TOPICS = {
    "fields": [
        *[create(name, flag) for name, flag in BY_NAME.items()], settle(),
        *[spec(name, flag) for name, flag in BY_NAME.items()],
        *[named(container(name), flag) for name, flag in BY_NAME.items()],
        *[named(docker(f"service rm {name}"), flag) for name, flag in BY_NAME.items()], settle(),
    ],
    "fields of services that cannot run": [
        *[create(name, f"--restart-condition none {flag}") for name, flag in STUCK_BY_NAME.items()],
        *[spec(name, flag) for name, flag in STUCK_BY_NAME.items()], docker("run --rm skep-web sleep 3"),
        *[named(docker(f"service ps --no-trunc --format '{{{{.Error}}}}' {name}"), flag) for name, flag in STUCK_BY_NAME.items()],
        *[named(container(name), flag) for name, flag in STUCK_BY_NAME.items()],
        docker("service rm " + " ".join(STUCK_BY_NAME)), settle(),
    ],
}
