// SPDX-License-Identifier: Apache-2.0

/// What runs on one host, as commands.
///
/// A host is a network namespace plus an *init*: the first process of a process namespace, mount namespace and host name of the
/// host's own, which does nothing but be there. Whatever runs on the host lives in its namespaces, so killing the init is the
/// host's power cut: the kernel kills all of it and undoes every mount, with nothing to look for and nothing forgotten.
package struct HostPlan: Sendable, Equatable {
  package let layout: Layout
  package let name: String
  package let address: String
  package let configuration: Configuration
  /// The folder of `skepd` and `skep-relay`.
  let binaries: String

  package var directory: String { layout.directory(of: name) }
  package var engineSocket: String { "\(directory)/engine.sock" }
  package var apiSocket: String { "\(directory)/docker.sock" }
  /// The init's `argv[0]`: how it's found.
  package var initName: String { layout.prefix + name + "-init" }
  package var cgroup: String { "/" + layout.namespace(of: name) }

  /// Makes the init and returns; it takes its name when all is ready.
  ///
  /// Mounts stay slaves of the machine's, so what is unmounted there isn't kept busy here; copies of network namespaces' mounts
  /// are dropped, they would keep those alive. /run is the host's own: no lock, socket or containerd of the machine is seen, and
  /// as on a real host it starts empty. (`ip netns exec` hides the control groups and dockerd won't start under it.)
  func boot() -> Command {
    let script = """
      set -eu
      exec </dev/null >>"$3" 2>&1
      mount --make-rshared /
      { grep ' - nsfs ' /proc/self/mountinfo || true; } | cut -d' ' -f5 | while read -r m; do umount -l "$m"; done
      resolv=$(readlink -f /etc/resolv.conf || true)
      mount -t tmpfs -o mode=755 tmpfs /run
      mkdir -p /run/lock
      if [ -n "$resolv" ]; then
        [ -e "$resolv" ] || { mkdir -p "${resolv%/*}" && : >"$resolv"; }
        mount --bind "$4" "$resolv"
      fi
      echo "$2" >/proc/sys/kernel/hostname
      cd /
      exec -a "$1" bash -c 'trap : TERM INT HUP; while :; do sleep infinity & wait $!; done'
      """
    let space = "--net=/run/netns/\(layout.namespace(of: name))"
    return Command(
      "setsid",
      [
        "--fork", "nsenter", space, "--", "unshare", "--mount", "--propagation", "slave", "--pid", "--fork", "--mount-proc",
        "--uts",
      ]
        + ["--", "bash", "-c", script, "boot", initName, name, "\(directory)/host.log", layout.resolvConf])
  }

  /// A program on the host, which dies with whoever runs this command.
  package func enter(_ initPid: Int32, _ argv: [String]) -> Command {
    Command("nsenter", namespaces(initPid) + ["setpriv", "--pdeathsig", "KILL"] + argv)
  }

  func engine(_ initPid: Int32) -> Command {
    daemon(
      initPid, log: "engine.log", stale: ["/run/docker.pid", "/run/docker/containerd/containerd.pid"],
      argv: [
        "dockerd", "--data-root", "\(directory)/engine", "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid",
        "-H", "unix://\(engineSocket)", "--cgroup-parent", cgroup, "--exec-opt", "native.cgroupdriver=cgroupfs",
        "--storage-driver", (configuration.storageDriver ?? .overlay2).rawValue,
      ] + configuration.engineArguments, environment: [:])
  }

  func skepd(_ initPid: Int32) -> Command {
    daemon(
      initPid, log: "skepd.log", stale: [],
      argv: [
        "\(binaries)/skepd", "--engine", "unix://\(engineSocket)", "--listen", "unix://\(apiSocket)",
        "--state-dir", "\(directory)/state", "--run-dir", "/run/skep", "--advertise-addr", address,
        "--relay", "\(binaries)/skep-relay", "--log-level", configuration.logLevel,
      ] + configuration.skepdArguments, environment: configuration.skepdEnvironment ?? [:])
  }

  /// Started from the host's init's side, so that it outlives us; with an environment of its own (no proxy of the user's), and
  /// without the process-id files that a killed one left.
  private func daemon(_ initPid: Int32, log: String, stale: [String], argv: [String], environment: [String: String]) -> Command {
    let script = """
      log=$1; stale=$2; shift 2
      cd / && rm -f -- $stale
      ulimit -Sn "$(ulimit -Hn)"
      env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \\
        "$@" </dev/null >>"$log" 2>&1 &
      """
    let arguments =
      ["bash", "-c", script, "daemon", "\(directory)/\(log)", stale.joined(separator: " ")]
      + environment.sorted { $0.key < $1.key }.map { "\($0)=\($1)" } + ["setsid"] + argv
    return Command("nsenter", namespaces(initPid) + arguments)
  }

  private func namespaces(_ initPid: Int32) -> [String] {
    ["--target", "\(initPid)", "--net", "--mount", "--uts", "--pid", "--"]
  }
}
