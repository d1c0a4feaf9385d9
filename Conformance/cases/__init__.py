# SPDX-License-Identifier: Apache-2.0
"""All cases by topic, in the order they run: each topic leaves no service behind."""
from . import begin, errors, events, fields, listing, logs, nodes, services, swarm, updates


def topics():
    for module in (begin, events, services, fields, listing, updates, logs, nodes, errors, swarm):
        for topic, steps in module.TOPICS.items():
            yield topic, steps
