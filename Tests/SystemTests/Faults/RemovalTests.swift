// SPDX-License-Identifier: Apache-2.0

import Foundation
import PlaygroundKit
import Testing

extension SystemTests {
  @Test("Leaving the swarm and stopping skepd leaves the host as it was before: network, rules, processes, control groups, files")
  func removal() async throws {
    try await Fixture.with(swarm: false) { n1 in
      try await n1.host.stop(.skepd)
      // What the engine itself keeps from its first container on is not ours.
      try await n1.engine("run", "--rm", "--publish", "8099:80", "skep-web", "true")
      let before = try await n1.snapshot()
      #expect(before["processes"]?.contains("skep") == false)
      try await n1.host.start()
      try await n1.docker("swarm", "init")
      try await n1.create("web", "--mount", "type=volume,destination=/data")
      try await n1.create("idle", replicas: 2, port: nil)
      #expect(try await n1.snapshot() != before)
      try await n1.docker("swarm", "leave", "--force")
      try await n1.host.stop(.skepd)
      let after = try await n1.snapshot()
      for (part, text) in before { #expect(after[part] == text, "\(part)") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: n1.stateDirectory) == ["lock"])
    }
  }

  @Test("A skepd that never had a swarm takes its relay with it when it is stopped")
  func unused() async throws {
    try await Fixture.with(swarm: false) { n1 in
      try await n1.host.stop(.skepd)
      #expect(n1.host.pids(of: .relay).isEmpty)
      #expect(try await n1.host.exec(["ls", "/run/skep"]).lines == ["relay.log"])
    }
  }
}

extension Fixture {
  /// Everything of the host that a service could leave something in, with what changes by itself left out: the
  /// engine's own bridge is up and down with its containers.
  fileprivate func snapshot() async throws -> [String: String] {
    let commands = [
      "links": "ip -o link | sed 's/^[0-9]*: //; s/ state [A-Z]*//; s/[<][^>]*[>]//' | cut -d' ' -f1 | sort",
      "addresses": "ip -o address | grep -v -e docker0 -e fe80 | awk '{print $2, $4}' | sort",
      "rules": "ip rule; ip -6 rule", "routes": "ip route show table all | grep -v -e docker0 -e fe80 | sort",
      "nftables": "nft list ruleset | sed 's/counter packets [0-9]* bytes [0-9]*/counter/'",
      "iptables": "iptables-save | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'",
      "sockets": "ss --listening --no-header --tcp --udp --numeric | awk '{print $1, $5}' | sort",
      "processes": "ps -eo comm= | grep -vE '^(ps|grep|sort|sh|bash|sleep|nsenter|setpriv)$' | sort",
      "control groups": "find /sys/fs/cgroup -path '*skep*' -not -path '*/\(host.plan.cgroup.dropFirst())*' -type d | sort",
      "run": "find /run -not -path '/run/docker*' -not -name relay.log -not -path '/run/skep' | sort",
      "mounts": "cut -d' ' -f2 /proc/mounts | sort",
    ]
    var parts: [String: String] = [:]
    for (part, command) in commands { parts[part] = try await host.exec(["sh", "-c", command]).stdout }
    for list in ["ps --all --quiet", "network ls --format {{.Name}}", "volume ls --quiet"] {
      parts[list] = try await host.checkedDocker(list.split(separator: " ").map(String.init), via: .engine).stdout
    }
    return parts
  }
}
