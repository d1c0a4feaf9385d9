// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  @Test("What a service says of its containers is what a process in one finds")
  func fields() async throws {
    try await Fixture.with { n1 in
      let flags = [
        "--env A={{.Service.Name}}.{{.Task.Slot}}", "--hostname {{.Service.Name}}-{{.Task.Slot}}", "--user 1000:1001",
        "--group 5",
        "--workdir /tmp", "--init", "--read-only", "--host db:10.1.2.3", "--dns 10.9.9.9", "--dns-search example.org",
        "--dns-option ndots:2", "--mount type=tmpfs,target=/t,tmpfs-size=1M",
        "--mount type=volume,source=v-{{.Task.Slot}},target=/d",
        "--mount type=bind,source=/usr,target=/u,readonly", "--ulimit nofile=100:200", "--cap-add NET_ADMIN", "--cap-drop CHOWN",
        "--sysctl net.core.somaxconn=100", "--container-label a=b",
      ]
      let words = flags.flatMap { $0.split(separator: " ", maxSplits: 1).map(String.init) }
      let create = ["service", "create", "--quiet", "--detach", "--name", "all"]
      try await n1.host.checkedDocker(create + words + ["skep-web", "sleep", "1000"])
      try await n1.settled("all", 1)
      let container = try #require(try await n1.running("all").first)
      let script = """
        echo "ids $(id -u) $(id -g) $(id -G)"; echo "in $(pwd) on $(hostname) with $A, by $(cat /proc/1/comm)"
        echo "hosts $(grep db /etc/hosts)"; cat /etc/resolv.conf; echo "backlog $(cat /proc/sys/net/core/somaxconn)"
        grep 'open files' /proc/1/limits; grep CapBnd /proc/1/status; touch /x || echo "root is read-only"; touch /u/x || echo "/u too"
        touch /t/x && echo "/t is not"; while read -r _ path type options _; do echo "$path $type $options"; done < /proc/mounts
        """
      let lines = try await n1.engine("exec", container, "sh", "-c", script)
        .split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
      let wanted = [
        "ids 1000 1001 1001 5", "in /tmp on all-1 with all.1, by docker-init", "hosts 10.1.2.3 db", "nameserver 10.9.9.9",
        "search example.org", "options ndots:2", "backlog 100", "Max open files 100 200 files", "CapBnd: 00000000a80435fa",
        "root is read-only", "/u too", "/t is not",
      ]
      for line in wanted { #expect(lines.contains(line), "\(line) is not in \(lines)") }
      #expect(lines.contains { $0.hasPrefix("/t tmpfs") && $0.contains("size=1024k") }, "\(lines)")
      for path in ["/d", "/u"] { #expect(lines.contains { $0.hasPrefix("\(path) ") }, "\(path) is not in \(lines)") }
      #expect(try await n1.engine("volume", "ls", "--quiet") == "v-1")
    }
  }
}
