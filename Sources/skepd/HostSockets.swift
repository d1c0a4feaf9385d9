// SPDX-License-Identifier: Apache-2.0

import DataPlane
import NodeAgent
import Overlay

/// This host's kernel, which knows the sockets of every container.
struct HostSockets: TaskSockets {
  func network(ofProcess id: Int) async throws -> (any TaskNetwork)? {
    do {
      return try await NetworkNamespace.of(process: id)
    } catch let error as DataPlaneError where error.code == .absent {
      return nil
    }
  }
}

extension NetworkNamespace: TaskNetwork {
  func openConnections(to ports: CountedPorts) async throws -> Int {
    switch ports {
    case .these(let ports): try await openConnections(toPorts: ports)
    case .all: try await openConnections()
    }
  }

  func refuseConnections() async throws { try await Self.onThread { try ShutDoor.shut(self.network) } }
}
