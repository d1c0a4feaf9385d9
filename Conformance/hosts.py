# SPDX-License-Identifier: Apache-2.0
"""The two systems under comparison: hosts of the playground, alike but for who answers."""
import http.client
import json
import os
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("docker", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Host:
    """One playground with one host, n1. Names, addresses and images are the same in both systems."""

    def __init__(self, name, engine_only, kind="conformance", build="debug", image=True):
        self.name = name
        self.directory = f"/var/tmp/skep-{kind}-{os.getpid()}-{name}"
        self.skep = os.path.join(ROOT, ".build", build, "skep")
        self.arguments = ["--engine-only"] * engine_only + ["--no-image"] * (not image)
        self.socket = f"{self.directory}/n1/" + ("engine.sock" if engine_only else "docker.sock")
        self.configuration = tempfile.mkdtemp(prefix=f"skep-{kind}-")

    def up(self):
        self.playground("up", *self.arguments, check=True, stdout=subprocess.DEVNULL)

    def playground(self, command, *arguments, **options):
        return subprocess.run([self.skep, "playground", command, "--dir", self.directory, *arguments], **options)

    def processes(self):
        """The ids of the host's processes by what they are: init, dockerd, containerd, skepd, relay."""
        status = json.loads(self.playground("status", "--json", check=True, capture_output=True).stdout)
        return {each["name"]: each["pid"] for each in status["hosts"][0]["processes"]}

    def down(self):
        self.playground("down", check=False, stdout=subprocess.DEVNULL)
        os.rmdir(self.configuration) if not os.listdir(self.configuration) else None

    @property
    def environment(self):
        return {
            "PATH": os.environ["PATH"], "HOME": self.configuration, "DOCKER_CONFIG": self.configuration,
            "DOCKER_HOST": f"unix://{self.socket}", "LANG": "C.UTF-8", "COLUMNS": "200",
        }

    def start(self, arguments):
        """A command that goes on."""
        pipe = subprocess.PIPE
        return subprocess.Popen(["docker", *arguments], stdout=pipe, stderr=pipe, text=True, env=self.environment)

    def docker(self, arguments, stdin="", timeout=60):
        """Exit status, standard output, standard error."""
        try:
            result = subprocess.run(
                ["docker", *arguments], input=stdin, capture_output=True, text=True, timeout=timeout, env=self.environment)
        except subprocess.TimeoutExpired as expired:
            text = lambda value: (value or b"").decode() if isinstance(value, bytes) else value or ""
            return -1, text(expired.stdout), text(expired.stderr) + "\n(still running)"
        return result.returncode, result.stdout, result.stderr

    def call(self, method, path, body=None, headers=None, timeout=20):
        """Status, headers, body. A body that is no text is sent as JSON."""
        connection = UnixConnection(self.socket, timeout)
        headers = dict(headers or {})
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except (OSError, http.client.HTTPException) as error:
            return 0, {}, f"{type(error).__name__}: {error}".encode()
        finally:
            connection.close()

    def json(self, path):
        status, _, body = self.call("GET", path)
        return json.loads(body) if status == 200 else []

    def settle(self, limit=90):
        """Waits until every service has what it asks for and no update is under way. False if that does not come."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if self.is_settled():
                return True
            time.sleep(0.1)
        self.tell_tasks()
        return False

    def tell_tasks(self):
        """Prints the tasks of the services that do not settle, for whoever looks for the reason."""
        for name in self.unsettled():
            print(f"{self.name}: {name} does not settle:\n{self.docker(['service', 'ps', '--no-trunc', name])[1]}", flush=True)

    def unsettled(self):
        """Services that have not what they ask for."""
        services = self.json("/v1.41/services?status=true")
        return sorted(s["Spec"]["Name"] for s in services if is_wanting(s))

    def is_settled(self):
        services = self.json("/v1.41/services?status=true")
        tasks = self.json("/v1.41/tasks")
        if any(s.get("UpdateStatus", {}).get("State") in ("updating", "rollback_started") and "JobStatus" not in s for s in services):
            return False
        if any(is_wanting(s) for s in services):
            return False
        known = {s["ID"] for s in services}
        # Swarm mode leaves a removed job's behind.
        tasks = [t for t in tasks if t["ServiceID"] in known or "JobIteration" not in t]
        leaving = [t for t in tasks if t["DesiredState"] != "running" and t["Status"]["State"] in ACTIVE]
        return not leaving and all(t["ServiceID"] in known for t in tasks)


def is_wanting(service):
    """A job has what it asks for when all of it has completed."""
    status, job = service["ServiceStatus"], service["Spec"]["Mode"].get("ReplicatedJob")
    if job:
        return status["CompletedTasks"] != job["TotalCompletions"]
    if "JobStatus" in service:
        return status["DesiredTasks"] != 0
    return status["RunningTasks"] != status["DesiredTasks"]


ACTIVE = ("new", "pending", "assigned", "accepted", "preparing", "ready", "starting", "running")
