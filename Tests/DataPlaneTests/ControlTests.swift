// SPDX-License-Identifier: Apache-2.0

import CLinux
import ClusterModel
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("Control messages")
struct ControlMessageTests {
  static let table = EndpointTable(
    generation: 7,
    listeners: (1...200).map { number in
      let endpoints = (0..<10).map { Endpoint(id: "task-\(number)-\($0)", address: .loopback, port: UInt16(number)) }
      return Listener(id: "service-\(number)", port: UInt16(number), endpoints: endpoints)
    })

  static var report: RelayReport {
    var latency = LatencyHistogram()
    for value in [0, 50_000, 250_000_000, .max] as [UInt64] { latency.record(value) }
    let endpoints: [ListenerCounters.Endpoint] = ListenerCounters.Endpoint.State.allCases.map { state in
      ListenerCounters.Endpoint(
        id: "\(state)", address: .loopback, port: 81, state: state, open: 1, total: 2,
        failuresByKind: Dictionary(uniqueKeysWithValues: ConnectFailure.allCases.map { ($0, 3 + UInt64($0.rawValue)) }),
        bytesIn: 4, bytesOut: 5, latency: latency)
    }
    let listener = ListenerCounters(
      id: "web", port: .init(.udp, 80), strategy: .ipHash, inTable: true, open: 1, total: 2,
      refusals: [.noEndpoint: 3, .other: 1], retries: 6,
      bytesIn: 4, bytesOut: 5, latency: latency, endpoints: endpoints)
    return RelayReport(
      release: "1.2.3", uptime: 1, generation: 2, threads: 3, connections: 4, connectionLimit: 5, sessions: 6, sessionLimit: 7,
      inherited: 8,
      listeners: [listener, listener])
  }

  static let examples: [ControlMessage] = [
    .hello(.init(processID: 42, release: "1.2.3", generation: 9, ports: [.init(.tcp, 80), .init(.udp, 443)])),
    .applied(.init(generation: 9, failures: ["web": 98])),
    .draining(["a": 1, "b": 0]),
    .counts(ticket: 3, ["a": 4]),
    .counters(ticket: 4, report),
    .held(["web": ["a": 1, "b": 2], "other": [:]]), .superseded,
    .refused(.init(kind: 16, generation: 3, reason: "tableau")),
    .table(table, ports: [.init(.tcp, 1), .init(.udp, 1), .init(.tcp, 3)]),
    .countsRequest(ticket: 5, endpoints: ["a", "b"]), .countersRequest(ticket: 6),
    .shutdown, .sources(SourcePolicy(keeps: true, inside: [IPv4Subnet(base: .loopback, prefix: 8)])),
  ]

