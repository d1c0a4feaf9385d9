// SPDX-License-Identifier: Apache-2.0

import Balancing
import ClusterModel

extension RelayReport {
  func encode(into writer: inout BinaryWriter) {
    writer.write(release)
    writer.write(uptime)
    writer.write(generation)
    writer.write(threads)
    for number in [connections, connectionLimit, sessions, sessionLimit, inherited] { writer.write(number) }
    writer.write(UInt32(listeners.count))
    for listener in listeners { listener.encode(into: &writer) }
  }

  init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    release = try reader.readString()
    uptime = try reader.read()
    generation = try reader.read()
    threads = try reader.read()
    connections = try reader.read()
    connectionLimit = try reader.read()
    sessions = try reader.read()
    sessionLimit = try reader.read()
    inherited = try reader.read()
    listeners = []
    for _ in 0..<(try reader.readCount(elementsOf: ListenerCounters.leastSize)) {
      listeners.append(try ListenerCounters(from: &reader))
    }
  }
}

extension ListenerCounters {
  fileprivate static let leastSize = 60

  fileprivate func encode(into writer: inout BinaryWriter) {
    writer.write(id)
    port.encode(into: &writer)
    writer.write(strategy.rawValue)
    writer.write(UInt8(inTable ? 1 : 0))
    writer.write(open)
    writer.write(refusals)
    for number in [total, retries, bytesIn, bytesOut] { writer.write(number) }
    latency.encode(into: &writer)
    writer.write(UInt32(endpoints.count))
    for endpoint in endpoints { endpoint.encode(into: &writer) }
  }

  fileprivate init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    id = try reader.readString()
    port = try ListenerPort(from: &reader)
    guard let strategy = Strategy(rawValue: try reader.read()) else {
      throw BinaryCodingError(.invalidValue, "strategy of listener \(id)")
    }
    self.strategy = strategy
    let flag: UInt8 = try reader.read()
    guard flag <= 1 else { throw BinaryCodingError(.invalidValue, "flag of listener \(id)") }
    inTable = flag == 1
    open = try reader.read()
    refusals = try reader.readCounts(unknown: .other)
    total = try reader.read()
    retries = try reader.read()
    bytesIn = try reader.read()
    bytesOut = try reader.read()
    latency = try LatencyHistogram(from: &reader)
    endpoints = []
    for _ in 0..<(try reader.readCount(elementsOf: Endpoint.leastSize)) { endpoints.append(try Endpoint(from: &reader)) }
  }
}

extension ListenerCounters.Endpoint {
  fileprivate static let leastSize = 50

  fileprivate func encode(into writer: inout BinaryWriter) {
    writer.write(id)
    writer.write(address.bits)
    writer.write(port)
    writer.write(state.rawValue)
    writer.write(open)
    writer.write(failuresByKind)
    for number in [total, bytesIn, bytesOut] { writer.write(number) }
    latency.encode(into: &writer)
  }

  fileprivate init(from reader: inout BinaryReader) throws(BinaryCodingError) {
    id = try reader.readString()
    address = IPv4Address(bits: try reader.read())
    port = try reader.read()
    guard let state = State(rawValue: try reader.read()) else {
      throw BinaryCodingError(.invalidValue, "state of endpoint \(id)")
    }
    self.state = state
    open = try reader.read()
    failuresByKind = try reader.readCounts(unknown: .other)
    total = try reader.read()
    bytesIn = try reader.read()
    bytesOut = try reader.read()
    latency = try LatencyHistogram(from: &reader)
  }
}
