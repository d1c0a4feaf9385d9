# SPDX-License-Identifier: Apache-2.0
import urllib.parse

from language import api, docker, settle

CREATE = "service create --quiet --detach --no-resolve-image --replicas 1"
FILTERS = [
    "", "{", "[]", "{\"x\":[\"y\"]}", "{\"name\":[\"al\"]}", "{\"name\":[\"pha\"]}", "{\"name\":{\"alpha\":true}}", "{\"label\":[\"k\"]}",
    "{\"label\":[\"k=\"]}", "{\"label\":[\"k=1\",\"j\"]}", "{\"id\":[\"zz\"]}", "{\"mode\":[\"replicated\",\"global\"]}", "{\"mode\":[\"job\"]}",
    "{\"runtime\":[\"container\"]}", "{\"runtime\":[\"plugin\"]}", "{\"runtime\":[\"x\"]}", "{\"name\":\"alpha\"}", "{\"name\":[1]}", "null",
]
TASKS = [
    "{\"service\":[\"alpha\"]}", "{\"service\":[\"nothing\"]}", "{\"node\":[\"n1\"]}", "{\"node\":[\"self\"]}", "{\"name\":[\"alpha.1\"]}",
    "{\"name\":[\"alpha\"]}", "{\"label\":[\"k=1\"]}", "{\"desired-state\":[\"running\"]}", "{\"desired-state\":[\"shutdown\"]}",
    "{\"desired-state\":[\"lazy\"]}", "{\"id\":[\"\"]}", "{\"_up-to-date\":[\"true\"]}", "{\"runtime\":[\"attachment\"]}", "{\"x\":[\"y\"]}",
]
NODES = [
    "{\"name\":[\"n\"]}", "{\"name\":[\"x\"]}", "{\"role\":[\"manager\"]}", "{\"role\":[\"worker\"]}", "{\"role\":[\"boss\"]}",
    "{\"membership\":[\"accepted\"]}", "{\"membership\":[\"pending\"]}", "{\"membership\":[\"x\"]}", "{\"label\":[\"x\"]}",
    "{\"node.label\":[\"x\"]}", "{\"id\":[\"zz\"]}", "{\"x\":[\"y\"]}",
]


def lists(path, filters):
    return [api("GET", f"/v1.41/{path}?filters=" + urllib.parse.quote(each, safe=""), name=f"GET /{path} {each}") for each in filters]


TOPICS = {
    "lists and their filters": [
        docker(f"{CREATE} --name alpha --label k=1 --label j=2 skep-web"), docker(f"{CREATE} --name beta --label k=2 skep-web"),
        settle(), *lists("services", FILTERS), *lists("tasks", TASKS), *lists("nodes", NODES),
        docker("service rm alpha beta"), settle(),
    ],
}
