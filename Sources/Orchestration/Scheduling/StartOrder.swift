// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import ClusterStore

/// Whether a service's first tasks may start yet, by the label `skep.depends-on`.
enum StartOrder {
  /// What they wait for, in an operator's words; `nil` when they may. A service that has had a task on a node waits for nothing any more:
  /// what has started once starts again, whatever has become of the others.
  static func obstacle(_ serviceID: String, _ transaction: borrowing Transaction) -> String? {
    guard let service = transaction.service(serviceID), let wanted = try? Dependency.all(of: service.spec), !wanted.isEmpty,
      transaction.unorderedTasks(ofService: serviceID).allSatisfy({ $0.state < .assigned })
    else { return nil }
    for dependency in wanted {
      if let obstacle = obstacle(dependency, of: service.spec, transaction) { return obstacle }
    }
    return nil
  }

  private static func obstacle(
    _ dependency: Dependency, of spec: ServiceSpec, _ transaction: borrowing Transaction
  ) -> String? {
    var found: Service?
    for name in dependency.names(in: spec) where found == nil { found = transaction.service(named: name) }
    guard let found else { return "waiting for service \(dependency.service), which does not exist" }
    let live = transaction.unorderedTasks(ofService: found.id).filter(\.isLive)
    let count = live.count { $0.state == .running && (!dependency.needsHealth || $0.status.isReady) }
    // A global service's tasks are made when its nodes are known; none at all is not yet all.
    let goal = found.isGlobal ? max(live.count, 1) : found.replicas
    let state = dependency.needsHealth ? "healthy" : "running"
    return count >= goal ? nil : "waiting for service \(found.spec.name ?? found.id): \(count) of \(goal) tasks are \(state)"
  }
}
