// SPDX-License-Identifier: Apache-2.0

extension ClusterTask {
  /// Whether the task is what `service` now asks for, so that an update leaves it alone. A changed placement alone makes no task
  /// stale while its node still satisfies the constraints.
  package func isUpToDate(with service: Service, on node: Node?) -> Bool {
    if template.key.specVersion == service.version { return true }
    // None is the same as one that says nothing.
    let (own, current) = (template.endpointSpec ?? EndpointSpec(), service.spec.endpointSpec ?? EndpointSpec())
    guard own.canonical() == current.canonical() else { return false }
    let wanted = service.spec.taskTemplate
    if template.spec == wanted { return true }
    var moved = template.spec
    moved.placement = wanted.placement
    guard moved == wanted, let node else { return false }
    return Constraint.all(in: wanted.placement).allSatisfy { $0.matches(node) }
  }
}
