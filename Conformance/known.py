# SPDX-License-Identifier: Apache-2.0
"""Differences that stand, each with its reason: known.toml, told to readers in docs/compatibility.md."""
import os
import re
import tomllib

FOLDER = os.path.dirname(os.path.abspath(__file__))
DOCUMENT = os.path.join(FOLDER, "..", "docs", "compatibility.md")


class Entry:
    """Regular expressions for the case, the path and both values as JSON; those that are not given fit everything."""

    def __init__(self, fields):
        self.reason, self.used = fields["reason"], fields.get("optional", False)
        self.fields = {key: value for key, value in fields.items() if key not in ("reason", "optional")}
        self.patterns = {key: re.compile(value) for key, value in self.fields.items()}

    def matches(self, **values):
        return all(pattern.search(values[key]) for key, pattern in self.patterns.items())


class Known:
    def __init__(self):
        with open(os.path.join(FOLDER, "known.toml"), "rb") as file:
            self.entries = [Entry(fields) for fields in tomllib.load(file)["difference"]]

    def reason(self, case, path, swarm, skep):
        """Why this difference stands; None when nobody has said."""
        for entry in self.entries:
            if entry.matches(case=case, path=path, swarm=swarm, skep=skep):
                entry.used = True
                return entry.reason
        return None

    def unused(self):
        return [f"{entry.fields}" for entry in self.entries if not entry.used]

    def undocumented(self):
        with open(DOCUMENT, encoding="utf-8") as file:
            words = " ".join(file.read().split())
        return sorted({e.reason for e in self.entries if " ".join(e.reason.split()) not in words})
