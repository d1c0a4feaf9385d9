# SPDX-License-Identifier: Apache-2.0
"""skepd as the system sees it."""
import os
import pathlib
import time


class Daemon:
    def __init__(self, socket):
        """The one that listens on `socket`."""
        self.pid = next(pid for pid in processes() if is_skepd(pid, socket))

    @property
    def lives(self):
        try:
            return pathlib.Path(f"/proc/{self.pid}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()[0] not in "ZX"
        except OSError:
            return False

    @property
    def memory(self):
        """Bytes it holds."""
        return int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


    def calms(self, memory, descriptors, limit=60):
        """Waits until it holds no more than this, as it gives unused memory back from time to time. False if that does not come."""
        deadline = time.monotonic() + limit
        while self.memory > memory or self.descriptors > descriptors:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def is_skepd(pid, socket):
    try:
        arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return os.path.basename(arguments[0]) == "skepd" and f"unix://{socket}" in arguments
