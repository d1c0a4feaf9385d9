# SPDX-License-Identifier: Apache-2.0
"""What every answer is held against."""
import json
import re

# Statuses of 500 and more that swarm mode gives too, or that say plainly that Skep has something not yet: status, text, reason.
KNOWN = [
    (500, r"rpc error: code = Unknown desc = update out of sequence", "a version that is not the newest"),
    (500, r"rpc error: code = Unknown desc = (constraint expected one operator from ==, !=|key '.*' is invalid|value '.*' is invalid)",
     "a malformed constraint"),
    (500, r'tail value must be a positive integer or "all"', "logs: tail"),
    (500, r"negative tail values not supported", "logs: tail"),
    (500, r"Invalid (role|membership|desired-state) filter: '.*'", "a filter's value that is no word of its list"),
    (500, r"unrecognized rollback option .*", "services/update: rollback"),
    (500, r"service does not have a previous spec", "services/update: registryAuthFrom=previous-spec"),
    (500, r"invalid filter: .*", "networks: the engine's words about a filter's value"),
    (501, r"rpc error: code = Unimplemented desc = service mode change is not allowed", "services/update"),
    (501, r"rpc error: code = Unimplemented desc = renaming services is not supported", "services/update"),
    (501, r".* (is|are) not supported by this release of Skep.*", "what comes with a later release"),
    (503, r"This node is already part of a swarm\..*", "swarm/init and join"),
    (503, r"rpc error: code = Unavailable desc = connection error: the manager at .* cannot be reached: .*", "swarm/join"),
    (503, r"This node is not part of a swarm", "swarm/leave"),
    (503, r"This node is not a swarm manager\. Use .*", "no swarm"),
    (503, r"This node is not a swarm manager\. Manager is being prepared .*", "a swarm that is being made or left"),
    (503, r"You are attempting to leave the swarm on a node that is participating as a manager\. .*", "swarm/leave without force"),
]
# Debug builds on two busy processors are slow; what hangs is slower.
LIMIT = 10
STREAMS = ("application/vnd.docker.raw-stream", "application/vnd.docker.multiplexed-stream")


def wrong(sent, answer):
    """What is wrong with an answer, or nothing."""
    if answer.status == 0:
        return f"no answer: {answer.body.decode(errors='replace')}"
    if answer.header("server").startswith("Docker/"):
        # The engine's own, passed on as it came: swarm mode's engine is the same, and as slow.
        return None
    if answer.seconds > LIMIT:
        return f"took {answer.seconds:.1f} s"
    if answer.status >= 400:
        return wrong_error(sent, answer)
    return wrong_content(sent, answer)


def wrong_error(sent, answer):
    if answer.header("content-type") != "application/json":
        return f"Content-Type {answer.header('content-type')!r} of an error"
    if sent.method == "HEAD":
        return None
    try:
        content = json.loads(answer.body)
    except ValueError:
        return "an error that is no JSON"
    if not isinstance(content, dict) or list(content) != ["message"] or not isinstance(content["message"], str) or not content["message"]:
        return "an error that is no message"
    if answer.status == 500 and re.match(r"/(v[0-9.]+/)?events\b", sent.target):
        # The engine's own words about filters and times: it gets the query as it came.
        return None
    if answer.status >= 500 and not known(answer.status, content["message"]):
        return "a status that swarm mode does not give"
    return None


def known(status, message):
    return any(status == each and re.fullmatch(text, message, re.DOTALL) for each, text, _ in KNOWN)


def wrong_content(sent, answer):
    kind = answer.header("content-type")
    if "/_ping" in sent.target:
        return None if kind.startswith("text/plain") else f"Content-Type {kind!r}"
    if kind in STREAMS:
        return None
    if not answer.body and not kind:
        return None
    if kind != "application/json":
        return f"Content-Type {kind!r}"
    try:
        # Events are an object a line.
        for part in answer.body.splitlines() if "/events" in sent.target else [answer.body]:
            json.loads(part)
    except ValueError:
        return "an answer that is no JSON"
    return None
