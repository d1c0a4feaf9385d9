# SPDX-License-Identifier: Apache-2.0
from language import api, docker

TOPICS = {
    "swarm: settings": [
        docker("swarm update"), docker("swarm update --task-history-limit 2 --dispatcher-heartbeat 7s --cert-expiry 48h"),
        docker("swarm update --snapshot-interval 500 --max-snapshots 2"), api("GET", "/v1.41/swarm"), docker("swarm update --cert-expiry 1m"),
        docker("swarm join-token --rotate worker"), docker("swarm join-token --quiet --rotate manager"),
        api("POST", "/v1.41/swarm/update", {}), api("POST", "/v1.41/swarm/update?version=x", {}), api("POST", "/v1.41/swarm/update?version=1", {}, name="stale swarm version"),
        api("POST", "/v1.41/swarm/update?version={swarm-version}", "{"),
        api("POST", "/v1.41/swarm/update?version={swarm-version}", {"Name": "other"}, name="swarm name"),
        api("POST", "/v1.41/swarm/update?version={swarm-version}&rotateWorkerToken=x", {"Name": "default"}, name="rotate x"),
        api("POST", "/v1.41/swarm/update?version={swarm-version}", {"Dispatcher": {"HeartbeatPeriod": -1}}, name="negative heartbeat"),
        api("POST", "/v1.41/swarm/update?version={swarm-version}", {"Labels": {"a": "b"}}, name="labels only"), api("GET", "/v1.41/swarm"),
        docker("swarm ca"), docker("swarm unlock-key"), api("POST", "/v1.41/swarm/unlock", {"UnlockKey": "x"}),
        api("POST", "/v1.41/swarm/init", {"ListenAddr": "0.0.0.0:2377"}, name="init again"),
        api("POST", "/v1.41/swarm/join", {"RemoteAddrs": ["10.77.0.2:2377"], "JoinToken": "x"}, name="join from within"),
    ],
    "swarm: leaving": [
        docker("service create --quiet --detach --no-resolve-image --name web skep-web"),
        docker("swarm leave"), docker("swarm leave --force"), docker("ps --quiet"), docker("info --format '{{json .Swarm}}'"),
        docker("service ls"), docker("swarm leave --force"), docker("network ls --filter driver=overlay"),
    ],
}
