// SPDX-License-Identifier: Apache-2.0

package import ClusterModel

/// Decides what happens to one task's container: events in, actions out, at most one operation on the container at a time.
///
/// Level-triggered: every event ends in one look at what is wanted and what is there, so a lost event costs time and nothing else.
/// A container is started at most once. Section 4.2 of swarm's rules is followed to the message.
package struct TaskController: Sendable {
  package enum Event: Sendable {
    case assigned(ClusterTask)
    /// The task is not in a complete assignment any more.
    case unassigned
    /// The engine was asked; `nil` when it has no such container.
    case observed(ContainerState?)
    case prepared(Result<ContainerState, TaskFailure>)
    case started(Result<ContainerState, TaskFailure>)
    case stopped(Result<ContainerState?, TaskFailure>)
    case removed(Result<Void, TaskFailure>)
    case died(container: String, exitCode: Int)
    case health(container: String, ContainerState.Health)
    /// The probed ports took connections, or some of them did and the patience is over.
    case accepting
    /// A time asked for with `wake` has come.
    case tick
  }

  package enum Action: Sendable, Hashable {
    case report(TaskStatus)
    /// Pull, create; answered by `prepared`.
    case prepare
    case start(container: String)
    /// With the stop signal and the grace period of the spec; answered by `stopped`.
    case stop(container: String)
    /// By id, or by name when no container is known; answered by `removed`.
    case remove(container: String)
    /// Give up the operation under way; it is still answered.
    case cancel
    /// Connect until all ports accept, or so long after the first did, then `accepting`.
    case probe(IPv4Address, ports: [UInt16], patience: Duration)
    case stopProbe
    /// New connections are to avoid the task from now on, whatever the managers' table says.
    case withdraw
    case wake(at: Duration)
    /// Nothing is left of the task.
    case forget
  }

  package enum Operation: Sendable { case prepare, start, stop, remove }

  package internal(set) var task: ClusterTask
  package internal(set) var status: TaskStatus
  package internal(set) var container: ContainerState?
  package internal(set) var operation: Operation?
  /// Operations begun so far: tells whether a look at the container is older than the last of them.
  package internal(set) var begun = 0
  var isCancelling = false
  var isUnassigned = false
  var isGone = false
  /// Why the container is being stopped though it is wanted.
  var doom: String?
  var probing = false
  var readyDeadline: Duration?
  var retryAt: Duration?
  /// What events told of the container before the start's answer came.
  var earlyExit: Int?
  var earlyHealth: ContainerState.Health?
  var actions: [Action] = []

  package init(task: ClusterTask) {
    self.task = task
    self.status = task.status
  }

  /// The first event: `found` is the container that carries the task's labels, if there is one.
  package mutating func begin(found: ContainerState?, at now: Now) -> [Action] {
    if let found {
      observe(found, now)
    } else if status.state >= .ready, !status.state.isTerminal {
      vanish(now)
    }
    return finish(now)
  }

  package mutating func handle(_ event: Event, at now: Now) -> [Action] {
    switch event {
    case .assigned(let task): assign(task)
    case .unassigned: isUnassigned = true
    case .observed(let container): if operation == nil { reobserve(container, now) }
    case .prepared(let result): prepared(result, now)
    case .started(let result): started(result, now)
    case .stopped(let result): stopped(result, now)
    case .removed(let result): removed(result, now)
    case .died(let id, let code): if container?.id == id { died(code, now) }
    case .health(let id, let health): if container?.id == id { changed(health, now) }
    case .accepting: accepting()
    case .tick: checkDeadline(now)
    }
    return finish(now)
  }

  private mutating func finish(_ now: Now) -> [Action] {
    advance(now)
    defer { actions = [] }
    return actions
  }
}
