// SPDX-License-Identifier: Apache-2.0

package import Balancing

extension ControlMessage {
  static let tableKind: UInt8 = 16

  var kind: UInt8 {
    switch self {
    case .hello: 1
    case .applied: 2
    case .draining: 3
    case .counts: 4
    case .counters: 5
    case .superseded: 6
    case .held: 8
    case .refused: 7
    case .table: Self.tableKind
    case .countsRequest: 17
    case .countersRequest: 18
    case .shutdown: 19
    case .sources: 20
    }
  }

  package func encodedPayload() -> [UInt8] {
    var writer = BinaryWriter()
    switch self {
    case .hello(let hello): hello.encode(into: &writer)
    case .applied(let applied): applied.encode(into: &writer)
    case .draining(let counts): writer.write(counts)
    case .held(let listeners):
      writer.write(UInt32(listeners.count))
      for (id, counts) in listeners {
        writer.write(id)
        writer.write(counts)
      }
    case .counts(let ticket, let counts):
      writer.write(ticket)
      writer.write(counts)
    case .counters(let ticket, let report):
      writer.write(ticket)
      report.encode(into: &writer)
    case .table(let table, let ports):
      table.encode(into: &writer)
      writer.write(ports)
    case .countsRequest(let ticket, let endpoints):
      writer.write(ticket)
      writer.write(UInt32(endpoints.count))
      for endpoint in endpoints { writer.write(endpoint) }
    case .countersRequest(let ticket): writer.write(ticket)
    case .sources(let policy): policy.encode(into: &writer)
    case .refused(let refused):
      writer.write(refused.kind)
      writer.write(refused.generation)
      writer.write(refused.reason)
    case .superseded, .shutdown: break
    }
    return writer.bytes
  }

  package init(kind: UInt8, payload: [UInt8]) throws(BinaryCodingError) {
    var reader = BinaryReader(payload)
    switch kind {
    case 1: self = .hello(try Hello(from: &reader))
    case 2: self = .applied(try Applied(from: &reader))
    case 3: self = .draining(try reader.readCounts())
    case 4: self = .counts(ticket: try reader.read(), try reader.readCounts())
    case 5: self = .counters(ticket: try reader.read(), try RelayReport(from: &reader))
    case 6: self = .superseded
    case 8: self = .held(try reader.readHeld())
    case 7:
      self = .refused(Refused(kind: try reader.read(), generation: try reader.read(), reason: try reader.readString()))
    case Self.tableKind: self = .table(try EndpointTable(from: &reader), ports: try reader.readPorts())
    case 17: self = .countsRequest(ticket: try reader.read(), endpoints: try reader.readStrings())
    case 18: self = .countersRequest(ticket: try reader.read())
    case 19: self = .shutdown
    case 20: self = .sources(try SourcePolicy(from: &reader))
    default: throw BinaryCodingError(.invalidValue, "message kind \(kind)")
    }
    try reader.readEnd()
  }
}

extension ControlMessage.Hello {
  fileprivate func encode(into writer: inout BinaryWriter) {
    writer.write(version)
    writer.write(processID)
    writer.write(release)
    writer.write(generation)
    writer.write(ports)
  }

  fileprivate init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    let version: UInt16 = try reader.read()
    self.init(
      processID: try reader.read(), release: try reader.readString(), generation: try reader.read(), ports: try reader.readPorts()
    )
    self.version = version
  }
}

extension ControlMessage.Applied {
  fileprivate func encode(into writer: inout BinaryWriter) {
    writer.write(generation)
    writer.write(UInt32(failures.count))
    for (id, number) in failures {
      writer.write(id)
      writer.write(number)
    }
  }

  fileprivate init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    generation = try reader.read()
    failures = [:]
    for _ in 0..<(try reader.readCount(elementsOf: 6)) { failures[try reader.readString()] = try reader.read(Int32.self) }
  }
}

extension BinaryWriter {
  fileprivate mutating func write(_ counts: [String: UInt32]) {
    write(UInt32(counts.count))
    for (id, count) in counts {
      write(id)
      write(count)
    }
  }

  fileprivate mutating func write(_ ports: [ListenerPort]) {
    write(UInt32(ports.count))
    for port in ports { port.encode(into: &self) }
  }
}

extension BinaryReader {
  fileprivate mutating func readCounts() throws(BinaryCodingError) -> [String: UInt32] {
    var counts: [String: UInt32] = [:]
    for _ in 0..<(try readCount(elementsOf: 6)) { counts[try readString()] = try read(UInt32.self) }
    return counts
  }

  fileprivate mutating func readHeld() throws(BinaryCodingError) -> [String: [String: UInt32]] {
    var listeners: [String: [String: UInt32]] = [:]
    for _ in 0..<(try readCount(elementsOf: 6)) { listeners[try readString()] = try readCounts() }
    return listeners
  }

  fileprivate mutating func readPorts() throws(BinaryCodingError) -> [ListenerPort] {
    var ports: [ListenerPort] = []
    for _ in 0..<(try readCount(elementsOf: 3)) { ports.append(try ListenerPort(from: &self)) }
    return ports
  }

  fileprivate mutating func readStrings() throws(BinaryCodingError) -> [String] {
    var strings: [String] = []
    for _ in 0..<(try readCount(elementsOf: 2)) { strings.append(try readString()) }
    return strings
  }
}
