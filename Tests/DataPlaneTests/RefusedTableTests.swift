// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("A table that the relay does not understand", .serialized, .timeLimit(.minutes(1)))
struct RefusedTableTests {
  /// The payload of a table with one listener, taken apart and put together by another writer.
  private static func payload(
    version: UInt8 = 4, strategy: UInt8 = 0, transport: UInt8 = 6, offload: UInt8 = 0, ids: [String] = ["a"], listeners: Int = 1,
    ports: Int = 0, rest: [UInt8] = []
  ) -> [UInt8] {
    var writer = BinaryWriter()
    writer.write(version)
    writer.write(UInt64(9))
    writer.write(UInt32(listeners))
    for number in 0..<listeners {
      writer.write("web-\(number)")
      writer.write(UInt16(80))
      writer.write(transport)
      writer.write(strategy)
      writer.write(UInt32(0))
      writer.write(UInt64(0))
      writer.write(offload)
      writer.write(UInt32(ids.count))
      for id in ids {
        writer.write(id)
        writer.write(UInt32(0x7f00_0001))
        writer.write(UInt16(80))
        writer.write(UInt8(0))
      }
    }
    writer.write(UInt32(ports))
    for _ in 0..<ports { writer.write(raw: [0, 80, 6]) }
    writer.write(raw: rest)
    return writer.bytes
  }

  @Test("as this test writes it is understood when nothing is wrong with it")
  func right() throws { _ = try ControlMessage(kind: 16, payload: Self.payload()) }

  @Test(
    "is refused with the reason, and the last one stays in force",
    arguments: [
      (16, payload(version: 3), "unsupportedVersion: table version 3"),
      (16, payload(strategy: 9), "invalidValue: strategy of listener web-0"),
      (16, payload(offload: 2), "invalidValue: offload of listener web-0"),
      (16, payload(transport: 132), "invalidValue: transport 132 of port 80"),
      (16, payload(ids: ["a", "a"]), "invalidValue: listener web-0 has two endpoints of one id, or more than 65535"),
      (16, payload(listeners: 2), "invalidValue: two listeners share an id or a port"),
      (16, payload(ports: 2), "2 new ports with 0 sockets"),
      (16, payload(rest: [0]), "trailingBytes: 1 bytes after the end"),
      (16, [4], "truncated: 8 bytes wanted at byte 1, 0 left"),
      (99, [], "invalidValue: message kind 99"),
      (20, [7], "invalidValue: source policy 7"),
    ] as [(UInt8, [UInt8], String)])
  func refused(kind: UInt8, payload: [UInt8], reason: String) async throws {
    let backend = try Backend.named("a")
    let relay = try await RelayFixture()
    let port = try relay.program([Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])])[0]
    try relay.send(ControlPacket(bytes: [1, kind, 0] + payload, descriptors: []))
    var answer = try relay.receive()
    while case .draining = answer { answer = try relay.receive() }
    #expect(answer == .refused(.init(kind: kind, generation: 1, reason: reason)))
    #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "a")
    #expect(try relay.program([Listener(id: "web", port: port, endpoints: [backend.endpoint("a")])]) == [port])
  }

  @Test("a descriptor that is no such socket fails its own listener, and is closed")
  func wrongDescriptors() async throws {
    let backend = try Backend.named("a")
    let relay = try await RelayFixture()
    let web = Listener(id: "web", port: 0, endpoints: [backend.endpoint("a")])
    let port = try relay.program([web])[0]
    var pipes: [Int32] = [-1, -1]
    #expect(pipe(&pipes) == 0)
    let stream = cl_listen(0, 1)
    var good = web
    good.port = port
    let odd = [Listener(id: "pipe", port: 9), Listener(id: "stream", port: 10, transport: .udp)]
    let table = EndpointTable(generation: 2, listeners: [good] + odd)
    let message = ControlMessage.table(table, ports: odd.map(\.address))
    for packet in ControlPacket.packets(for: message, descriptors: [pipes[1], stream]) { try relay.send(packet) }
    close(pipes[1])
    close(stream)
    var answer = try relay.receive()
    while case .draining = answer { answer = try relay.receive() }
    #expect(answer == .applied(.init(generation: 2, failures: ["pipe": ENOTSOCK, "stream": ENOTSOCK])))
    var watched = pollfd(fd: pipes[0], events: Int16(POLLIN), revents: 0)
    #expect(poll(&watched, 1, 5_000) == 1, "nobody has the other side")
    close(pipes[0])
    #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "a")
  }

  @Test("is the caller's error; what was served is served on, by the same relay, and the next table is taken")
  func told() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let (port, other) = (freePort(), freePort())
    try await host.supervised { supervisor in
      let good = host.table(1, port: port, [backend.endpoint("a")])
      _ = try await supervisor.program(good)
      let relay = host.relay
      var bad = host.table(2, port: port, [backend.endpoint("a")])
      bad.listeners.append(Listener(id: "odd", port: other, endpoints: [backend.endpoint("a"), backend.endpoint("a")]))
      let error = await #expect(throws: DataPlaneError.self) { try await supervisor.program(bad) }
      #expect(error?.code == .refused)
      let reason = "invalidValue: listener odd has two endpoints of one id, or more than 65535"
      #expect(error?.message == "the relay refused table 2 and keeps 1: \(reason)")
      #expect(try await offPool { try TestClient.whoAnswers(port: port) } == "a")
      #expect(throws: DataPlaneError.self, "nobody would answer there") { try TestClient(port: other) }
      bad.listeners[1].endpoints.removeLast()
      #expect(try await supervisor.program(bad) == ProgramResult(generation: 2, failures: []))
      #expect(try await offPool { try TestClient.whoAnswers(port: other) } == "a")
      #expect(host.relay == relay)
    }
    try await host.end()
  }

  @Test("tables that come while one is on its way wait for its answer, and the last of them counts")
  func queued() async throws {
    let backend = try Backend.named("a")
    let host = try TestHost()
    let ports = (0..<8).map { _ in freePort() }
    try await host.supervised { supervisor in
      try await withThrowingTaskGroup(of: UInt64.self) { group in
        for (index, port) in ports.enumerated() {
          group.addTask {
            try await supervisor.program(host.table(UInt64(index + 1), port: port, [backend.endpoint("a")])).generation
          }
        }
        for try await generation in group { #expect(generation >= 1 && generation <= 8) }
      }
      #expect(try await supervisor.program(host.table(9, port: ports[0], [backend.endpoint("a")])).failures == [])
      for (index, port) in ports.enumerated() {
        #expect((host.listeningSocket(port) != nil) == (index == 0))
      }
    }
    try await host.end()
  }
}
