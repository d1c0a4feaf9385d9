// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient
import EngineTestKit
import Manager
import SocketTestKit
import Synchronization
import Testing

@testable import EngineAPI

/// A client of `GET /events`.
final class EventListener: Sendable {
  let response: Response
  private let stream: any AsyncSequence<[UInt8], any Error> & Sendable
  private let heard = Mutex<[String]>([])

  init(_ rig: SwarmRig, _ query: String = "") async throws {
    response = try await rig.api.respond(to: try SwarmRig.request("GET", "/v1.41/events?\(query)"))
    guard case .stream(let stream) = response.body else { throw APIError(status: 0, "no stream") }
    self.stream = stream
  }

  /// Every line, in short: `create web`, or the engine's word in capitals.
  var lines: [String] { heard.withLock { $0 } }

  /// To the end of the stream.
  func run() async throws {
    for try await line in stream {
      #expect(line.last == 0x0A)
      let text = try Self.short(try JSONValue(parsing: line.dropLast()))
      heard.withLock { $0.append(text) }
    }
  }

  /// Runs while `body` does, which may wait for lines.
  func during(_ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.run() }
      try await body()
      group.cancelAll()
    }
  }

  func hears(_ expected: [String]) async throws {
    try await eventually { self.lines.count >= expected.count }
    #expect(lines == expected)
  }

  private static func short(_ json: JSONValue) throws -> String {
    let action = try #require(json["Action"]?.stringValue)
    guard json["scope"]?.stringValue == "swarm" else { return action.uppercased() }
    return "\(action) \(json["Actor"]?["Attributes"]?["name"]?.stringValue ?? "")"
  }
}

@Suite("Events over the API")
struct EventTests {
  static let second = SwarmRig.time.nanoseconds / 1_000_000_000
  static let web = #"{"Name":"web","TaskTemplate":{"ContainerSpec":{"Image":"x"}}}"#

  /// A moment this many seconds after the time of the rig's objects, which is its present too.
  static func time(_ offset: Int64) -> Int64 { (second + offset) * 1_000_000_000 }

  @Test("the swarm's come among the engine's as they happen")
  func live() async throws {
    let rig = try await SwarmRig()
    await rig.engine.tell("old", at: Self.time(-1))
    let listener = try await EventListener(rig)
    #expect(listener.response.headers["Content-Type"] == "application/json" && listener.response.isEndless)
    try await listener.during {
      try await rig.create(Self.web)
      try await listener.hears(["create web"])
      await rig.engine.tell("start", at: Self.time(1))
      try await listener.hears(["create web", "START"])
      #expect(try await rig.call("DELETE", "/services/web").status == 200)
      try await listener.hears(["create web", "START", "remove web"])
    }
    #expect(await rig.engine.eventQueries == [""])
  }

  @Test("the past of both comes by time, and nothing of it twice")
  func past() async throws {
    let rig = try await SwarmRig()
    await rig.engine.tell("before", at: Self.time(-2))
    await rig.engine.tell("one", at: Self.time(-1))
    // The rig's cluster and node are of time 0.
    let listener = try await EventListener(rig, "since=\(Self.second - 1)")
    try await listener.during {
      try await listener.hears(["ONE", "create ingress", "create Alpha"])
      await rig.engine.tell("two", at: Self.time(1))
      try await listener.hears(["ONE", "create ingress", "create Alpha", "TWO"])
    }
    let time = "\(Self.second - 1)"
    #expect(await rig.engine.eventQueries == ["since=\(time)", "since=\(time).000000000&until=\(Self.second).000000000"])
  }

  @Test("what the engine tells while its past is being asked for is not lost")
  func between() async throws {
    let rig = try await SwarmRig()
    // Later than the present: in the stream, and not in the past that is asked for.
    await rig.engine.tell("late", at: Self.time(1))
    let listener = try await EventListener(rig, "since=\(Self.second)")
    try await listener.during { try await listener.hears(["create ingress", "create Alpha", "LATE"]) }
  }

  @Test("a time that has passed ends the answer")
  func until() async throws {
    let rig = try await SwarmRig()
    await rig.engine.tell("one", at: Self.time(-1))
    await rig.engine.tell("two", at: Self.time(2))
    let listener = try await EventListener(rig, "until=\(Self.second - 1)")
    try await within { try await listener.run() }
    #expect(listener.lines == ["ONE"])
    #expect(await rig.engine.eventQueries.count == 1)
  }

  @Test("the engine's end is the end of all")
  func engineEnds() async throws {
    let rig = try await SwarmRig()
    let listener = try await EventListener(rig)
    try await rig.create(Self.web)
    await rig.engine.tell("one", at: Self.time(1))
    let running = Task { try await within { try await listener.run() } }
    try await eventually { listener.lines.count == 2 }
    await rig.engine.endEvents()
    try await running.value
    #expect(Set(listener.lines) == ["create web", "ONE"])
  }

