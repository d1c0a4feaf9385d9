// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// What the tasks of one template ask of a node: read from their spec once, however many they are.
struct TaskDemand {
  let key: TaskTemplate.Key
  let spec: TaskSpec
  /// `nil` where nothing is reserved: that fits also where more is reserved than there is.
  let reservations: Resources.Reservations?
  let constraints: [Constraint]
  let platforms: [Placement.Platform]
  /// Host-mode ports with a number of their own, as `tcp/8080`.
  let hostPorts: [String]
  let needsAddress: Bool
  /// Overlay networks that its tasks have addresses on, among others that need none.
  let networks: [String]
  /// The most tasks of the service on a node.
  let limit: Int?

  init(_ template: TaskTemplate) {
    key = template.key
    spec = template.spec
    reservations = spec.resources?.reservations.flatMap { $0.saysSomething ? $0 : nil }
    constraints = Constraint.all(in: spec.placement)
    platforms = spec.placement?.platforms ?? []
    hostPorts = template.fixedHostPorts
    needsAddress = template.ports.contains(where: \.isIngress)
    networks = (spec.networks ?? []).compactMap(\.target)
    limit = spec.placement?.maxReplicas.flatMap { $0 > 0 ? Int(clamping: $0) : nil }
  }

  var serviceID: String { key.serviceID }
}

extension Resources.Reservations {
  fileprivate var saysSomething: Bool {
    (nanoCPUs ?? 0) != 0 || (memoryBytes ?? 0) != 0 || genericResources?.isEmpty == false
  }
}
