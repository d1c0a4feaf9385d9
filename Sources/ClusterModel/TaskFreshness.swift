// SPDX-License-Identifier: Apache-2.0

extension ClusterTask {
  /// Whether the task is what `service` now asks for, so that an update leaves it alone. A changed placement alone makes no task
  /// stale while its node still satisfies the constraints; nor do changed credentials while it has its image.
  package func isUpToDate(with service: Service, on node: Node?) -> Bool {
    if template.key.specVersion == service.version { return true }
    // None is the same as one that says nothing.
    let (own, current) = (template.endpointSpec ?? EndpointSpec(), service.spec.endpointSpec ?? EndpointSpec())
    guard own.canonical() == current.canonical() else { return false }
    let wanted = service.spec.taskTemplate
    var known = template.spec
    if hasImage { known.registryAuth = wanted.registryAuth }
    if known == wanted { return true }
    // What an earlier release stored may be written in another way.
    return known.canonical().differsAtMostInPlacement(from: wanted.canonical(), on: node)
  }

  /// As in swarm, https://github.com/moby/swarmkit/issues/971: whoever has got so far has pulled its image, or did without, and to be
  /// replaced would gain it nothing. One that is still to pull, or has failed at it, gets the new credentials with a new task.
  private var hasImage: Bool { desiredState < .shutdown && (.ready ... .running).contains(state) }
}

extension TaskSpec {
  /// And on a node that satisfies the new constraints.
  fileprivate func differsAtMostInPlacement(from wanted: TaskSpec, on node: Node?) -> Bool {
    if self == wanted { return true }
    var moved = self
    moved.placement = wanted.placement
    guard moved == wanted, let node else { return false }
    return Constraint.all(in: wanted.placement).allSatisfy { $0.matches(node) }
  }
}
