// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// Swarm's filter pipeline, and one for addresses at its end. A node must pass all; for each node the first that refuses it is the reason.
enum Filter: CaseIterable {
  case ready, resources, plugins, constraints, platform, hostPort, maxReplicas, address

  /// The first that refuses the node.
  static func refusal(_ info: NodeInfo, _ demand: TaskDemand) -> Filter? { allCases.first { !$0.passes(info, demand) } }

  /// The same for a node that passed a moment ago and has been given a task since.
  static func refusalAfterUse(_ info: NodeInfo, _ demand: TaskDemand) -> Filter? {
    [.resources, .hostPort, .maxReplicas, .address].first { !$0.passes(info, demand) }
  }

  func passes(_ info: NodeInfo, _ demand: TaskDemand) -> Bool {
    switch self {
    case .ready: info.node.isSchedulable
    case .resources: demand.reservations.map { Self.fits($0, info) } ?? true
    case .plugins: RequiredPlugins.areThere(for: demand.spec, on: info.node.description?.engine)
    case .constraints: demand.constraints.allSatisfy { $0.matches(info.node) }
    case .platform: Self.runs(demand.platforms, info.node.description?.platform)
    case .hostPort: demand.hostPorts.isEmpty || info.hostPorts.isDisjoint(with: demand.hostPorts)
    case .maxReplicas: demand.limit.map { info.tasks(of: demand.serviceID) < $0 } ?? true
    case .address: !demand.needsAddress || AddressAllocator.next(on: info) != nil
    }
  }

  /// Swarm's words, which users search for.
  func explanation(nodes count: Int) -> String {
    let nodes = count == 1 ? "1 node" : "\(count) nodes"
    return switch self {
    case .ready: "\(nodes) not available for new tasks"
    case .resources: "insufficient resources on \(nodes)"
    case .plugins: "missing plugin on \(nodes)"
    case .constraints: "scheduling constraints not satisfied on \(nodes)"
    case .platform: "unsupported platform on \(nodes)"
    case .hostPort: "host-mode port already in use on \(nodes)"
    case .maxReplicas: "max replicas per node limit exceed"
    case .address: "no free ingress address on \(nodes)"
    }
  }

  private static func fits(_ reservations: Resources.Reservations, _ info: NodeInfo) -> Bool {
    guard let total = info.node.description?.resources else { return false }
    return (reservations.nanoCPUs ?? 0) <= total.nanoCPUs - info.reservedCPUs
      && (reservations.memoryBytes ?? 0) <= total.memoryBytes - info.reservedMemory
      && info.generic.claim(reservations.genericResources ?? []) != nil
  }

  private static func runs(_ platforms: [Placement.Platform], _ node: NodeDescription.Platform?) -> Bool {
    if platforms.isEmpty { return true }
    guard let node else { return false }
    return platforms.contains { platform in
      let os = platform.os ?? ""
      let architecture = platform.architecture ?? ""
      return (os.isEmpty || os == node.os) && (architecture.isEmpty || canonical(architecture) == canonical(node.architecture))
    }
  }

  private static func canonical(_ architecture: String) -> String {
    switch architecture {
    case "x86_64": "amd64"
    case "aarch64": "arm64"
    default: architecture
    }
  }
}
