# SPDX-License-Identifier: Apache-2.0
from language import api, docker, events, mark, settle

CREATE = "service create --quiet --detach --no-resolve-image"


def make(**more):
    return api("POST", "/v1.41/networks/create", dict({"Name": "x", "Driver": "overlay"}, **more), name=f"network create {more}")


def pool(**config):
    return make(IPAM={"Config": [config]})


TOPICS = {
    "networks: their life": [
        mark(), docker("network create --driver overlay back"),
        docker("network create -d overlay --subnet 10.9.0.0/24 --gateway 10.9.0.9 --ip-range 10.9.0.128/25 --label a=b --attachable "
               "--internal --opt com.docker.network.driver.mtu=1400 front"),
        docker("network ls --filter driver=overlay --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Labels}}'", sort=True),
        docker("network ls --filter scope=swarm --filter label=a --format '{{.Name}}'"), docker("network ls --filter name=^ba --format '{{.Name}}'"),
        docker("network inspect front"), docker("network inspect back"), docker("network inspect --format '{{.Scope}}' back"),
        api("GET", "/v1.41/networks/back?scope=swarm"), api("GET", "/v1.41/networks/back?scope=local"), api("GET", "/v1.41/networks/bac"),
        docker("network create --driver overlay back"), docker("network create back"), docker("network create --driver overlay bridge"),
        docker("network rm back"), docker("network rm back"), docker("network create --driver overlay back"), docker("network rm front back"),
        events("--filter type=network --filter scope=swarm", "networks come and go"),
    ],
    "networks: that cannot be": [
        pool(Subnet="x"), pool(Subnet="10.9.0.0/24", IPRange="y"), pool(Subnet="10.9.0.0/24", Gateway="z"),
        pool(Subnet="10.9.0.0/24", IPRange="10.8.0.0/28"), pool(Subnet="10.9.0.0/24", Gateway="10.8.0.1"),
        make(Name=""), make(Name="x.y"), make(Name="-x"), make(Name="x" * 64), make(Ingress=True), make(Ingress=True, Attachable=True),
        make(Labels={"com.docker.swarm.predefined": "true"}),
        docker("network rm nothing"), docker("network inspect nothing"), docker("network connect nothing nobody"),
    ],
    "networks: in use": [
        docker("network create --driver overlay back"), docker("network create --driver overlay front"),
        docker(f"{CREATE} --name web --replicas 2 --network name=back,alias=w --network name=front,alias=w skep-web"),
        docker(f"{CREATE} --name round --endpoint-mode dnsrr --network back skep-web"), settle(),
        docker("service inspect web"), docker("service inspect round"), api("GET", "/v1.41/services/web"), api("GET", "/v1.41/tasks/{task:}"),
        docker("network rm back"), docker("run --rm --network back skep-web true"),
        docker("service update --quiet --detach --network-rm front web"), settle(), docker("service inspect web"), docker("network rm front"),
        docker(f"{CREATE} --name both --network back --network back skep-web"), docker(f"{CREATE} --name own --network own skep-web"),
        docker("service rm web round both"), settle(), docker("network prune --force"), docker("network rm back"),
    ],
}
