// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import Testing

@testable import Balancing
@testable import DataPlane

@Suite("The table that threads share")
struct ListenerTableTests {
  private static let port = ListenerPort(.tcp, 80)

  private static func table(threads: Int = 1, endpoints: [String] = ["a"], port: ListenerPort = port) -> ListenerTable {
    var table = ListenerTable(threads: threads, seed: 1)
    _ = table.apply(endpointTable(1, [("web", port, endpoints)]), offered: [port])
    return table
  }

  private static func endpointTable(_ generation: UInt64, _ listeners: [(String, ListenerPort, [String])]) -> EndpointTable {
    EndpointTable(
      generation: generation,
      listeners: listeners.map { id, port, endpoints in
        Listener(
          id: id, port: port.number, transport: port.transport,
          endpoints: endpoints.enumerated().map { Endpoint(id: $1, address: IPv4Address(bits: UInt32($0)), port: 80) })
      })
  }

  @Test("leaves a client with the thread that accepted it, until that carries clearly more than another")
  func carriers() {
    var table = Self.table(threads: 3)
    let carriers = (0..<12).map { _ in table.admit(socket: 0, thread: 2)?.thread }
    #expect(carriers.compactMap { $0 } == [2, 2, 2, 2, 2, 0, 1, 2, 0, 1, 2, 0])
  }

  @Test("gives exact turns, whichever thread asks")
  func turns() {
    var table = Self.table(threads: 4, endpoints: ["a", "b", "c"])
    let chosen = (0..<300).compactMap { table.admit(socket: 0, thread: $0 % 4)?.route?.address }
    for endpoint in 0..<3 { #expect(chosen.count(where: { $0 == endpoint }) == 100) }
    #expect(Array(chosen[..<6]) == [0, 1, 2, 0, 1, 2])
  }

  @Test("admits nobody through a socket that went, though its port is another service's now")
  func socketGone() {
    var table = Self.table()
    let removal = table.apply(Self.endpointTable(2, []), offered: [])
    #expect(removal.closed == [0])
    let changes = table.apply(Self.endpointTable(3, [("other", Self.port, ["b"])]), offered: [Self.port])
    #expect(changes.opened.map(\.id) == [1])
    let (old, new) = (table.admit(socket: 0), table.admit(socket: 1))
    #expect(old == nil)
    #expect(new?.route != nil)
  }

  @Test("keeps the socket when a port goes from one service to another")
  func portMoves() throws {
    var table = Self.table()
    let changes = table.apply(Self.endpointTable(2, [("other", Self.port, ["b"])]), offered: [])
    #expect(changes.closed.isEmpty && changes.opened.isEmpty && changes.failures.isEmpty)
    let admitted = table.admit(socket: 0)
    let admission = try #require(admitted)
    #expect(table.listeners[admission.listener]?.listener.id == "other")
  }

  @Test("counts a client without a ready endpoint as refused, and forgets it when it ends")
  func refused() throws {
    var table = Self.table(endpoints: [])
    let admitted = table.admit(socket: 0)
    let admission = try #require(admitted)
    #expect(admission.route == nil)
    table.settle(admission.listener, endpoint: nil, thread: 0, bytesIn: 0, bytesOut: 0)
    let counters = try #require(table.counters(adding: [:]).first)
    #expect((counters.open, counters.total, counters.refused) == (0, 1, 1))
  }

  @Test("makes a report due when a connection to a draining endpoint ends, and keeps a listener for its last one")
  func reports() throws {
    var table = Self.table()
    let admitted = table.admit(socket: 0)
    let admission = try #require(admitted)
    _ = table.apply(Self.endpointTable(2, []), offered: [])
    let (first, second) = (table.takeReportDue(), table.takeReportDue())
    #expect(first && !second)
    #expect(table.drainingConnections() == ["a": 1])
    table.settle(admission.listener, endpoint: admission.route?.endpoint, thread: 0, bytesIn: 1, bytesOut: 2)
    let isDue = table.takeReportDue()
    #expect(isDue)
    #expect(table.drainingConnections() == [:])
    #expect(table.listeners.allSatisfy { $0 == nil })
  }

  @Test("says which listeners have no socket")
  func withoutSocket() {
    var table = ListenerTable(threads: 1, seed: 1)
    let changes = table.apply(Self.endpointTable(1, [("web", Self.port, ["a"])]), offered: [])
    #expect(changes.failures.keys.sorted() == ["web"])
  }
}

extension ListenerTable {
  fileprivate mutating func admit(socket: Int, thread: Int = 0) -> Admission? {
    admit(socket: socket, client: ClientAddress(IPv4Address(bits: 1)), thread: thread)
  }
}

@Suite("Room for connections")
struct RoomTests {
  @Test("ends at the number of connections or of descriptors, whichever comes first", arguments: [(5, 1000, 5), (100, 40, 10)])
  func limit(connections: Int, descriptors: Int, expected: Int) {
    let room = Room(connectionLimit: connections, descriptorLimit: descriptors)
    #expect((0..<200).count(where: { _ in room.take() }) == expected)
    #expect(!room.hasRoom)
  }

  @Test("is what listening sockets and sessions leave")
  func others() {
    let room = Room(connectionLimit: 100, descriptorLimit: 200)
    room.note(sockets: 3)
    room.note(sessions: 7)
    #expect((0..<200).count(where: { _ in room.take() }) == (200 - 64 - 10) / 2)
  }
}
