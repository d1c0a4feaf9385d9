# SPDX-License-Identifier: Apache-2.0
"""Tables of what was measured. A ratio is the relay's figure by a peer's in the same round, the median of that over the rounds, and then
the less favourable one of the two peers'. (The better peer of each round would be the luckier one.)"""
from statistics import median

FIGURES = [("rate", "requests/s", min), ("cpu", "CPU µs", max), ("p50", "p50 µs", max), ("p99", "p99 µs", max),
           ("p999", "p99.9 µs", max)]
MEMORY = [("resident", "idle MiB"), ("anonymous", "of it own"), ("user", "KiB/conn."), ("kernel", "kernel KiB")]


def head(title, columns):
    print(f"\n{title:<32} {'':<11}" + "".join(f"{column:>12}" for column in columns), flush=True)


def line(title, name, values):
    print(f"{title:<32} {name:<11}" + "".join(f"{value:>12}" for value in values), flush=True)


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}"


def rows(title, names, rounds):
    """`rounds` holds one list of results for each round, in the order of `names`; the relay comes first."""
    for index, name in enumerate(names):
        values = [number(median(getattr(one[index], figure) for one in rounds)) for figure, _, _ in FIGURES]
        line(title if index == 0 else "", name, values)
    ratios = [
        worse(median(getattr(one[0], figure) / getattr(one[peer], figure) for one in rounds) for peer in range(1, len(names)))
        for figure, _, worse in FIGURES]
    line("", "ratio", [f"{ratio:.2f}" for ratio in ratios])


def memory(names, results):
    head("memory", [label for _, label in MEMORY])
    for index, (name, result) in enumerate(zip(names, results)):
        line("idle, and each idle connection" if index == 0 else "", name, [f"{getattr(result, key):.1f}" for key, _ in MEMORY])
