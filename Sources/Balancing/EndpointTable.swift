// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Every listener of a node with its endpoints: what the managers send, and what the relay applies as a whole.
package struct EndpointTable: Hashable, Sendable {
  /// Rises with every change. Two tables of the same generation are the same.
  package var generation: UInt64
  package var listeners: [Listener]

  package init(generation: UInt64, listeners: [Listener] = []) {
    self.generation = generation
    self.listeners = listeners
  }
}

/// By its number in IP's header.
package enum Transport: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  case tcp = 6
  case udp = 17

  /// As swarm's `PortConfig.Protocol` has it; `nil` for what the relay does not carry.
  package init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.description == name }) else { return nil }
    self = found
  }

  package var description: String {
    switch self {
    case .tcp: "tcp"
    case .udp: "udp"
    }
  }
}

/// What one listening socket is bound to, on all addresses of the host: 53/tcp and 53/udp are two.
package struct ListenerPort: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let transport: Transport
  package let number: UInt16

  package init(_ transport: Transport, _ number: UInt16) {
    self.transport = transport
    self.number = number
  }

  package var description: String { "\(number)/\(transport)" }

  package static func < (left: Self, right: Self) -> Bool {
    (left.number, left.transport.rawValue) < (right.number, right.transport.rawValue)
  }
}

/// What a listener takes at most; `nil` is no limit of its own.
package struct ListenerLimits: Hashable, Sendable {
  /// Connections, or UDP sessions, open at a time. At least 1.
  package var connections: UInt32?
  /// How long a connection may carry nothing before it is cut. In whole milliseconds, at least 1.
  package var idle: Duration?

  package static let none = ListenerLimits()

  package init(connections: UInt32? = nil, idle: Duration? = nil) {
    self.connections = connections
    self.idle = idle
  }
}

/// A published port.
package struct Listener: Hashable, Sendable {
  /// Names the listener across tables: service id and published port. Counts and turns are kept while it stays the same.
  package var id: String
  package var port: UInt16
  package var transport: Transport
  package var address: ListenerPort { ListenerPort(transport, port) }
  package var strategy: Strategy
  package var limits: ListenerLimits
  /// The packet filter takes connections before they reach the relay, where it can: see `isForPacketFilter`.
  package var mayOffload: Bool
  package var endpoints: [Endpoint]

  package init(
    id: String, port: UInt16, transport: Transport = .tcp, strategy: Strategy = .standard, limits: ListenerLimits = .none,
    mayOffload: Bool = false, endpoints: [Endpoint] = []
  ) {
    self.id = id
    self.port = port
    self.transport = transport
    self.strategy = strategy
    self.limits = limits
    self.mayOffload = mayOffload
    self.endpoints = endpoints
  }
}

extension Listener {
  /// Whether the packet filter can do all that is asked for. UDP's clients and whoever has a limit are the relay's.
  package var isForPacketFilter: Bool {
    mayOffload && transport == .tcp && limits == .none && strategy != .leastConnections
  }

  package static func id(service: String, port: ListenerPort) -> String { "\(service)/\(port)" }

  /// The service of a listener that `id(service:port:)` named.
  package static func service(ofListener id: String) -> String { String(id.prefix { $0 != "/" }) }
}

/// One task's address and port.
package struct Endpoint: Hashable, Sendable {
  package enum State: UInt8, Sendable {
    case ready = 0
    /// Keeps its open connections and gets no new ones.
    case draining = 1
  }

  /// The task's id; unique within a listener.
  package var id: String
  package var address: IPv4Address
  package var port: UInt16
  package var state: State

  package init(id: String, address: IPv4Address, port: UInt16, state: State = .ready) {
    self.id = id
    self.address = address
    self.port = port
    self.state = state
  }
}
