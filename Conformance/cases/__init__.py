# SPDX-License-Identifier: Apache-2.0
"""All cases by topic, in the order they run: each topic leaves no service behind."""
from . import begin, errors, fields, listing, logs, nodes, registry, services, swarm, updates


def topics():
    for module in (begin, services, fields, listing, updates, registry, logs, nodes, errors, swarm):
        for topic, steps in module.TOPICS.items():
            yield topic, steps
