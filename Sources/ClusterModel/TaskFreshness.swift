// SPDX-License-Identifier: Apache-2.0

extension ClusterTask {
  /// Whether the task is what `service` now asks for, so that an update leaves it alone. A changed placement alone makes no task
  /// stale while its node still satisfies the constraints.
  package func isUpToDate(with service: Service, on node: Node?) -> Bool {
    if template.key.specVersion == service.version { return true }
    guard means(service.spec.endpointSpec) else { return false }
    if template.spec == service.spec.taskTemplate { return true }
    // What an earlier release stored may be written in another way.
    let (own, wanted) = (template.spec.canonical(), service.spec.taskTemplate.canonical())
    if own == wanted { return true }
    var moved = own
    moved.placement = wanted.placement
    guard moved == wanted, let node else { return false }
    return Constraint.all(in: wanted.placement).allSatisfy { $0.matches(node) }
  }

  private func means(_ endpoint: EndpointSpec?) -> Bool {
    template.endpointSpec == endpoint
      || (template.endpointSpec ?? EndpointSpec()).canonical() == (endpoint ?? EndpointSpec()).canonical()
  }
}
