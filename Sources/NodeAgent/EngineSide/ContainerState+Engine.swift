// SPDX-License-Identifier: Apache-2.0

import ClusterModel
package import EngineClient

extension ContainerState {
  package init(_ container: Container) {
    let state = container.state
    self.init(
      id: container.id, phase: Self.phase(state.status), health: state.health.flatMap { Health(rawValue: $0.status) } ?? .none,
      pid: state.pid, exitCode: state.exitCode, error: state.error, hostPorts: Self.hostPorts(container.networkSettings.ports))
  }

  // A paused or restarting container still holds its processes; one being removed has lost them.
  private static func phase(_ status: String) -> Phase {
    switch status {
    case "created": .created
    case "running", "paused", "restarting": .running
    default: .exited
    }
  }

  /// The ports the engine gave, each once: it lists IPv4 and IPv6 apart.
  private static func hostPorts(_ ports: [String: [Container.PortBinding]?]) -> [PortConfig] {
    var found: Set<PortConfig> = []
    for (key, bindings) in ports {
      let parts = key.split(separator: "/")
      guard parts.count == 2, let target = UInt32(parts[0]) else { continue }
      for case let published? in (bindings ?? []).map({ UInt32($0.hostPort) }) {
        found.insert(PortConfig(targetPort: target, publishedPort: published, protocol: String(parts[1]), publishMode: "host"))
      }
    }
    return found.sorted {
      ($0.targetPort ?? 0, $0.transport, $0.publishedPort ?? 0) < ($1.targetPort ?? 0, $1.transport, $1.publishedPort ?? 0)
    }
  }
}
