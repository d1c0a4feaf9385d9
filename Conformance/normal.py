# SPDX-License-Identifier: Apache-2.0
"""What may differ between two runs of one system is made the same: ids, times, versions, tokens, addresses."""
import json
import re
import urllib.parse

TEXT = [
    (re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----(\\n|\n)?", re.S), "<certificate>"),
    (re.compile(r"\bM[A-Za-z0-9+/]{20,}={0,2}"), "<bytes>"),
    (re.compile(r"SWMTKN-1-[0-9a-z]+-[0-9a-z]+"), "<token>"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "<digest>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<hex id>"),
    (re.compile(r"\b[0-9a-z]{25}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|[+-]\d\d:?\d\d))?( UTC)?"), "<time>"),
    (re.compile(r"\b(Less than a second|About an? \w+|\d+ \w+) ago\b", re.I), "<ago>"),
    (re.compile(r"\b[0-9a-z]{12}\b"), "<short>"),
    (re.compile(r"\b10\.77\.0\.\d+\b"), "<host>"),
    (re.compile(r"\b(10\.\d+|172\.1[67])\.\d+\.\d+\b"), "<ip>"),
    (re.compile(r"\b02:42(:[0-9a-f]{2}){4}\b"), "<mac>"),
    (re.compile(r"skep-conformance-\d+-\w+"), "<playground>"),
]
# By their place: numbers and encoded bytes that are nobody's to repeat.
FIELDS = {
    "Index": "<version>", "CertIssuerSubject": "<bytes>", "CertIssuerPublicKey": "<bytes>", "PID": "<pid>",
}


def text(value):
    for pattern, replacement in TEXT:
        value = pattern.sub(replacement, value)
    # Tables are padded to the longest entry, which may be an id.
    return re.sub(r" {2,}", "  ", re.sub(r"[ \t]+\n", "\n", value)).rstrip()


def tree(value, key=""):
    if key in FIELDS:
        return FIELDS[key]
    if key == "PublishedPort" and isinstance(value, int) and 30000 <= value <= 32767:
        return "<port>"
    if isinstance(value, dict):
        return members(value)
    if isinstance(value, list):
        # The CLI gives a service's references in the order of a Go map, another each time.
        return listed([tree(v) for v in value]) if key in ("Secrets", "Configs") else [tree(v) for v in value]
    return text(value) if isinstance(value, str) else value


def members(value):
    """Keys that become the same, such as ids, are told apart by what stands behind them."""
    same = {}
    for key, member in value.items():
        same.setdefault(text(key), []).append(tree(member, key))
    return {
        key + (f"#{number + 1}" if number else ""): member
        for key, found in same.items() for number, member in enumerate(listed(found))
    }


def listed(value):
    """The API's lists of objects have no order."""
    return sorted(value, key=lambda each: json.dumps(each, sort_keys=True)) if isinstance(value, list) else value


def body(raw):
    """The JSON of an answer, normalised, or its text."""
    words = raw.decode("utf-8", "replace")
    try:
        return listed(tree(json.loads(words)))
    except ValueError:
        return text(words)


# What is drawn while one waits; how often depends on the clock.
PROGRESS = re.compile(r"^(overall progress: |verify: Waiting |\S+: (new|pending|assigned|preparing|ready|starting|running|\[)|\d+/\d+: )")


def output(words):
    """A command's output: as JSON where it is, else line by line."""
    words = words.strip()
    if words[:1] in "[{":
        try:
            return listed(tree(json.loads(words)))
        except ValueError:
            pass
    lines = [line for line in words.split("\n") if not PROGRESS.match(line.strip())]
    return text("\n".join(lines)).split("\n") if words else []


def quoted(value):
    """JSON for a query."""
    return urllib.parse.quote(json.dumps(value), safe="")
