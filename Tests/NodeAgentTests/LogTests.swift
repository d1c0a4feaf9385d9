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
      for try await line in try await agent.logs(of: LoggedTask(Fixtures.task()), options: options) {
        lines.append("\(line.taskID) \(line.stream) \(String(decoding: line.bytes, as: UTF8.self))")
      }
    }
    #expect(lines == ["task1 stdout one\n", "task1 stderr oops\n", "task1 stdout two\n", "task1 stdout end"])
  }

  @Test(
    "what the engine repeats before each piece of a long line stands before the line once",
    arguments: [
      (0, ["one ", "two\n"], ["one two\n"]), (1, ["T one ", "T two\n", "T three\n"], ["T one two\n", "T three\n"]),
      (2, ["T a=b one ", "T a=b two ", "T a=b three\n"], ["T a=b one two three\n"]),
      (2, ["T  one ", "T  two\n"], ["T  one two\n"]),
      (1, ["T one\n", "T two"], ["T one\n", "T two"]),
    ])
  func pieces(prefixWords: Int, pieces: [String], expected: [String]) {
    var splitter = LogSplitter(taskID: "t", prefixWords: prefixWords)
    var lines: [String] = []
    for piece in pieces { splitter.append(.stdout, Array(piece.utf8)) }
    splitter.finish()
    while let line = splitter.next() { lines.append(String(decoding: line.bytes, as: UTF8.self)) }
    #expect(lines == expected)
  }

  @Test("a container of others, and one that is gone, has none for us")
  func foreign() async throws {
    let harness = Harness()
    await harness.engine.addStranger(name: "web.1.task1", labels: [:])
    let options = ClusterRPC.LogOptions(stdout: true, stderr: true)
    for name in ["web.1.task1", "web.1.gone"] {
      var task = LoggedTask(Fixtures.task())
      task.name = name
      for try await line in try await harness.agent().logs(of: task, options: options) { Issue.record("\(line) of \(name)") }
    }
  }
}
