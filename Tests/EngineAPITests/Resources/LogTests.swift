// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterRPC
import HTTPWire
import SocketTestKit
import Synchronization
import Testing

@testable import EngineAPI

/// Lines by task id, and how many were asked for. A task without lines fails; `endless` ones never end.
final class FakeLogs: TaskLogSource {
  struct Failed: Error, CustomStringConvertible { let description = "log driver is gone" }

  let lines: [String: [String]]
  let endless: Set<String>
  let taken = Mutex(0)
  let asked = Mutex<[ClusterRPC.LogOptions]>([])

  init(_ lines: [String: [String]], endless: Set<String> = []) {
    self.lines = lines
    self.endless = endless
  }

  func logs(of task: LoggedTask, options: ClusterRPC.LogOptions) throws -> AsyncThrowingStream<LogLine, any Error> {
    asked.withLock { $0.append(options) }
    guard let texts = lines[task.id] else { throw Failed() }
    let isEndless = endless.contains(task.id)
    let next = Mutex(0)
    return AsyncThrowingStream {
      let index = next.withLock { index in
        defer { index += 1 }
        return index
      }
      if index >= texts.count, !isEndless { return nil }
      if index >= texts.count { try await Task.sleep(for: .seconds(3_600)) }
      self.taken.withLock { $0 += 1 }
      return LogLine(taskID: task.id, stream: .stdout, bytes: Array(texts[index].utf8))
    }
  }
}

/// One line, then a loss or an end.
final class BreakingLogs: TaskLogSource {
  let line: String
  let loss: LogSourceLost?
  let asked = Mutex<[ClusterRPC.LogOptions]>([])

  init(_ line: String, then loss: LogSourceLost?) {
    self.line = line
    self.loss = loss
  }

  func logs(of task: LoggedTask, options: ClusterRPC.LogOptions) -> AsyncThrowingStream<LogLine, any Error> {
    asked.withLock { $0.append(options) }
    return AsyncThrowingStream { continuation in
      continuation.yield(LogLine(taskID: task.id, stream: .stdout, bytes: Array(line.utf8)))
      continuation.finish(throwing: loss)
    }
  }
}

@Suite("Logs over the API")
struct LogTests {
  /// A service `web` with these tasks, all on `n1` unless their name says `unscheduled`.
  static func rig(_ tasks: [String], logs: FakeLogs, tty: Bool = false) async throws -> SwarmRig {
    let rig = try await SwarmRig()
    rig.control.inner.withLock { $0.sources["n1"] = logs }
    let spec = #"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"x","TTY":\#(tty)}}}"#
    let id = try await rig.create(spec)
    try await add(tasks, to: id, rig)
    return rig
  }

  static func add(_ tasks: [String], to service: String, _ rig: SwarmRig) async throws {
    try await rig.store.transaction { transaction in
      let service = try #require(transaction.service(service))
      for task in tasks {
        let node = task == "unscheduled" ? "" : task == "lost" ? "n9" : "n1"
        transaction.put(Fixture.task(task, of: service, slot: 1, node: node))
      }
    }
  }

  static func open(_ rig: SwarmRig, _ target: String) async throws -> (Response, any AsyncSequence<[UInt8], any Error> & Sendable)
  {
    let response = try await rig.api.respond(to: try SwarmRig.request("GET", target))
    guard case .stream(let stream) = response.body else { throw APIError(status: 0, "no stream") }
    return (response, stream)
  }

  static func all(_ rig: SwarmRig, _ target: String) async throws -> [[UInt8]] {
    let (_, stream) = try await open(rig, target)
    return try await within {
      var frames: [[UInt8]] = []
      for try await frame in stream { frames.append(frame) }
      return frames
    }
  }

  static func frame(_ stream: UInt8, _ text: String) -> [UInt8] {
    [stream, 0, 0, 0, 0, 0, 0, UInt8(text.utf8.count)] + text.utf8
  }

  @Test("each line of each task is one frame")
  func frames() async throws {
    let rig = try await Self.rig(["t1", "t2"], logs: FakeLogs(["t1": ["a\n", "b\n"], "t2": ["c\n"]]))
    let frames = try await Self.all(rig, "/services/web/logs?stdout=1")
    #expect(frames.count == 3 && Set(frames) == [Self.frame(1, "a\n"), Self.frame(1, "b\n"), Self.frame(1, "c\n")])
    #expect(try await Self.all(rig, "/tasks/t2/logs?stdout=1") == [Self.frame(1, "c\n")])
  }

