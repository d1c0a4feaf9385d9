# SPDX-License-Identifier: Apache-2.0
"""Requests out of Docker's description of the Engine API."""
import os
import random
import sys

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, errors, given, seed, settings
from schemathesis import GenerationMode

from hosts import ROOT

STANDARD = os.path.join(os.path.dirname(ROOT), "shared", "reference", "engine-api-v1.41.yaml")


def load(path):
    """The description, or the end of the run with where to get it."""
    path = path or os.environ.get("SKEP_ENGINE_API") or STANDARD
    if not os.path.exists(path):
        sys.exit(
            f"no description of the Engine API at {path}: take api/docs/v1.41.yaml (once docs/api/v1.41.yaml) from Docker's moby "
            "repository, and name it with --schema or in SKEP_ENGINE_API")
    return schemathesis.openapi.from_path(path)


def generate(description, method, path, count, number, take):
    """Calls `take` with `count` requests for one endpoint, three in five as described, the others not. The order is that of `number`."""
    operation = description[path][method]
    chosen = random.Random(number)
    left = {GenerationMode.POSITIVE: count - count * 2 // 5, GenerationMode.NEGATIVE: count * 2 // 5}
    for mode in (GenerationMode.NEGATIVE, GenerationMode.POSITIVE):
        while left[mode] > 0:
            made = batch(operation, mode, min(left[mode], 200), chosen.getrandbits(32), take)
            # What takes no parameters cannot be asked wrongly.
            if made == 0 and mode is GenerationMode.NEGATIVE:
                left[GenerationMode.POSITIVE] += left[mode]
                break
            if made == 0:
                raise RuntimeError(f"nothing was generated for {method} {path}")
            left[mode] -= made


def batch(operation, mode, limit, number, take):
    made, failure = 0, []

    @seed(number)
    @settings(
        max_examples=limit, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        derandomize=False)
    @given(operation.as_strategy(generation_mode=mode))
    def one(case):
        nonlocal made
        request = None if failure else prepared(case)
        if request is None:
            return
        made += 1
        try:
            take(request)
        except Exception as error:
            # Nothing that the generator should look into.
            failure.append(error)

    try:
        one()
    except errors.Unsatisfiable:
        pass
    except BaseException as error:
        # Says that there is nothing to generate by an exception of a test framework.
        if type(error).__name__ not in ("Skipped", "SkipTest"):
            raise
    if failure:
        raise failure[0]
    return made


def prepared(case):
    """Keyword arguments for `requests`, or nothing where it cannot put them on the wire."""
    arguments = case.as_transport_kwargs(base_url="http://docker")
    arguments.pop("cookies", None)
    arguments["headers"] = {
        name: value for name, value in dict(arguments.get("headers") or {}).items()
        if not name.lower().startswith(("x-schemathesis", "user-agent", "accept", "connection"))}
    try:
        requests.Request(**arguments).prepare()
    except (requests.RequestException, ValueError, UnicodeError, TypeError):
        return None
    return arguments
