# SPDX-License-Identifier: Apache-2.0
"""Clusters of the playground for the benchmarks: alike but for who orchestrates."""
import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLIENTS = os.path.join(ROOT, "Tests", "SystemTests", "Fixtures", "clients.py")


def build():
    """The folder of the programs: of SKEP_BUILD, or of a release build made here."""
    if "SKEP_BUILD" in os.environ:
        return os.environ["SKEP_BUILD"]
    for product in ("skep", "skepd", "skep-relay"):
        subprocess.run(["swift", "build", "-c", "release", "--product", product], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return os.path.join(ROOT, ".build", "release")


class Cluster:
    """One playground: n1 is the manager, the others are workers. `system` is `skep`, or `swarm` for engines in swarm mode."""

    def __init__(self, system, nodes, programs):
        self.system, self.nodes = system, nodes
        self.skep = os.path.join(programs, "skep")
        self.directory = f"/var/tmp/skep-benchmark-{os.getpid()}-{system}"
        self.configuration = tempfile.mkdtemp(prefix="skep-benchmark-")
        self.socket = "engine.sock" if system == "swarm" else "docker.sock"

    def __enter__(self):
        self.playground("up", "--nodes", str(self.nodes), *["--engine-only"] * (self.system == "swarm"))
        self.docker("swarm", "init", "--advertise-addr", self.address(1))
        token = self.docker("swarm", "join-token", "--quiet", "worker").strip()
        for number in range(2, self.nodes + 1):
            self.docker("swarm", "join", "--token", token, f"{self.address(1)}:2377", host=f"n{number}")
        return self

    def __exit__(self, *_):
        self.playground("down")
        if not os.listdir(self.configuration):
            os.rmdir(self.configuration)

    @staticmethod
    def address(number):
        return f"10.77.0.{number}"

    def playground(self, verb, *arguments, check=True):
        result = subprocess.run(
            [self.skep, "playground", verb, "--dir", self.directory, *arguments], capture_output=True, text=True)
        if check and result.returncode:
            sys.exit(f"skep playground {verb}: {result.stderr}")
        return result.stdout

    def environment(self, host):
        return {
            "PATH": os.environ["PATH"], "HOME": self.configuration, "DOCKER_CONFIG": self.configuration,
            "DOCKER_HOST": f"unix://{self.directory}/{host}/{self.socket}",
        }

    def docker(self, *arguments, host="n1"):
        result = subprocess.run(["docker", *arguments], capture_output=True, text=True, env=self.environment(host))
        if result.returncode:
            sys.exit(f"{self.system}: docker {' '.join(arguments)}: {result.stderr}")
        return result.stdout

    def running(self, service, besides=None):
        """How many tasks of the service run and are meant to, on nodes other than `besides`."""
        lines = self.docker(
            "service", "ps", service, "--filter", "desired-state=running", "--format", "{{.Node}} {{.CurrentState}}").splitlines()
        return sum(1 for line in lines if line.split()[1] == "Running" and line.split()[0] != besides)

    def ready(self):
        return self.docker("node", "ls", "--format", "{{.Status}}").split().count("Ready")

    def until(self, holds, limit=120):
        """Seconds until it holds, looked at every 20 ms."""
        begin = time.monotonic()
        while not holds():
            if time.monotonic() - begin > limit:
                sys.exit(f"{self.system}: waited in vain for {limit} s")
            time.sleep(0.02)
        return time.monotonic() - begin

    def client(self, *arguments):
        """A command of the tests' clients, from a machine outside, while this one goes on."""
        return subprocess.Popen(
            [self.skep, "playground", "exec", "--dir", self.directory, "client", "--", "python3", CLIENTS, *arguments],
            stdout=subprocess.PIPE, text=True)

    def processes(self):
        """Process ids by host and what they are."""
        status = json.loads(self.playground("status", "--json"))
        return {host["name"]: {each["name"]: each["pid"] for each in host["processes"]} for host in status["hosts"]}
