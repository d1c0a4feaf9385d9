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

  /// Others wait for a job until its present run is over, healthy or not.
  private static func obstacle(job: Service, _ transaction: borrowing Transaction) -> String? {
    let tasks = transaction.unorderedTasks(ofService: job.id).filter { $0.jobIteration == job.jobIteration }
    let done = tasks.count { $0.state == .complete }
    // A global job is done when every node that it was begun on is.
    let live = tasks.count(where: \.isLive)
    let goal = job.isGlobal ? max(done + live, 1) : Int(clamping: job.spec.mode.replicatedJob?.totalCompletions ?? 0)
    return done >= goal ? nil : "waiting for job \(job.spec.name ?? job.id): \(done) of \(goal) tasks are complete"
  }

  private static func obstacle(
    _ dependency: Dependency, of spec: ServiceSpec, _ transaction: borrowing Transaction
  ) -> String? {
    var found: Service?
    for name in dependency.names(in: spec) where found == nil { found = transaction.service(named: name) }
    guard let found else { return "waiting for service \(dependency.service), which does not exist" }
    if found.isJob { return obstacle(job: found, transaction) }
    let live = transaction.unorderedTasks(ofService: found.id).filter(\.isLive)
    let count = live.count { $0.state == .running && (!dependency.needsHealth || $0.status.isReady) }
    // A global service's tasks are made when its nodes are known; none at all is not yet all.
    let goal = found.isGlobal ? max(live.count, 1) : found.replicas
    let state = dependency.needsHealth ? "healthy" : "running"
    return count >= goal ? nil : "waiting for service \(found.spec.name ?? found.id): \(count) of \(goal) tasks are \(state)"
  }
}