  @Test("come back as they were, from as many packets as they need", arguments: examples)
  func roundTrip(message: ControlMessage) throws {
    let packets = ControlPacket.packets(for: message, descriptors: Array(1000..<1600))
    #expect(packets.allSatisfy { $0.descriptors.count <= 253 && $0.bytes.count <= 48 * 1024 + 3 })
    var assembler = ControlAssembler()
    for packet in packets.dropLast() { #expect(try assembler.append(packet) == nil) }
    guard case .message(message, let descriptors) = try assembler.append(packets[packets.count - 1]) else {
      Issue.record("not the message")
      return
    }
    #expect(descriptors == Array(1000..<1600))
  }

  @Test("cut anywhere are refused", arguments: examples)
  func truncated(message: ControlMessage) {
    let payload = message.encodedPayload()
    for count in stride(from: 0, to: payload.count, by: max(1, payload.count / 997)) {
      #expect(throws: BinaryCodingError.self) { try ControlMessage(kind: message.kind, payload: Array(payload[..<count])) }
    }
  }

  @Test("with a strategy or a flag that there is not are refused; a kind of failure that is not known yet counts as other")
  func strange() throws {
    var report = Self.report
    report.listeners = [report.listeners[0]]
    report.listeners[0].endpoints = [report.listeners[0].endpoints[0]]
    report.listeners[0].refusals = [.noEndpoint: 7]
    let payload = ControlMessage.counters(ticket: 4, report).encodedPayload()
    // Ticket, release, uptime, generation, threads, five counts, number of listeners, id "web", port.
    let strategy = 8 + 7 + 8 + 8 + 2 + 5 * 4 + 4 + 5 + 3
    // Strategy, flag, open, number of refusals.
    let refusal = strategy + 1 + 1 + 4 + 1
    for (place, value) in [(strategy, UInt8(9)), (strategy + 1, 2)] {
      var bytes = payload
      bytes[place] = value
      #expect(throws: BinaryCodingError.self) { try ControlMessage(kind: 5, payload: bytes) }
    }
    var bytes = payload
    #expect(bytes[refusal] == RefusalReason.noEndpoint.rawValue)
    bytes[refusal] = 200
    guard case .counters(_, let read) = try ControlMessage(kind: 5, payload: bytes) else { throw DataPlaneError(.protocol, "") }
    #expect(read.listeners[0].refusals == [.other: 7])
    #expect(read.listeners[0].endpoints == report.listeners[0].endpoints)
  }

  @Test("of noise never crash, and unknown kinds are refused")
  func noise() {
    var generator = SplitMix64(seed: 11)
    for kind in UInt8.min ... .max {
      let known = Self.examples.contains { $0.kind == kind }
      for size in 0..<40 {
        let bytes = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let message = try? ControlMessage(kind: kind, payload: bytes)
        #expect(known || message == nil)
      }
    }
  }

  @Test(
    "packets that do not fit together are refused",
    arguments: [
      [[1]], [[]], [[9, 19, 0]], [[1, 19, 1], [1, 18, 0]],
    ] as [[[UInt8]]])
  func packets(bytes: [[UInt8]]) {
    #expect(throws: BinaryCodingError.self) {
      var assembler = ControlAssembler()
      for packet in bytes { _ = try assembler.append(ControlPacket(bytes: packet, descriptors: [])) }
    }
  }

  @Test("of a kind nobody knows are told apart from packets that do not fit, and give their descriptors back")
  func unknown() throws {
    var assembler = ControlAssembler()
    let result = try assembler.append(ControlPacket(bytes: [1, 200, 0], descriptors: [7, 8]))
    guard case .unreadable(200, let reason, [7, 8]) = result else {
      Issue.record("\(String(describing: result))")
      return
    }
    #expect(reason.code == .invalidValue)
    #expect(assembler.descriptors == [])
  }

  @Test("that are too large are dropped part by part, and what follows is read")
  func tooLarge() throws {
    var assembler = ControlAssembler()
    let part = ControlPacket(bytes: [1, 16, 1] + [UInt8](repeating: 0, count: 8 << 20), descriptors: [9])
    var dropped = 0
    for _ in 1...10 {
      if case .excess(let descriptors) = try assembler.append(part) { dropped += descriptors.count }
    }
    #expect(dropped == 10 && assembler.descriptors == [])
    guard case .unreadable(16, let reason, []) = try assembler.append(ControlPacket(bytes: [1, 16, 0], descriptors: [])) else {
      Issue.record("read")
      return
    }
    #expect(reason.code == .tooLarge)
    guard case .message(.shutdown, []) = try assembler.append(ControlPacket(bytes: [1, 19, 0], descriptors: [])) else {
      Issue.record("what follows is not read")
      return
    }
  }
}

@Suite("The relay's control socket", .serialized, .timeLimit(.minutes(1)))
struct ControlSocketTests {
  @Test("survives peers that talk nonsense and goes on serving")
  func nonsense() async throws {
    let backend = try Backend.named("a")
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    var generator = SplitMix64(seed: 5)
    for size in [0, 1, 2, 3, 4, 100, 60_000] {
      let descriptor = cl_unix_connect(relay.directory.path + "/relay.sock")
      let bytes: [UInt8] = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      _ = cl_send_packet(descriptor, bytes, bytes.count, nil, 0)
      close(descriptor)
    }
    #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "a")
    let again = try ControlSocket.connect(to: relay.directory.path + "/relay.sock")
    #expect(try await hello(again).generation == 1)
  }

