// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import EngineClient
import EngineTestKit
import NIOCore
import Testing

@testable import NodeAgent

@Suite("A task's log")
struct LogTests {
  static func frame(_ source: LogFrame.Source, _ text: String) -> LogFrame {
    LogFrame(source: source, bytes: ByteBuffer(string: text))
  }

  @Test("comes line by line, streams apart, the last one without a line end too")
  func lines() async throws {
    let harness = Harness()
    let frames = [
      Self.frame(.output, "one\ntw"), Self.frame(.error, "oops\n"), Self.frame(.output, "o\n"), Self.frame(.output, "end"),
    ]
    await harness.engine.configure { $0.logFrames = ["web.1.task1": frames] }
    await harness.assign(Fixtures.task())
    var lines: [String] = []
    try await harness.withAgent { agent in
      try await harness.until("running") { await harness.state() == .running }
      let options = ClusterRPC.LogOptions(stdout: true, stderr: true)
      for try await line in try await agent.logs(of: Fixtures.task(), options: options) {
        lines.append("\(line.taskID) \(line.stream) \(String(decoding: line.bytes, as: UTF8.self))")
      }
    }
    #expect(lines == ["task1 stdout one\n", "task1 stderr oops\n", "task1 stdout two\n", "task1 stdout end"])
  }

  @Test("a container of others has none for us")
  func foreign() async throws {
    let harness = Harness()
    await harness.engine.addStranger(name: "web.1.task1", labels: [:])
    let options = ClusterRPC.LogOptions(stdout: true, stderr: true)
    await #expect(throws: EngineError.self) { _ = try await harness.agent().logs(of: Fixtures.task(), options: options) }
  }
}
