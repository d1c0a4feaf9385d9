# SPDX-License-Identifier: Apache-2.0
from language import api, docker, quietly, settle

SPEAK = "sh -c 'echo wrong >&2; sleep 0.3; for i in 1 2 3 4 5; do echo line $i; done; exec sleep 1000'"
TOPICS = {
    "logs": [
        docker(f"service create --quiet --detach --no-resolve-image --name talk --label a=b --env X=1 --log-opt env=X skep-web {SPEAK}"),
        settle(), quietly(docker("run --rm skep-web sleep 1")),
        docker("service logs talk"), docker("service logs --raw talk"), docker("service logs --no-trunc talk"),
        docker("service logs --no-task-ids talk"), docker("service logs --no-resolve talk"), docker("service logs --tail 2 --raw talk"),
        docker("service logs --tail x talk"), docker("service logs --tail 0 talk"), docker("service logs --timestamps talk"),
        docker("service logs --details talk"), docker("service logs --since 1h --raw talk"), docker("service logs --since 2100-01-01 talk"),
        docker("service logs --since yesterday talk"), docker("service logs nothing"),
        docker("service logs --follow --raw talk", timeout=2),
        api("GET", "/v1.41/services/talk/logs"), api("GET", "/v1.41/services/talk/logs?stdout=1"),
        api("GET", "/v1.41/services/talk/logs?stderr=1"), api("GET", "/v1.41/services/talk/logs?stdout=1&tail=1"),
        api("GET", "/v1.41/services/talk/logs?stdout=1&tail=-1"), api("GET", "/v1.41/services/talk/logs?stdout=1&since=x"),
        api("GET", "/v1.41/services/talk/logs?stdout=1&timestamps=1&details=1"), api("GET", "/v1.41/services/nothing/logs?stdout=1"),
        api("GET", "/v1.41/tasks/{task:}/logs?stdout=1"), api("GET", "/v1.41/tasks/nothing/logs?stdout=1"),
        api("GET", "/v1.41/tasks/{task:}/logs"),
        docker("service rm talk"), settle(),
        # Longer than the engine's pieces of a line.
        docker("service create --quiet --detach --no-resolve-image --name long skep-web sh -c 'printf \"%040000d\\n\" 7; exec sleep 1000'"),
        settle(), quietly(docker("run --rm skep-web sleep 1")), docker("service logs --raw long"), docker("service rm long"), settle(),
        # Tasks that have ended are read too, and end a log that is followed with them.
        docker("service create --quiet --detach --no-resolve-image --name ended --restart-condition none skep-web sh -c 'echo bye; exit 3'"),
        quietly(docker("run --rm skep-web sleep 2")), docker("service logs --raw ended"), docker("service logs --raw --timestamps ended"),
        docker("service logs --raw --tail 1 ended"), docker("service logs --details ended"),
        docker("service rm ended"), settle(),
        docker("service create --quiet --detach --no-resolve-image --tty --name talk skep-web sh -c 'echo hello; exec sleep 1000'"),
        settle(), quietly(docker("run --rm skep-web sleep 1")),
        docker("service logs talk"), docker("service logs --raw talk"), api("GET", "/v1.41/services/talk/logs?stdout=1"),
        docker("service rm talk"), settle(),
    ],
}
