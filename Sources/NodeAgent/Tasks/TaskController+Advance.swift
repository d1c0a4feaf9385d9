// SPDX-License-Identifier: Apache-2.0

import ClusterModel

extension TaskController {
  /// The one place that begins operations.
  mutating func advance(_ now: Now) {
    guard !isGone else { return }
    guard operation == nil else { return cancelIfPointless() }
    if let retryAt, now.uptime < retryAt { return }
    retryAt = nil
    if isUnassigned { return run(.remove) }
    if status.state.isTerminal || doom != nil || task.desiredState >= .shutdown { return end(now) }
    switch status.state {
    case ...TaskState.assigned: prepare(now)
    case .accepted: prepare(now)
    case .preparing: run(.prepare)
    case .ready: if task.desiredState > .ready { start(now) }
    case .starting: if container?.phase == .created { run(.start) }
    default: break
    }
  }

  private mutating func prepare(_ now: Now) {
    if status.state < .accepted { transition(.accepted, "accepted", now) }
    transition(.preparing, "preparing", now)
    run(.prepare)
  }

  private mutating func start(_ now: Now) {
    transition(.starting, "starting", now)
    run(.start)
  }

  private mutating func end(_ now: Now) {
    stopProbing()
    if container?.phase == .running { return run(.stop) }
    if !status.state.isTerminal { conclude(now) }
  }

  /// Nothing runs any more, and that was asked for or decided.
  mutating func conclude(_ now: Now) {
    if let doom {
      fail(doomText(doom), now)
    } else {
      transition(.shutdown, "shutdown", now)
    }
  }

  // The exit code in front, as swarm has it; a container that ends well was unhealthy all the same.
  private func doomText(_ reason: String) -> String {
    guard reason == Self.unhealthy, let code = container?.exitCode, code != 0 else { return reason }
    return "task: non-zero exit (\(code)): \(reason)"
  }

  private mutating func run(_ operation: Operation) {
    let id = container?.id ?? task.name
    self.operation = operation
    begun += 1
    isCancelling = false
    switch operation {
    case .prepare: actions.append(.prepare)
    case .start: actions.append(.start(container: id))
    case .stop: actions.append(.stop(container: id))
    case .remove:
      stopProbing()
      actions.append(.remove(container: id))
    }
  }

  private mutating func cancelIfPointless() {
    let unwanted = isUnassigned || task.desiredState >= .shutdown || status.state.isTerminal
    guard !isCancelling, (operation == .prepare && unwanted) || (operation == .stop && isUnassigned) else { return }
    isCancelling = true
    actions.append(.cancel)
  }
}
