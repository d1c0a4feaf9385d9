# SPDX-License-Identifier: Apache-2.0
"""All cases by topic, in the order they run: each topic leaves no service behind."""
from . import begin, bodies, errors, events, fields, jobs, listing, logs, networks, nodes, registry, secrets, services, specs, swarm, updates


def topics():
    for module in (
        begin, events, services, networks, secrets, fields, specs, bodies, listing, updates, registry, logs, nodes, jobs, errors, swarm,
    ):
        for topic, steps in module.TOPICS.items():
            yield topic, steps
