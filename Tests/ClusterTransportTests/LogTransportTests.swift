// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Identity
import Synchronization
import Testing

@testable import ClusterTransport

/// Lines that are there, then an end, a failure, or nothing for a long time.
final class FewLines: TaskLogSource {
  struct Failed: Error, CustomStringConvertible { let description = "log driver is gone" }
  enum End { case end, failure, wait }

  let lines: [String]
  let end: End
  let taken = Mutex(0)
  let isCancelled = Mutex(false)

  init(_ lines: [String], then end: End = .end) {
    self.lines = lines
    self.end = end
  }

  func logs(of task: LoggedTask, options: LogOptions) -> AsyncThrowingStream<LogLine, any Error> {
    AsyncThrowingStream { [self] in
      let index = taken.withLock { count in
        defer { count += 1 }
        return count
      }
      if index < lines.count { return LogLine(taskID: task.id, stream: .stderr, bytes: Array(lines[index].utf8)) }
      switch end {
      case .end: return nil
      case .failure: throw Failed()
      case .wait:
        do { try await Task.sleep(for: .seconds(3_600)) } catch { isCancelled.withLock { $0 = true } }
        return nil
      }
    }
  }
}

extension Rig {
  static func wish(_ task: String) -> NodeMessage.LogRequest {
    let cluster = ClusterTask(
      id: task,
      template: TaskTemplate(
        key: .init(serviceID: "s", specVersion: 1), serviceName: "web", serviceLabels: [:], spec: TaskSpec(), endpointSpec: nil,
        ports: []), slot: 1, desiredState: .running, status: TaskStatus(state: .running, timestamp: .zero, message: ""),
      createdAt: .zero)
    return .init(id: "log-" + task, task: LoggedTask(cluster), options: LogOptions(stdout: true, stderr: true, tail: "7"))
  }
}

@Suite("Logs from a node to its manager", .timeLimit(.minutes(1)))
struct LogTransportTests {
  private func until(_ what: Comment, _ holds: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while !holds() {
      try #require(ContinuousClock.now < end, what)
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  private func publishing(
    _ rig: Rig, _ source: FewLines, while body: @escaping @Sendable () async throws -> Void = {}
  ) async throws {
    try await rig.serving { port in
      let worker = try rig.credentials("w1")
      try await ManagerChannel.with(to: "127.0.0.1:\(port)", as: rig.member(worker), now: { Rig.now }) { channel in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await channel.publish(Rig.wish("t1"), as: SessionName(nodeID: "w1", session: "s1"), from: source) }
          try await body()
          try await group.waitForAll()
        }
      }
    }
  }

  private func lines(_ rig: Rig) -> [LogLine] {
    rig.service.state.withLock { $0.published["log-t1"] ?? [] }.flatMap { $0.lines(of: "t1") }
  }

  @Test("every line arrives in order, and so does the end, be it a failure", arguments: [FewLines.End.end, .failure])
  func all(end: FewLines.End) async throws {
    let rig = try Rig()
    let texts = (0..<1_000).map { "line \($0)\n" }
    try await publishing(rig, FewLines(texts, then: end))
    #expect(lines(rig) == texts.map { LogLine(taskID: "t1", stream: .stderr, bytes: Array($0.utf8)) })
    let last = rig.service.state.withLock { $0.published["log-t1"]?.last }
    #expect(last == NodeMessage.LogBatch([], isLast: true, failure: end == .failure ? "log driver is gone" : nil))
    #expect(rig.service.state.withLock { $0.endedLogs } == ["log-t1"])
  }

  @Test("a reader that takes nothing holds up the log; one that leaves ends it, however quiet it is")
  func backPressure() async throws {
    let rig = try Rig()
    rig.service.state.withLock { $0.appetite = 1 }
    let source = FewLines(Array(repeating: String(repeating: "x", count: 1_000), count: 1_500), then: .wait)
    try await publishing(rig, source) {
      try await until("the node reads on for as far as it may") { source.taken.withLock { $0 } > 64 }
      // Not to wait for something: time to read all of it.
      try await Task.sleep(for: .milliseconds(300))
      #expect(source.taken.withLock { $0 } < 400)
      rig.service.state.withLock { $0.appetite = Int.max }
      try await until("the log goes on") { source.taken.withLock { $0 } == 1_501 }
      rig.service.state.withLock { _ = $0.unwanted.insert("log-t1") }
    }
    #expect(source.isCancelled.withLock { $0 })
  }

  @Test("a worker's link publishes what it is asked for while its session lasts")
  func link() async throws {
    let rig = try Rig()
    rig.service.state.withLock { $0.wishes = ["t1", "t2"].map(Rig.wish) }
    try await rig.serving { port in
      let credentials = try rig.credentials("w1")
      let link = try ManagerLink(
        to: "127.0.0.1:\(port)", nodeID: "w1", credentials: { credentials }, sealer: SealingKey.make(), logger: Rig.logger,
        now: { Rig.now }, tell: { _ in })
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await link.run(logs: FewLines(["a\n"])) }
        try await link.register(description: ManagerLinkTests.description, statuses: [:])
        _ = await link.assignments()
        // One of the two found its lines; the other shares the source, and ends without.
        try await until("both are published") { rig.service.state.withLock { Set($0.endedLogs) == ["log-t1", "log-t2"] } }
        group.cancelAll()
      }
    }
    #expect(rig.service.state.withLock { $0.published.values.flatMap { $0 }.flatMap(\.lines).count } == 1)
  }
}