  @Test("a terminal's log has no frames, and the type of the answer follows version and terminal")
  func types() async throws {
    let plain = try await Self.rig(["t1"], logs: FakeLogs(["t1": ["a\n"]]))
    let terminal = try await Self.rig(["t1"], logs: FakeLogs(["t1": ["a\n"]]), tty: true)
    #expect(try await Self.all(terminal, "/services/web/logs?stdout=1") == [Array("a\n".utf8)])
    let raw = "application/vnd.docker.raw-stream"
    let framed = "application/vnd.docker.multiplexed-stream"
    #expect(try await Self.open(plain, "/v1.41/services/web/logs?stdout=1").0.headers["Content-Type"] == raw)
    #expect(try await Self.open(plain, "/v1.42/services/web/logs?stdout=1").0.headers["Content-Type"] == framed)
    #expect(try await Self.open(terminal, "/v1.42/services/web/logs?stdout=1").0.headers["Content-Type"] == raw)
  }

  @Test(
    "details name task, service and node among the log driver's own",
    arguments: [
      (
        "", " text with words\n",
        "com.docker.swarm.node.id=n1,com.docker.swarm.service.id=SERVICE,com.docker.swarm.task.id=t1 text with words\n"
      ),
      (
        "", "a=1,z=2 text\n",
        "a=1,com.docker.swarm.node.id=n1,com.docker.swarm.service.id=SERVICE,com.docker.swarm.task.id=t1,z=2 text\n"
      ),
      (
        "&timestamps=1", "2024-05-01T10:00:00.000000000Z a=1 text\n",
        "2024-05-01T10:00:00.000000000Z a=1,com.docker.swarm.node.id=n1,com.docker.swarm.service.id=SERVICE,com.docker.swarm.task.id=t1 text\n"
      ),
    ])
  func details(query: String, line: String, expected: String) async throws {
    let rig = try await Self.rig(["t1"], logs: FakeLogs(["t1": [line]]), tty: true)
    let id = try #require(await rig.store.read { $0.services.keys.first })
    let found = try await Self.all(rig, "/services/web/logs?stdout=1&details=1\(query)")
    #expect(found.map { String(decoding: $0, as: UTF8.self) } == [expected.replacing("SERVICE", with: id)])
  }

