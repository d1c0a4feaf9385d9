# SPDX-License-Identifier: Apache-2.0
"""Three hosts out of network namespaces: the client, the balancer, the backends. One nginx worker serves all three backends."""
import os
import subprocess
import time

CLIENT, BALANCER, BACKEND = "10.201.1.2", "10.201.1.1", "10.201.2.2"
BACKENDS = [f"{BACKEND}:{port}" for port in (8001, 8002, 8003)]
FILES = {"small": 200, "1m": 1 << 20, "100m": 100 << 20}


def call(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Network:
    def __init__(self, directory, congestion="cubic"):
        self.directory, self.congestion = directory, congestion
        self.id = f"skb{os.getpid()}"
        self.processes = []

    def up(self):
        client, balancer, backend = (self.namespace(end) for end in "clb")
        for name in (client, balancer, backend):
            call("ip", "netns", "add", name)
            call("ip", "-n", name, "link", "set", "lo", "up")
            # Every closed connection leaves its port taken for a minute.
            self.sysctl(name, "ipv4.ip_local_port_range=1024 65535", "ipv4.tcp_tw_reuse=1")
            self.sysctl(name, "ipv4.conf.all.rp_filter=0", "ipv4.conf.default.rp_filter=0", "core.somaxconn=8192")
            self.control(name)
        self.link(client, "c", f"{CLIENT}/24", balancer, "l", f"{BALANCER}/24")
        self.link(backend, "b", f"{BACKEND}/24", balancer, "m", "10.201.2.1/24")
        call("ip", "-n", client, "route", "add", "default", "via", BALANCER)
        call("ip", "-n", backend, "route", "add", "default", "via", "10.201.2.1")
        # What backends answer to a kept source is the balancer's own, whichever balancer it is.
        call("ip", "-n", balancer, "rule", "add", "iif", f"{self.id}m", "lookup", "100")
        call("ip", "-n", balancer, "route", "add", "local", "default", "dev", "lo", "table", "100")
        self.serve()

    def control(self, namespace):
        """The same congestion control on every machine. A kernel that was set to another may keep namespaces from having cubic."""
        try:
            self.sysctl(namespace, f"ipv4.tcp_congestion_control={self.congestion}")
        except subprocess.CalledProcessError:
            if self.congestion == "reno":
                raise
            self.congestion = "reno"
            self.control(namespace)

    def namespace(self, end):
        return f"{self.id}-{end}"

    def sysctl(self, namespace, *settings):
        call("ip", "netns", "exec", namespace, "sysctl", "-qw", *(f"net.{setting}" for setting in settings))

    def link(self, one, one_end, one_address, other, other_end, other_address):
        ends = f"{self.id}{one_end}", f"{self.id}{other_end}"
        call("ip", "link", "add", ends[0], "netns", one, "type", "veth", "peer", "name", ends[1], "netns", other)
        for name, end, address in ((one, ends[0], one_address), (other, ends[1], other_address)):
            call("ip", "-n", name, "addr", "add", address, "dev", end)
            call("ip", "-n", name, "link", "set", end, "up")

    def serve(self):
        for name, size in FILES.items():
            with open(f"{self.directory}/{name}", "wb") as file:
                file.write(b"x" * size)
        listens = " ".join(f"listen {port.split(':')[1]} backlog=8192;" for port in BACKENDS)
        path = f"{self.directory}/backend.conf"
        with open(path, "w", encoding="utf8") as file:
            file.write(
                f"daemon off; pid {self.directory}/backend.pid; error_log /dev/null; worker_processes 1;"
                "events { worker_connections 16384; } http { access_log off; sendfile on; keepalive_requests 1000000000;"
                f"keepalive_timeout 600; root {self.directory}; server {{ {listens}"
                # Head and body of a small answer in one segment, as most servers send them.
                " location = /small { sendfile off; } } }\n")
        self.start("b", "nginx", "-c", path)

    def start(self, end, *command):
        log = open(f"{self.directory}/{os.path.basename(command[0])}.log", "ab")
        process = subprocess.Popen(["ip", "netns", "exec", self.namespace(end), *command], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def run(self, end, *command):
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace(end), *command], check=True, capture_output=True, text=True).stdout

    def stop(self, process):
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def wait_for(self, port, patience=10):
        end = time.monotonic() + patience
        command = ["ip", "netns", "exec", self.namespace("c"), "curl", "-sf", "-o", "/dev/null", f"http://{BALANCER}:{port}/small"]
        while subprocess.run(command, check=False).returncode != 0:
            if time.monotonic() > end:
                raise SystemExit(f"nobody serves port {port}")
            time.sleep(0.05)

    def down(self):
        for process in list(self.processes):
            self.stop(process)
        for end in "clb":
            subprocess.run(["ip", "netns", "del", self.namespace(end)], check=False, stderr=subprocess.DEVNULL)
