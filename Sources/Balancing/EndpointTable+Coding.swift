// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension EndpointTable {
  private static let version: UInt8 = 4

  package func encoded() -> [UInt8] {
    var writer = BinaryWriter()
    encode(into: &writer)
    return writer.bytes
  }

  package func encode(into writer: inout BinaryWriter) {
    writer.write(Self.version)
    writer.write(generation)
    writer.write(UInt32(listeners.count))
    for listener in listeners { listener.encode(into: &writer) }
  }

  /// Refuses anything that is not exactly one table.
  package init(decoding bytes: [UInt8]) throws(BinaryCodingError) {
    var reader = BinaryReader(bytes)
    try self.init(from: &reader)
    try reader.readEnd()
  }

  package init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    let version = try reader.read(UInt8.self)
    guard version == Self.version else { throw BinaryCodingError(.unsupportedVersion, "table version \(version)") }
    let generation = try reader.read(UInt64.self)
    var listeners: [Listener] = []
    for _ in 0..<(try reader.readCount(elementsOf: 23)) { listeners.append(try Listener(from: &reader)) }
    self.init(generation: generation, listeners: listeners)
    guard Set(listeners.map(\.id)).count == listeners.count, Set(listeners.map(\.address)).count == listeners.count else {
      throw BinaryCodingError(.invalidValue, "two listeners share an id or a port")
    }
  }
}

extension ListenerPort {
  package func encode(into writer: inout BinaryWriter) {
    writer.write(number)
    writer.write(transport.rawValue)
  }

  package init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    let number: UInt16 = try reader.read()
    let transport: UInt8 = try reader.read()
    guard let transport = Transport(rawValue: transport) else {
      throw BinaryCodingError(.invalidValue, "transport \(transport) of port \(number)")
    }
    self.init(transport, number)
  }
}

extension Listener {
  fileprivate func encode(into writer: inout BinaryWriter) {
    writer.write(id)
    address.encode(into: &writer)
    writer.write(strategy.rawValue)
    limits.encode(into: &writer)
    writer.write(UInt8(mayOffload ? 1 : 0))
    writer.write(UInt32(endpoints.count))
    for endpoint in endpoints {
      writer.write(endpoint.id)
      writer.write(endpoint.address.bits)
      writer.write(endpoint.port)
      writer.write(endpoint.state.rawValue)
    }
  }

  fileprivate init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    let id = try reader.readString()
    let address = try ListenerPort(from: &reader)
    guard let strategy = Strategy(rawValue: try reader.read()) else {
      throw BinaryCodingError(.invalidValue, "strategy of listener \(id)")
    }
    let limits = try ListenerLimits(from: &reader)
    let offload: UInt8 = try reader.read()
    guard offload <= 1 else { throw BinaryCodingError(.invalidValue, "offload of listener \(id)") }
    var endpoints: [Endpoint] = []
    for _ in 0..<(try reader.readCount(elementsOf: 9)) { endpoints.append(try Endpoint(from: &reader)) }
    guard endpoints.count <= Maglev.capacity, Set(endpoints.map(\.id)).count == endpoints.count else {
      throw BinaryCodingError(.invalidValue, "listener \(id) has two endpoints of one id, or more than \(Maglev.capacity)")
    }
    self.init(
      id: id, port: address.number, transport: address.transport, strategy: strategy, limits: limits,
      mayOffload: offload == 1, endpoints: endpoints)
  }
}

extension ListenerLimits {
  /// 0 stands for no limit.
  fileprivate func encode(into writer: inout BinaryWriter) {
    writer.write(connections ?? 0)
    let (seconds, attoseconds) = idle?.components ?? (0, 0)
    let milliseconds = min(UInt64(clamping: seconds), 5_000_000) * 1_000 + UInt64(clamping: attoseconds / 1_000_000_000_000_000)
    writer.write(min(milliseconds, UInt64(UInt32.max)))
  }

  fileprivate init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    let connections: UInt32 = try reader.read()
    let milliseconds: UInt64 = try reader.read()
    guard milliseconds <= UInt32.max else { throw BinaryCodingError(.invalidValue, "idle time-out of \(milliseconds) ms") }
    self.init(
      connections: connections == 0 ? nil : connections, idle: milliseconds == 0 ? nil : .milliseconds(Int64(milliseconds)))
  }
}

extension Endpoint {
  fileprivate init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    let id = try reader.readString()
    let address = IPv4Address(bits: try reader.read())
    let port = try reader.read(UInt16.self)
    guard let state = State(rawValue: try reader.read()) else {
      throw BinaryCodingError(.invalidValue, "state of endpoint \(id)")
    }
    self.init(id: id, address: address, port: port, state: state)
  }
}
