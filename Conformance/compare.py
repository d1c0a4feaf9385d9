# SPDX-License-Identifier: Apache-2.0
"""Differences between two normalised outcomes, each with the path that leads to it."""

ABSENT = object()


def differences(left, right, path=""):
    """Yields (path, left, right); `ABSENT` stands for what is not there."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            yield from differences(left.get(key, ABSENT), right.get(key, ABSENT), f"{path}.{key}")
    elif isinstance(left, list) and isinstance(right, list):
        for index in range(max(len(left), len(right))):
            yield from differences(at(left, index), at(right, index), f"{path}[{index}]")
    elif left is not right and (left != right or type(left) is not type(right)):
        yield path or ".", left, right


def at(values, index):
    return values[index] if index < len(values) else ABSENT