  @Test("an engine that goes away ends the answer as a loss")
  func engineLost() async throws {
    let rig = try await SwarmRig()
    let listener = try await EventListener(rig)
    let running = Task { try await within { try await listener.run() } }
    try await eventually { await rig.engine.lineReaderCount == 1 }
    await rig.engine.goAway()
    let error = await #expect(throws: EngineError.self) { try await running.value }
    #expect(error?.code == .connectionLost)
    #expect(
      try await rig.call("GET", "/events")
        == (503, "the Docker Engine: Cannot connect to the Docker daemon at unix:///fake. Is the docker daemon running?"))
  }

  @Test(
    "filters are obeyed, and reach the engine as they came",
    arguments: [
      ("%7B%22type%22%3A%5B%22service%22%5D%7D", ["create web", "ONE", "remove web"]),
      (#"{"event":["remove"]}"#, ["ONE", "remove web"]), (#"{"scope":{"local":true}}"#, ["ONE"]),
    ])
  func filters(filters: String, expected: [String]) async throws {
    let rig = try await SwarmRig()
    let listener = try await EventListener(rig, "filters=\(filters)")
    #expect(await rig.engine.eventQueries == ["filters=\(filters)"])
    try await listener.during {
      if expected.contains("create web") {
        try await rig.create(Self.web)
        try await eventually { listener.lines == ["create web"] }
      } else {
        try await rig.create(Self.web)
      }
      await rig.engine.tell("one", at: Self.time(1))
      try await eventually { listener.lines.last == "ONE" }
      #expect(try await rig.call("DELETE", "/services/web").status == 200)
      try await listener.hears(expected)
    }
  }

  @Test("the past is asked for with the same filters")
  func pastFilters() async throws {
    let rig = try await SwarmRig()
    let listener = try await EventListener(rig, #"since=1&filters={"type":["node"]}"#)
    try await listener.during { try await listener.hears(["create Alpha"]) }
    let last = try #require(await rig.engine.eventQueries.last)
    #expect(last.hasSuffix("&filters=%7B%22type%22%3A%5B%22node%22%5D%7D"))
  }

  @Test(
    "what the engine refuses is refused in its words",
    arguments: [
      ("since=x", 500, #"strconv.ParseInt: parsing "x": invalid syntax"#),
      ("filters={", 400, "the fake engine refuses these filters"),
      ("since=2&until=1", 400, "`since` time cannot be after `until` time"),
    ])
  func refused(query: String, status: Int, message: String) async throws {
    let rig = try await SwarmRig()
    #expect(try await rig.call("GET", "/events?\(query)") == (status, message))
    #expect(rig.events.listenerCount == 0)
  }

  @Test("the engine's go on without a swarm, when one begins and when it is left")
  func swarmComesAndGoes() async throws {
    let rig = try await SwarmRig(active: false)
    let listener = try await EventListener(rig)
    try await listener.during {
      await rig.engine.tell("one", at: Self.time(1))
      try await listener.hears(["ONE"])
      try await rig.store.transaction { $0.put(Fixture.manager) }
      try await listener.hears(["ONE", "create Alpha"])
      rig.control.inner.withLock { $0.swarm = .inactive }
      await rig.engine.tell("two", at: Self.time(2))
      try await listener.hears(["ONE", "create Alpha", "TWO"])
    }
    let late = try await EventListener(rig, "until=\(Self.second - 1)")
    try await within { try await late.run() }
    #expect(late.lines.isEmpty)
  }

  @Test("a client that leaves is forgotten on both sides")
  func clientLeaves() async throws {
    let rig = try await SwarmRig()
    let listener = try await EventListener(rig)
    try await listener.during {
      try await eventually { await rig.engine.lineReaderCount == 1 && rig.events.listenerCount == 1 }
    }
    try await eventually { await rig.engine.lineReaderCount == 0 && rig.events.listenerCount == 0 }
  }

  @Test("a client that does not read misses what does not fit any more, and hears what comes later")
  func slowClient() async throws {
    let log = EventLog()
    @Sendable func event(_ id: Int) -> ClusterEvent {
      ClusterEvent(.node, .update, id: "\(id)", attributes: [:], time: SwarmRig.time)
    }
    let (_, live) = log.listen(EventWindow(since: nil, until: nil), try EventFilter(nil))
    log.record((0..<2_000).map(event))
    let ids = try await within {
      var (ids, iterator) = ([String](), live.makeAsyncIterator())
      for _ in 0..<EventLog.backlog { ids.append(await iterator.next()?.id ?? "") }
      log.record([event(5_000)])
      ids.append(await iterator.next()?.id ?? "")
      return ids
    }
    #expect(ids == (0..<EventLog.backlog).map(String.init) + ["5000"])
  }
}
