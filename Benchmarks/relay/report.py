# SPDX-License-Identifier: Apache-2.0
"""Tables of what was measured. A ratio is the relay's figure by the better one of its peers', in the same round; then the median."""
from statistics import median

FIGURES = [("rate", "requests/s", max), ("cpu", "CPU µs", min), ("p50", "p50 µs", min), ("p99", "p99 µs", min),
           ("p999", "p99.9 µs", min)]
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
        median(getattr(one[0], figure) / better(getattr(other, figure) for other in one[1:]) for one in rounds)
        for figure, _, better in FIGURES]
    line("", "ratio", [f"{ratio:.2f}" for ratio in ratios])
    return dict(zip((figure for figure, _, _ in FIGURES), ratios))


def memory(names, results):
    head("memory", [label for _, label in MEMORY])
    for index, (name, result) in enumerate(zip(names, results)):
        line("idle, and each idle connection" if index == 0 else "", name, [f"{getattr(result, key):.1f}" for key, _ in MEMORY])
