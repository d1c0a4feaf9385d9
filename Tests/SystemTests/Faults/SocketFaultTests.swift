// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  @Test("A relay that hangs is replaced: clients that wait are served, and the log says why")
  func relayHangs() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 2, "--label", "skep.lb.offload=off")
      let (before, relay) = (try await n1.running("web"), n1.host.pids(of: .relay))
      try await n1.stopRelay()
      // It waits in the queue of the listening socket, which skepd holds as well.
      let answer = try await n1.client.exec(["curl", "--silent", "--fail", "--max-time", "60", n1.url()])
      #expect(answer.succeeded)
      #expect(n1.host.pids(of: .relay) != relay)
      #expect(n1.log.contains("has stopped answering, killed; connections through it are lost"))
      #expect(try await n1.running("web") == before)
      try await n1.answering(2)
    }
  }

  @Test("Sockets that are deleted come back: skepd's, the relay's, the whole run directory, also while skepd is away")
  func socketsDeleted() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", replicas: 2)
      let (before, relay) = (try await n1.running("web"), n1.host.pids(of: .relay))
      let report = try await n1.underLoad {
        _ = try await n1.host.exec(["rm", n1.host.apiSocket])
        try await n1.wait("the API's socket is back") { try await n1.host.docker(["service", "ls"]).succeeded }
        _ = try await n1.host.exec(["rm", "-rf", "/run/skep"])
        try await n1.relaySocketIsBack()
        try await n1.host.kill(.skepd)
        _ = try await n1.host.exec(["rm", "-rf", "/run/skep"])
        try await n1.relaySocketIsBack()
        try await n1.host.start(.skepd)
        try await n1.docker("service", "scale", "--detach", "web=3")
        try await n1.settled("web", 3)
      }
      #expect(report.failures == [:])
      #expect(try await n1.running("web").isSuperset(of: before))
      #expect(n1.host.pids(of: .relay) == relay)
      try await n1.answering(3)
    }
  }
}

extension Fixture {
  fileprivate func relaySocketIsBack() async throws {
    try await wait("the relay's socket is back") { try await host.exec(["test", "-S", "/run/skep/relay.sock"]).succeeded }
  }
}
