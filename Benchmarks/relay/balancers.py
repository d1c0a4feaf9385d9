# SPDX-License-Identifier: Apache-2.0
"""The balancers, one thread each, each on a port of its own; and what their processes cost."""
import glob
import os
import time

from network import BACKENDS

MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


class Balancer:
    """`keep` makes the backends see the client's address."""

    def __init__(self, name, port, keep=False):
        self.name, self.port, self.keep = name, port, keep
        self.process = None

    def start(self, network):
        self.network = network
        self.directory = f"{network.directory}/{self.name}-{self.port}"
        os.makedirs(self.directory, exist_ok=True)
        self.process = network.start("l", *self.command())
        self.prepare()
        network.wait_for(self.port)

    def stop(self):
        self.network.stop(self.process)

    def prepare(self):
        pass

    def write(self, name, text):
        path = f"{self.directory}/{name}"
        with open(path, "w", encoding="utf8") as file:
            file.write(text)
        return path

    def pids(self):
        pids = [self.process.pid]
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/children"):
            with open(path, encoding="utf8") as file:
                pids += [int(pid) for pid in file.read().split()]
        return pids

    def spent(self):
        """Seconds of processor time by thread. From schedstat, as clock ticks are too coarse."""
        spent = {}
        for path in (path for pid in self.pids() for path in glob.glob(f"/proc/{pid}/task/*/schedstat")):
            with open(path, encoding="utf8") as file:
                spent[int(path.split("/")[4])] = int(file.read().split()[0]) / 1e9
        return spent

    def memory(self):
        """KiB: all that is resident, and the part of it that is no file's."""
        sums = {"VmRSS": 0, "RssAnon": 0}
        for pid in self.pids():
            with open(f"/proc/{pid}/status", encoding="utf8") as file:
                for line in file:
                    name = line.split(":")[0]
                    if name in sums:
                        sums[name] += int(line.split()[1])
        return sums["VmRSS"], sums["RssAnon"]


class Relay(Balancer):
    def __init__(self, build, port, keep=False, threads=None, name="skep-relay"):
        super().__init__(name, port, keep)
        self.build, self.threads = build, threads

    def command(self):
        threads = ["--threads", str(self.threads)] if self.threads else []
        return [f"{self.build}/skep-relay", "--control", f"{self.directory}/relay.sock", *threads]

    def prepare(self):
        while not os.path.exists(f"{self.directory}/relay.sock"):
            if self.process.poll() is not None:
                raise SystemExit("skep-relay ended; see " + self.network.directory)
            time.sleep(0.02)
        keep = ["--keep-sources"] if self.keep else []
        self.network.run("l", f"{self.build}/relay-program", self.directory, str(self.port), *keep, *BACKENDS)


class HAProxy(Balancer):
    def command(self):
        lines = [
            "global", " nbthread 1", " maxconn 8192", "defaults", " mode tcp", " timeout connect 5s", " timeout client 600s",
            " timeout server 600s", "listen b", f" bind :{self.port} backlog 8192", " balance roundrobin"]
        lines += [" source 0.0.0.0 usesrc clientip"] if self.keep else []
        lines += [f" server s{number} {address}" for number, address in enumerate(BACKENDS)]
        return ["haproxy", "-db", "-f", self.write("haproxy.cfg", "\n".join(lines) + "\n")]


class Nginx(Balancer):
    def command(self):
        servers = " ".join(f"server {address};" for address in BACKENDS)
        keep = "proxy_bind $remote_addr transparent;" if self.keep else ""
        text = (
            f"load_module {MODULE}; daemon off; pid {self.directory}/pid; error_log /dev/null; worker_processes 1;"
            f"events {{ worker_connections 16384; }} stream {{ upstream b {{ {servers} }}"
            f"server {{ listen {self.port} backlog=8192; proxy_pass b; tcp_nodelay on; {keep} }} }}\n")
        return ["nginx", "-c", self.write("nginx.conf", text)]


def one_thread_each(build):
    return [Relay(build, 9001, threads=1), HAProxy("haproxy", 9002), Nginx("nginx", 9003)]


def keeping_sources(build):
    return [Relay(build, 9101, keep=True, threads=1), HAProxy("haproxy", 9102, keep=True), Nginx("nginx", 9103, keep=True)]
