# SPDX-License-Identifier: Apache-2.0
"""The endpoints that are Skep's or that it looks at, in groups. Each has its part of its group's requests."""

GROUPS = {
    "swarm": [
        ("GET", "/swarm", 1), ("POST", "/swarm/update", 10), ("GET", "/swarm/unlockkey", 1), ("POST", "/swarm/unlock", 2),
        ("POST", "/swarm/init", 4), ("POST", "/swarm/join", 4), ("POST", "/swarm/leave", 1),
    ],
    "services": [
        ("GET", "/services", 3), ("POST", "/services/create", 10), ("GET", "/services/{id}", 2), ("DELETE", "/services/{id}", 1),
        ("POST", "/services/{id}/update", 8),
    ],
    "tasks": [("GET", "/tasks", 5), ("GET", "/tasks/{id}", 3)],
    "nodes": [
        ("GET", "/nodes", 4), ("GET", "/nodes/{id}", 2), ("DELETE", "/nodes/{id}", 2), ("POST", "/nodes/{id}/update", 6),
    ],
    "networks": [
        ("GET", "/networks", 5), ("GET", "/networks/{id}", 4), ("DELETE", "/networks/{id}", 2), ("POST", "/networks/create", 5),
        ("POST", "/networks/{id}/connect", 3), ("POST", "/networks/{id}/disconnect", 1), ("POST", "/networks/prune", 3),
    ],
    "system": [("GET", "/info", 3), ("GET", "/version", 2), ("GET", "/_ping", 2), ("HEAD", "/_ping", 2), ("GET", "/events", 6)],
    "logs": [("GET", "/services/{id}/logs", 1), ("GET", "/tasks/{id}/logs", 1)],
    "secrets": [
        ("GET", "/secrets", 3), ("POST", "/secrets/create", 4), ("GET", "/secrets/{id}", 2), ("DELETE", "/secrets/{id}", 2),
        ("POST", "/secrets/{id}/update", 4),
    ],
    "configs": [
        ("GET", "/configs", 3), ("POST", "/configs/create", 4), ("GET", "/configs/{id}", 2), ("DELETE", "/configs/{id}", 2),
        ("POST", "/configs/{id}/update", 4),
    ],
    # By itself and last: it makes swarms and leaves them.
    "life": [
        ("POST", "/swarm/init", 8), ("POST", "/swarm/join", 4), ("POST", "/swarm/leave", 3), ("POST", "/swarm/unlock", 1),
        ("GET", "/swarm", 1), ("GET", "/info", 1), ("POST", "/services/create", 2), ("GET", "/tasks", 1),
    ],
}


def shares(group, count):
    """(method, path, how many) with `count` in all."""
    endpoints = GROUPS[group]
    total = sum(weight for _, _, weight in endpoints)
    numbers = [count * weight // total for _, _, weight in endpoints]
    numbers[0] += count - sum(numbers)
    return [(method, path, number) for (method, path, _), number in zip(endpoints, numbers)]