  @Test("what could not be read is told at the end, in band")
  func incomplete() async throws {
    let rig = try await Self.rig(["t1", "bad", "unscheduled", "lost"], logs: FakeLogs(["t1": ["a\n"]]))
    let frames = try await Self.all(rig, "/services/web/logs?stdout=1")
    let last = try #require(frames.last)
    #expect(frames.count == 2 && last[0] == 3)
    let text = String(decoding: last.dropFirst(8), as: UTF8.self)
    #expect(
      text.hasPrefix(
        "Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be retrieved for "
          + "the following reasons: task unscheduled has not been scheduled, "))
    #expect(text.contains("node n9 is not available") && text.contains("task bad: log driver is gone") && text.hasSuffix("\n"))
  }

  @Test("the client's options reach the node")
  func options() async throws {
    let logs = FakeLogs(["t1": []])
    let rig = try await Self.rig(["t1"], logs: logs)
    _ = try await Self.all(rig, "/services/web/logs?stderr=1&since=1700000000.5&tail=7&timestamps=1")
    let wanted = ClusterRPC.LogOptions(stdout: false, stderr: true, since: "1700000000.5", tail: "7", timestamps: true)
    #expect(logs.asked.withLock { $0 } == [wanted])
  }

  @Test(
    "bad options are refused before the stream",
    arguments: [
      ("", 400, "must specify at least one of 'stdout' or 'stderr'"),
      ("stdout=0&stderr=false", 400, "must specify at least one of 'stdout' or 'stderr'"),
      ("stdout=1&since=x", 400, #"invalid value for "since": strconv.ParseInt: parsing "x": invalid syntax"#),
      (
        "stdout=1&since=1.99999999999999999999", 400,
        #"invalid value for "since": strconv.ParseInt: parsing "99999999999999999999": value out of range"#
      ),
      ("stdout=1&tail=x", 500, #"tail value must be a positive integer or "all""#),
      ("stdout=1&tail=-1", 500, "negative tail values not supported"),
    ])
  func badOptions(query: String, status: Int, message: String) async throws {
    let rig = try await Self.rig(["t1"], logs: FakeLogs([:]))
    #expect(try await rig.call("GET", "/services/web/logs?\(query)") == (status, message))
    #expect(try await rig.call("GET", "/services/nope/logs?stdout=1") == (404, "service nope not found"))
    #expect(try await rig.call("GET", "/tasks/nope/logs?stdout=1") == (404, "task nope not found"))
  }

  @Test("following takes in tasks that come later, and ends with the service")
  func follow() async throws {
    let rig = try await Self.rig(["t1"], logs: FakeLogs(["t1": ["a\n"], "t2": ["b\n"]]))
    let id = try #require(await rig.store.read { $0.services.keys.first })
    let (_, stream) = try await Self.open(rig, "/services/web/logs?stdout=1&follow=1")
    let frames = try await within {
      var frames: [[UInt8]] = []
      for try await frame in stream {
        frames.append(frame)
        if frames.count == 1 { try await Self.add(["t2"], to: id, rig) }
        if frames.count == 2 { _ = try await rig.call("DELETE", "/services/web") }
      }
      return frames
    }
    #expect(frames == [Self.frame(1, "a\n"), Self.frame(1, "b\n")])
  }

  @Test("what cannot be followed is told at once, and the rest goes on")
  func followFailure() async throws {
    let rig = try await Self.rig(["t1", "bad"], logs: FakeLogs(["t1": ["a\n"]]))
    let (_, stream) = try await Self.open(rig, "/services/web/logs?stdout=1&follow=1")
    let frames = try await within {
      var frames: [[UInt8]] = []
      for try await frame in stream {
        frames.append(frame)
        if frames.count == 2 { _ = try await rig.call("DELETE", "/services/web") }
      }
      return frames
    }
    let failure = try #require(frames.first { $0[0] == 3 })
    #expect(String(decoding: failure.dropFirst(8), as: UTF8.self).hasSuffix("reasons: task bad: log driver is gone\n"))
    #expect(frames.count == 2 && frames.contains(Self.frame(1, "a\n")))
  }

  @Test("a lost node's part goes on where it broke off once the node is back, and nothing is said of it meanwhile")
  func lostWhileFollowing() async throws {
    let rig = try await Self.rig(["lost"], logs: FakeLogs([:]))
    try await rig.store.transaction { $0.put(Fixture.worker("n9")) }
    let (_, stream) = try await Self.open(rig, "/services/web/logs?stdout=1&follow=1&tail=1")
    let (first, second) = (BreakingLogs("a\n", then: .disconnected("n9")), BreakingLogs("b\n", then: nil))
    rig.control.inner.withLock { $0.sources["n9"] = first }
    let frames = try await within {
      var frames: [[UInt8]] = []
      for try await frame in stream {
        frames.append(frame)
        if frames.count == 1 { rig.control.inner.withLock { $0.sources["n9"] = second } }
        if frames.count == 2 { _ = try await rig.call("DELETE", "/services/web") }
      }
      return frames
    }
    #expect(frames == [Self.frame(1, "a\n"), Self.frame(1, "b\n")])
    #expect(first.asked.withLock { $0.first }.map { [$0.since, $0.tail] } == ["", "1"])
    #expect(second.asked.withLock { $0.first }.map { [$0.since, $0.tail] } == ["1714557600.000000000", "all"])
  }

  @Test("a client that does not read holds up the logs, and one that leaves ends them")
  func backPressure() async throws {
    let logs = FakeLogs(["t1": Array(repeating: "line\n", count: 10_000)], endless: ["t1"])
    let rig = try await Self.rig(["t1"], logs: logs)
    let (_, stream) = try await Self.open(rig, "/services/web/logs?stdout=1&follow=1")
    let reader = Task {
      var iterator = stream.makeAsyncIterator()
      _ = try await iterator.next()
      try await eventually { logs.taken.withLock { $0 } >= ProducedStream.capacity }
      // Time enough for ten thousand lines if nothing held them up.
      for _ in 0..<1_000 { await Task.yield() }
      #expect(logs.taken.withLock { $0 } <= ProducedStream.capacity + 3)
      while try await iterator.next() != nil {}
    }
    try await eventually { logs.taken.withLock { $0 } == 10_000 }
    reader.cancel()
    try await within { try await reader.value }
  }

  @Test("a queue between many and one loses nothing and ends cleanly")
  func queue() async throws {
    let queue = BoundedQueue<Int>(capacity: 3)
    let sum = try await within {
      await withTaskGroup(of: Int.self) { group in
        group.addTask {
          await withTaskGroup(of: Void.self) { senders in
            for number in 1...100 { senders.addTask { _ = await queue.send(number) } }
          }
          queue.finish()
          return 0
        }
        group.addTask {
          var sum = 0
          while let number = await queue.next() { sum += number }
          return sum
        }
        return await group.reduce(0, +)
      }
    }
    #expect(sum == 5_050)
    queue.close()
    #expect(await queue.send(1) == false)
    #expect(await queue.next() == nil)
  }
}
