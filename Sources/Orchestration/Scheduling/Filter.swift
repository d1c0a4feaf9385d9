// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// Swarm's filter pipeline, and one for addresses at its end. A node must pass all; for each node the first that refuses it is the reason.
enum Filter: CaseIterable {
  case ready, resources, plugins, constraints, platform, hostPort, maxReplicas, address

  func passes(_ info: NodeInfo, _ task: ClusterTask, _ constraints: [Constraint]) -> Bool {
    switch self {
    case .ready: info.node.isSchedulable
    case .resources: Self.fits(task.template.spec.resources?.reservations, info)
    case .plugins: RequiredPlugins.areThere(for: task.template.spec, on: info.node.description?.engine)
    case .constraints: constraints.allSatisfy { $0.matches(info.node) }
    case .platform: Self.runs(task.template.spec.placement?.platforms ?? [], info.node.description?.platform)
    case .hostPort: info.hostPorts.isDisjoint(with: task.template.fixedHostPorts)
    case .maxReplicas: Self.hasRoom(task, info)
    case .address: task.template.ingressPorts.isEmpty || AddressAllocator.next(on: info) != nil
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

  private static func fits(_ reservations: Resources.Reservations?, _ info: NodeInfo) -> Bool {
    guard let reservations, reservations.saysSomething else { return true }
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

  private static func hasRoom(_ task: ClusterTask, _ info: NodeInfo) -> Bool {
    guard let limit = task.template.spec.placement?.maxReplicas, limit > 0 else { return true }
    return info.tasks(of: task.serviceID) < Int(clamping: limit)
  }
}

extension Resources.Reservations {
  /// One that reserves nothing fits also where more is reserved than there is.
  fileprivate var saysSomething: Bool {
    (nanoCPUs ?? 0) != 0 || (memoryBytes ?? 0) != 0 || genericResources?.isEmpty == false
  }
}