  @Test("belongs to the newest skepd, which gets duplicates of the listening sockets; the one before is told")
  func newestWins() async throws {
    let relay = try await RelayFixture()
    let ports = try relay.program([Listener(id: "web", port: 0), Listener(id: "api", port: 0)])
    let newer = try ControlSocket.connect(to: relay.directory.path + "/relay.sock")
    #expect(try await Set(hello(newer).ports) == Set(ports.map { ListenerPort(.tcp, $0) }))
    while case let message = try relay.receive(), message != .superseded {}
    #expect(throws: DataPlaneError.self) { try relay.receive() }
  }

  @Test("is for its own user only")
  func mode() async throws {
    let relay = try await RelayFixture()
    var status = stat()
    #expect(stat(relay.directory.path + "/relay.sock", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test("refuses a second relay at the same path")
  func second() async throws {
    let relay = try await RelayFixture()
    let path = relay.directory.path + "/relay.sock"
    let error = await #expect(throws: DataPlaneError.self) {
      try await offPool { _ = try ControlServer(path: path) }
    }
    #expect(error?.code == .superseded)
  }

  @Test("reports draining endpoints until they are empty, and a draining endpoint gets nothing new")
  func draining() async throws {
    let (leaving, staying) = (try Backend.holding("leaving"), try Backend.holding("staying"))
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [leaving.endpoint("l"), staying.endpoint("s")])])[0]
    let held = try await offPool { try ForwardingTests.hold(4, port: port) }
    try relay.program([Listener(id: "web", port: port, endpoints: [leaving.endpoint("l", .draining), staying.endpoint("s")])])
    let new = try await offPool { try ForwardingTests.hold(4, port: port) }
    #expect(new.map(\.name) == Array(repeating: "staying", count: 4))
    #expect(try next(relay) == ["l": 2])
    for (name, client) in held where name == "leaving" { client.close() }
    while case let counts = try next(relay), counts != ["l": 0] { #expect(counts == ["l": 2] || counts == ["l": 1]) }
    for client in (held.filter { $0.name == "staying" } + new).map(\.client) { client.close() }
  }

  @Test("counts an endpoint that left the table as long as it has connections, and leaves these alone")
  func gone() async throws {
    let backend = try Backend.echo()
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    let client = try TestClient(port: port)
    try client.send("before")
    #expect(try await offPool { try client.receiveText() } == "before")
    try relay.program([])
    #expect(throws: DataPlaneError.self) { try TestClient(port: port) }
    try client.send("after")
    #expect(try await offPool { try client.receiveText() } == "after")
    #expect(try relay.counters().map(\.open) == [1])
    client.close()
    #expect(try await eventually { try relay.counters().isEmpty })
  }

  @Test("reports a draining endpoint as empty when the last connection that waited for it went elsewhere")
  func drainingUnanswered() async throws {
    let (echo, silent) = (try Backend.echo(), try SilentEndpoint())
    let relay = try await RelayFixture { $0.connectTimeout = .milliseconds(300) }
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [silent.endpoint("silent")])])[0]
    let client = try TestClient(port: port)
    #expect(try await eventually { try relay.counters()[0].open == 1 })
    var leaving = silent.endpoint("silent")
    leaving.state = .draining
    try relay.program([Listener(id: "web", port: port, endpoints: [leaving, echo.endpoint("live")])])
    #expect(try next(relay) == ["silent": 1])
    #expect(try next(relay) == ["silent": 0])
    client.close()
  }

  private func next(_ relay: RelayFixture) throws -> [String: UInt32] {
    while true {
      if case .draining(let counts) = try relay.receive(), !counts.isEmpty { return counts }
    }
  }

  private func hello(_ link: ControlSocket) async throws -> ControlMessage.Hello {
    var link = link
    var hello: ControlMessage.Hello?
    _ = try await eventually {
      guard case .message(.hello(let found), let descriptors) = try link.receive() else { return false }
      #expect(descriptors.allSatisfy { cl_is_listening($0) != 0 })
      for descriptor in descriptors { close(descriptor) }
      hello = found
      return true
    }
    link.close()
    return try #require(hello)
  }
}
