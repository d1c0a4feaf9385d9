// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import Testing

@testable import Manager

@Suite("Logs of other nodes", .timeLimit(.minutes(1)))
struct LogBrokerTests {
  private static let options = ClusterRPC.LogOptions(stdout: true, stderr: false, tail: "3")
  private static let task: LoggedTask = {
    let template = TaskTemplate(
      key: .init(serviceID: "s", specVersion: 1), serviceName: "web", serviceLabels: [:], spec: TaskSpec(), endpointSpec: nil,
      ports: [])
    return LoggedTask(
      ClusterTask(
        id: "t1", template: template, slot: 1, desiredState: .running,
        status: TaskStatus(state: .running, timestamp: .zero, message: ""), createdAt: .zero))
  }()

  private static func lines(_ texts: String...) -> [LogLine] {
    texts.map { LogLine(taskID: "t1", stream: .stdout, bytes: Array($0.utf8)) }
  }

  /// What a reader gets, with the failure at the end.
  private static func all(_ stream: AsyncThrowingStream<LogLine, any Error>) async -> [String] {
    var found: [String] = []
    do { for try await line in stream { found.append(String(decoding: line.bytes, as: UTF8.self)) } } catch {
      found.append("\(error)")
    }
    return found
  }

  @Test("a node is asked for what is wanted, and what it sends is read to its end")
  func publishing() async throws {
    let broker = LogBroker()
    var requests = broker.requests(of: "w1").makeAsyncIterator()
    let stream = try broker.lines(of: Self.task, on: "w1", options: Self.options)
    let request = try #require(await requests.next())
    #expect(request == .init(id: request.id, task: Self.task, options: Self.options))
    #expect(await broker.publish(.init(Self.lines("a", "b")), under: request.id, of: "w1"))
    #expect(await !broker.publish(.init(Self.lines("c"), isLast: true, failure: "no more"), under: request.id, of: "w1"))
    broker.end(request.id, of: "w1")
    #expect(await Self.all(stream) == ["a", "b", "c", "no more"])
    #expect(await !broker.publish(.init(Self.lines("d")), under: request.id, of: "w1"))
  }

  @Test("a node may send nothing that it was not asked for")
  func strangers() async throws {
    let broker = LogBroker()
    var requests = broker.requests(of: "w1").makeAsyncIterator()
    let stream = try broker.lines(of: Self.task, on: "w1", options: Self.options)
    let request = try #require(await requests.next())
    #expect(await !broker.publish(.init(Self.lines("false")), under: request.id, of: "w2"))
    broker.end(request.id, of: "w2")
    broker.disconnect("w2")
    #expect(await !broker.publish(.init([], isLast: true), under: request.id, of: "w1"))
    #expect(await Self.all(stream) == [])
  }

  @Test("a node that is not there is not available; one that goes has disconnected unexpectedly, after what it had sent")
  func losses() async throws {
    let broker = LogBroker()
    #expect(throws: LogSourceLost.unavailable("w1")) { try broker.lines(of: Self.task, on: "w1", options: Self.options) }
    let first = broker.requests(of: "w1")
    var requests = first.makeAsyncIterator()
    let stream = try broker.lines(of: Self.task, on: "w1", options: Self.options)
    let request = try #require(await requests.next())
    #expect(await broker.publish(.init(Self.lines("a")), under: request.id, of: "w1"))
    broker.disconnect("w1")
    #expect(await Self.all(stream) == ["a", "node w1 disconnected unexpectedly"])
    #expect(await requests.next() == nil)
    #expect(throws: LogSourceLost.unavailable("w1")) { try broker.lines(of: Self.task, on: "w1", options: Self.options) }
  }

  @Test("a node's newest stream of requests is the one; the end of an earlier one changes nothing")
  func replacement() async throws {
    let broker = LogBroker()
    let old = broker.requests(of: "w1")
    var requests = broker.requests(of: "w1").makeAsyncIterator()
    for await _ in old { Issue.record("the old stream is over") }
    let stream = try broker.lines(of: Self.task, on: "w1", options: Self.options)
    let request = try #require(await requests.next())
    // A log that ends before its last batch.
    broker.end(request.id, of: "w1")
    #expect(await Self.all(stream) == ["node w1 disconnected unexpectedly"])
  }

  @Test("a reader that leaves is known to the node, which need not have sent anything")
  func leaving() async throws {
    let broker = LogBroker()
    var requests = broker.requests(of: "w1").makeAsyncIterator()
    let reader = Task { try await Self.all(broker.lines(of: Self.task, on: "w1", options: Self.options)) }
    let request = try #require(await requests.next())
    async let end: Void = broker.untilUnwanted(request.id, of: "w1")
    reader.cancel()
    await end
    #expect(try await reader.value == [])
    var stream: AsyncThrowingStream<LogLine, any Error>? = try broker.lines(of: Self.task, on: "w1", options: Self.options)
    let second = try #require(await requests.next())
    #expect(stream != nil)
    stream = nil
    await broker.untilUnwanted(second.id, of: "w1")
    #expect(await !broker.publish(.init(Self.lines("x")), under: second.id, of: "w1"))
  }
}
