// SPDX-License-Identifier: Apache-2.0

import Balancing

// Open connections, with those of relays that were replaced and still have some.
extension ListenerTable {
  /// Those to endpoints that drain or have left the table. One that is missing has none.
  func drainingConnections() -> [String: UInt32] {
    var counts: [String: UInt32] = [:]
    for case let listener? in listeners {
      for (handle, load) in listener.balancer.loads where listener.balancer.isLeaving(handle) {
        counts[load.endpoint.id, default: 0] += UInt32(load.open)
      }
    }
    for (id, endpoints) in inherited {
      let ready = readyEndpoints(ofListener: id)
      for (endpoint, count) in endpoints where !ready.contains(endpoint) { counts[endpoint, default: 0] += UInt32(count) }
    }
    return counts
  }

  private func readyEndpoints(ofListener id: String) -> Set<String> {
    let listener = listeners.first { $0?.inTable == true && $0?.listener.id == id } ?? nil
    return Set(listener?.listener.endpoints.filter { $0.state == .ready }.map(\.id) ?? [])
  }

  func openConnections(of endpoints: [String]) -> [String: UInt32] {
    var counts = Dictionary(endpoints.map { ($0, UInt32(0)) }, uniquingKeysWith: { first, _ in first })
    for case let listener? in listeners {
      for (_, load) in listener.balancer.loads where counts[load.endpoint.id] != nil {
        counts[load.endpoint.id, default: 0] += UInt32(load.open)
      }
    }
    for (endpoint, count) in inherited.values.joined() where counts[endpoint] != nil {
      counts[endpoint, default: 0] += UInt32(count)
    }
    return counts
  }

  /// What replaced relays still have, by listener and endpoint; the whole of it.
  mutating func inherit(_ counts: [String: [String: Int]]) {
    guard counts != inherited else { return }
    inherited = counts
    for index in listeners.indices {
      guard let id = listeners[index]?.listener.id else { continue }
      listeners[index]?.balancer.connectionsElsewhere(counts[id] ?? [:])
    }
    makeReportDue()
  }

  var inheritedCount: Int { inherited.values.joined().reduce(0) { $0 + $1.value } }

  /// What this relay has, for its successor: by listener and endpoint.
  func held() -> [String: [String: UInt32]] {
    var all: [String: [String: UInt32]] = [:]
    for case let listener? in listeners {
      for (_, load) in listener.balancer.loads where load.open > 0 {
        all[listener.listener.id, default: [:]][load.endpoint.id, default: 0] += UInt32(load.open)
      }
    }
    return all
  }
}
