# SPDX-License-Identifier: Apache-2.0
"""Control groups of either version: kernel memory of a process, and a thread's share of a core."""
import contextlib
import os

ROOT = "/sys/fs/cgroup"
PERIOD = 10_000


def write(path, value):
    with open(path, "w", encoding="utf8") as file:
        file.write(str(value))


def read(path):
    with open(path, encoding="utf8") as file:
        return file.read()


def is_unified():
    return os.path.exists(f"{ROOT}/cgroup.controllers")


@contextlib.contextmanager
def group(controller, name, inside=None):
    path = f"{inside or (ROOT if is_unified() else f'{ROOT}/{controller}')}/{name}"
    if is_unified() and not inside:
        write(f"{ROOT}/cgroup.subtree_control", f"+{controller}")
    os.mkdir(path)
    try:
        yield path
    finally:
        # What is still in it goes back to where it may live on.
        for member in read(f"{path}/cgroup.procs").split() if not inside else []:
            with contextlib.suppress(OSError):
                write(f"{os.path.dirname(path)}/cgroup.procs", member)
        os.rmdir(path)


@contextlib.contextmanager
def kernel_memory(name, pids):
    """Yields a function that tells the bytes of kernel memory that the processes took since; None where it cannot be told."""
    with group("memory", name) as path:
        for pid in pids:
            write(f"{path}/cgroup.procs", pid)

        def used():
            if is_unified():
                values = dict(line.split() for line in read(f"{path}/memory.stat").splitlines())
                return int(values["kernel"]) + int(values["sock"])
            return int(read(f"{path}/memory.kmem.usage_in_bytes")) + int(read(f"{path}/memory.kmem.tcp.usage_in_bytes"))

        yield used


@contextlib.contextmanager
def held_to(share, pid, name):
    """Holds each thread of a process to a share of a core of its own."""
    with contextlib.ExitStack() as stack:
        parent = stack.enter_context(group("cpu", name))
        if is_unified():
            write(f"{parent}/cgroup.procs", pid)
        for thread in os.listdir(f"/proc/{pid}/task"):
            path = stack.enter_context(group("cpu", thread, inside=parent))
            if is_unified():
                write(f"{path}/cgroup.type", "threaded")
                write(f"{parent}/cgroup.subtree_control", "+cpu")
                write(f"{path}/cpu.max", f"{int(PERIOD * share)} {PERIOD}")
                write(f"{path}/cgroup.threads", thread)
            else:
                write(f"{path}/cpu.cfs_period_us", PERIOD)
                write(f"{path}/cpu.cfs_quota_us", int(PERIOD * share))
                write(f"{path}/tasks", thread)
            stack.callback(release, path, parent, thread)
        yield


def release(path, parent, thread):
    with contextlib.suppress(OSError):
        write(f"{os.path.dirname(parent)}/tasks" if not is_unified() else f"{parent}/cgroup.threads", thread)
