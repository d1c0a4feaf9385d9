// SPDX-License-Identifier: Apache-2.0

import ClusterModel

/// What operations answer.
extension TaskController {
  static let retryDelay = Duration.seconds(1)

  mutating func assign(_ task: ClusterTask) {
    let desired = max(task.desiredState, self.task.desiredState)
    self.task = task
    self.task.desiredState = desired
    // The managers end tasks too: a node that was away too long finds them orphaned.
    if task.status.state.isTerminal, !status.state.isTerminal { status = task.status }
  }

  mutating func prepared(_ result: Result<ContainerState, TaskFailure>, _ now: Now) {
    operation = nil
    switch result {
    case .success(let container): observe(container, now)
    case .failure(let failure):
      switch failure.code {
      case .cancelled: break
      case .refused: fail(failure.message, now)
      case .unresolvable: fail(failure.message, message: "resolving controller failed", now)
      }
    }
  }

  mutating func started(_ result: Result<ContainerState, TaskFailure>, _ now: Now) {
    operation = nil
    defer { (earlyExit, earlyHealth) = (nil, nil) }
    switch result {
    case .success(var container):
      if let earlyExit, container.phase == .running {
        container.phase = .exited
        container.exitCode = earlyExit
      }
      if let earlyHealth, container.health == .starting { container.health = earlyHealth }
      observe(container, now)
    case .failure(let failure):
      if failure.code == .cancelled { return }
      if let found = failure.container { container = found }
      fail("starting container failed: \(failure.message)", now)
    }
  }

  mutating func stopped(_ result: Result<ContainerState?, TaskFailure>, _ now: Now) {
    operation = nil
    switch result {
    case .success(let container):
      self.container = container
      // A stop that left it running is tried again.
      if container?.phase == .running { return retryLater(now) }
      if !status.state.isTerminal { conclude(now) }
    case .failure(let failure): if failure.code != .cancelled { retryLater(now) }
    }
  }

  mutating func removed(_ result: Result<Void, TaskFailure>, _ now: Now) {
    operation = nil
    guard case .success = result else { return retryLater(now) }
    isGone = true
    actions += [.withdraw, .forget]
  }

  private mutating func retryLater(_ now: Now) {
    let time = now.uptime + Self.retryDelay
    retryAt = time
    actions.append(.wake(at: time))
  }
}
