// SPDX-License-Identifier: Apache-2.0

import Balancing
import DataPlane
import Overlay

extension RelayReport {
  /// With what the packet filter carried past the relay. How long an endpoint took to accept, and what it refused, only the relay knows.
  mutating func add(_ carried: OffloadCounts) {
    for index in listeners.indices where listeners[index].port.transport == .tcp && listeners[index].inTable {
      listeners[index].add(carried)
    }
  }
}

extension ListenerCounters {
  fileprivate mutating func add(_ carried: OffloadCounts) {
    var sum = carried[.init(port: port.number, endpoint: nil)]
    for index in endpoints.indices {
      let counts = carried[.init(port: port.number, endpoint: endpoints[index].address)]
      endpoints[index].open &+= counts.open
      endpoints[index].total &+= counts.connections
      endpoints[index].bytesIn &+= counts.bytesIn
      endpoints[index].bytesOut &+= counts.bytesOut
      sum = sum + counts
    }
    open &+= sum.open
    total &+= sum.connections
    bytesIn &+= sum.bytesIn
    bytesOut &+= sum.bytesOut
  }
}
