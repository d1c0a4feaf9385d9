// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import EngineAPI

@Suite("Filters, times and order of events")
struct EventFilterTests {
  static func event(_ second: Int64 = 5, id: String = "abc123") -> ClusterEvent {
    ClusterEvent(
      .service, .update, id: id, attributes: ["name": "web", "empty": ""],
      time: Timestamp(nanoseconds: second * 1_000_000_000))
  }

  @Test(
    "match by the engine's rules",
    arguments: [
      ("", true), ("null", true), ("{}", true), (#"{"type":[]}"#, true), (#"{"type":null}"#, true), (#"{"unknown":["x"]}"#, true),
      (#"{"type":["service"]}"#, true), (#"{"type":["node","service"]}"#, true), (#"{"type":["serv"]}"#, false),
      (#"{"type":{"service":true}}"#, true), (#"{"type":{"service":false}}"#, false),
      (#"{"scope":["swarm"]}"#, true), (#"{"scope":["local"]}"#, false),
      (#"{"event":["update"]}"#, true), (#"{"event":["up"]}"#, false), (#"{"event":["up","exec_start"]}"#, true),
      (#"{"event":["create","health_status"]}"#, false),
      (#"{"service":["web"]}"#, true), (#"{"service":["w"]}"#, true), (#"{"service":["eb"]}"#, false),
      (#"{"service":["abc"]}"#, true),
      (#"{"service":{"w":false}}"#, true), (#"{"service":["abc123"],"type":["node"]}"#, false),
      (#"{"node":["web"]}"#, true), (#"{"node":["x"]}"#, false), (#"{"container":["x"]}"#, false), (#"{"network":["x"]}"#, false),
      (#"{"secret":["x"]}"#, false), (#"{"config":["x"]}"#, false), (#"{"volume":["x"]}"#, false), (#"{"daemon":["x"]}"#, false),
      (#"{"plugin":["x"]}"#, false), (#"{"image":["web"]}"#, false), (#"{"image":["abc123"]}"#, true),
      (#"{"label":["name"]}"#, true), (#"{"label":["name=web"]}"#, true), (#"{"label":["name="]}"#, false),
      (#"{"label":["empty="]}"#, true), (#"{"label":["name","other"]}"#, false), (#"{"label":["name=web","empty"]}"#, true),
    ])
  func filters(text: String, expected: Bool) throws {
    #expect(try EventFilter(text).includes(Self.event()) == expected)
  }

  @Test(
    "that are malformed are refused", arguments: ["{", "[]", "3", #"{"type":"service"}"#, #"{"type":[1]}"#, #"{"type":{"a":1}}"#])
  func malformed(text: String) {
    #expect(throws: APIError.self) { try EventFilter(text) }
  }

  @Test(
    "times are unix seconds with a fraction",
    arguments: [
      (nil, nil), ("", nil), ("-1", nil), ("-1.5", nil), ("7", 7_000_000_000), ("7.25", 7_250_000_000),
      ("7.000000001", 7_000_000_001),
      ("7.1234567899", 7_123_456_789), ("0", 0), ("-2", 0), ("-99999999999", 0), ("0.-5", 0),
      ("9999999999999", Int64.max), ("9223372036.999999999", Int64.max),
    ])
  func times(text: String?, expected: Int64?) {
    #expect(EventWindow(since: text, until: nil).since?.nanoseconds == expected)
  }

  @Test(
    "a window holds what lies between its times",
    arguments: [
      (nil, nil, false), ("5", nil, true), ("5.000000001", nil, false), (nil, "5", true), (nil, "4.9", false), ("1", "9", true),
    ])
  func window(since: String?, until: String?, expected: Bool) {
    let window = EventWindow(since: since, until: until)
    #expect(window.contains(Self.event().time) == expected)
    #expect(window.hasPast == (since != nil || until != nil))
  }

  @Test(
    "the engine is asked for its past up to now, and no further than the client asked",
    arguments: [
      (nil, nil, nil), ("1", nil, "1.000000000 5.000000000"), ("1.5", "3", "1.500000000 3.000000000"),
      (nil, "3", "- 3.000000000"),
      ("1", "9", "1.000000000 5.000000000"), ("6", nil, nil), ("-99999999999", "-5", "0.000000000 0.000000000"),
    ])
  func pastQuery(since: String?, until: String?, expected: String?) {
    let query = EventWindow(since: since, until: until).pastQuery(at: Self.event().time)
    #expect(query.map { "\($0.since ?? "-") \($0.until)" } == expected)
  }

  @Test("the last 256 are kept, in their order")
  func ring() throws {
    var ring = EventRing()
    for number in 0..<300 { ring.append(Self.event(Int64(number), id: "\(number)")) }
    let all = ring.past(in: EventWindow(since: "0", until: nil), try EventFilter(nil))
    #expect(all.map(\.id) == (44..<300).map(String.init))
    let some = ring.past(in: EventWindow(since: "290", until: "292"), try EventFilter(#"{"service":["291"]}"#))
    #expect(some.map(\.id) == ["291"])
    #expect(ring.past(in: EventWindow(since: nil, until: nil), try EventFilter(nil)).isEmpty)
  }

  static func line(_ second: Int64) -> [UInt8] { Array(#"{"timeNano":\#(second * 1_000_000_000)}"#.utf8) }

  @Test(
    "two pasts become one by time",
    arguments: [
      ([], [], []), ([1, 3], [], [1, 3]), ([], [2, 4], [-2, -4]), ([1, 3, 5], [2, 4], [1, -2, 3, -4, 5]),
      ([3], [3, 3, 4], [-3, -3, 3, -4]),
      // Times of objects may be a little older than what happened.
      ([2, 5], [3, 1, 6], [2, -3, -1, 5, -6]),
    ] as [([Int64], [Int64], [Int64])])
  func merge(engine: [Int64], ours: [Int64], expected: [Int64]) {
    var replay = EventReplay()
    let merged = replay.merge(engine: engine.map(Self.line), ours: ours.map { Self.event($0) })
    #expect(merged == expected.map { $0 < 0 ? Self.event(-$0).json.bytes : Self.line($0) })
  }

  @Test("what the engine's stream repeats of its past is known, each line once")
  func repeated() {
    var replay = EventReplay()
    _ = replay.merge(engine: [1, 2, 2].map(Self.line), ours: [])
    #expect([1, 2, 2, 2, 3, 1].map { replay.isRepeated(Self.line($0)) } == [true, true, true, false, false, false])
  }
}
