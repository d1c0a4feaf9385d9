// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension TaskController {
  /// Takes what the engine says as it is: at adoption, after each operation, and when a look repairs a missed event.
  mutating func observe(_ found: ContainerState, _ now: Now) {
    container = found
    if status.state.isTerminal { return }
    switch found.phase {
    case .created: created(found, now)
    case .running: running(found, now)
    case .exited: exited(found, now)
    }
  }

  mutating func reobserve(_ found: ContainerState?, _ now: Now) {
    if let found { return observe(found, now) }
    let known = container
    container = nil
    if known != nil, !status.state.isTerminal { vanish(now) }
  }

  /// Somebody removed the container. Making it anew could run the task twice, so the task is over.
  mutating func vanish(_ now: Now) {
    if doom != nil || task.desiredState >= .shutdown { return conclude(now) }
    fail("No such container: \(task.name)", now)
  }

  // A start that failed before the agent could say so leaves its reason in a container that never ran.
  private mutating func created(_ found: ContainerState, _ now: Now) {
    guard found.exitCode == 0, found.error.isEmpty else {
      if status.state < .starting { transition(.starting, "starting", now) }
      return fail("starting container failed: \(found.error)", now)
    }
    if status.state < .ready { transition(.ready, "prepared", now) }
  }

  private mutating func running(_ found: ContainerState, _ now: Now) {
    switch found.health {
    case .none: serve(now)
    case .starting: if status.state <= .starting { transition(.starting, "starting", now) }
    case .healthy: transition(.running, "started", isReady: true, now)
    case .unhealthy: condemn(Self.unhealthy)
    }
  }

  private mutating func exited(_ found: ContainerState, _ now: Now) {
    stopProbing()
    if doom != nil || task.desiredState >= .shutdown { return conclude(now) }
    if found.exitCode == 0 {
      if status.state == .running { actions.append(.withdraw) }
      return transition(.complete, "finished", now)
    }
    if status.state < .starting { transition(.starting, "starting", now) }
    // Without a health check swarm calls a container started before it can end.
    if found.health == .none { status.message = "started" }
    let cause = found.error.isEmpty ? "" : ": \(found.error)"
    fail("task: non-zero exit (\(found.exitCode))\(cause)", now)
  }

  mutating func died(_ exitCode: Int, _ now: Now) {
    switch operation {
    case .start: earlyExit = exitCode
    case .stop, .remove: if status.state == .running { actions.append(.withdraw) }
    case .prepare, nil:
      guard var container, container.phase == .running else { return }
      container.phase = .exited
      container.exitCode = exitCode
      observe(container, now)
    }
  }

  mutating func changed(_ health: ContainerState.Health, _ now: Now) {
    if operation == .start { earlyHealth = health }
    guard var container, container.phase == .running else { return }
    container.health = health
    if operation == nil { observe(container, now) } else { self.container = container }
  }

  /// Stops a container that is wanted, for a reason that becomes the task's error.
  mutating func condemn(_ reason: String) {
    guard doom == nil else { return }
    doom = reason
    if status.state == .running { actions.append(.withdraw) }
    becomeReady(false)
  }
}
