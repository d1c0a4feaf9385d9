# SPDX-License-Identifier: Apache-2.0
"""What a balancer takes before its first connection, and for each idle one."""
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from groups import kernel_memory
from network import BALANCER

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass
class Memory:
    # MiB
    resident: float
    anonymous: float
    # KiB for each idle connection, that is for both of its sockets
    user: float
    kernel: float


def measure(network, balancer, connections):
    resident, anonymous = balancer.memory()
    with kernel_memory(f"{network.id}-{balancer.name}", balancer.pids()) as kernel:
        before = kernel()
        command = ["ip", "netns", "exec", network.namespace("c"), sys.executable, f"{HERE}/idle.py", BALANCER, str(balancer.port)]
        with subprocess.Popen([*command, str(connections)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            if client.stdout.readline() != b"ready\n":
                raise SystemExit(f"{balancer.name} did not take {connections} connections")
            # Buffers that are kept for a while after use are given back meanwhile.
            time.sleep(1)
            user, used = balancer.memory()[0] - resident, kernel() - before
            client.stdin.close()
    return Memory(resident / 1024, anonymous / 1024, user / connections, used / 1024 / connections)
