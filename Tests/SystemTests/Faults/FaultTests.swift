// SPDX-License-Identifier: Apache-2.0

import PlaygroundKit
import Testing

extension SystemTests {
  @Test("An engine that is killed and comes back: tasks are adopted, none restarted; one that died meanwhile is replaced")
  func engineGone() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web")
      let before = try await n1.tasks("web").map(\.id).sorted()
      let load = Flag()
      async let report = n1.load(until: load)
      try await n1.host.kill(.engine)
      #expect(try await n1.docker("service", "ls", "--format", "{{.Name}}") == "web", "our own answers need no engine")
      try await n1.host.start(.engine)
      try await n1.settled("web", 3)
      #expect(try await n1.tasks("web").map(\.id).sorted() == before)
      load.raise()
      #expect(try await report.failures == [:])
      try await n1.killedMeanwhile()
    }
  }

  @Test("An engine that is killed and comes back while skepd is dead as well: adopted, none restarted")
  func bothGone() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web")
      let before = try await n1.running("web")
      try await n1.host.kill(.skepd)
      try await n1.host.kill(.engine)
      try await n1.host.start(.skepd)
      try await n1.settled("web", 3)
      #expect(try await n1.running("web") == before)
      try await n1.answering(3)
    }
  }

  @Test("A power cut of the host: what ran runs again, each slot once, and answers")
  func powerCut() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web")
      try await n1.host.kill(.all)
      try await n1.host.start()
      try await n1.settled("web", 3)
      try await n1.answering(3)
    }
  }

  @Test("kill -9 of the relay under load: only what is in flight in it fails, and a new one listens at once")
  func relayKilled() async throws {
    try await Fixture.with { n1 in
      try await n1.create("web", "--label", "skep.lb.offload=off")
      let before = try await n1.running("web")
      let parallel = 4
      let isOver = Flag()
      async let report = n1.load(parallel: parallel, until: isOver)
      for _ in 1...3 {
        try await n1.host.kill(.relay)
        try await n1.wait("a new relay runs", .seconds(2)) { n1.host.pid(of: .relay) != nil }
        #expect(try await n1.get() != nil)
      }
      isOver.raise()
      #expect(try await report.failed <= 3 * parallel)
      try await n1.settled("web", 3)
      #expect(try await n1.running("web") == before)
    }
  }
}

extension Fixture {
  fileprivate func killedMeanwhile() async throws {
    let before = try await tasks("web").filter(\.isRunning)
    let victim = try #require(before.first)
    let pid = try await engine("inspect", "--format", "{{.State.Pid}}", victim.container)
    try await host.kill(.engine)
    _ = try await host.exec(["kill", "-KILL", pid])
    try await host.start(.engine)
    try await wait("the dead one is replaced") {
      let tasks = try await tasks("web").filter(\.isRunning)
      return tasks.count == 3 && !tasks.contains { $0.id == victim.id }
    }
    try await settled("web", 3)
    let after = Set(try await tasks("web").filter(\.isRunning).map(\.id))
    #expect(after.isSuperset(of: before.map(\.id).filter { $0 != victim.id }), "the others were left alone")
    try await answering(3)
  }
}
