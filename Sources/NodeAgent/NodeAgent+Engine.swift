// SPDX-License-Identifier: Apache-2.0

import ClusterModel
import EngineClient

/// The engine's side: its events, and looks that repair what they missed.
extension NodeAgent {
  static let lookInterval = Duration.seconds(10)

  func waitForEngine() async throws -> NodeDescription {
    var backoff = Backoff()
    var hasLogged = false
    while true {
      do { return NodeDescription(try await engine.info()) } catch {
        try Task.checkCancellation()
        if !hasLogged { logger.warning("waiting for the engine", metadata: ["error": "\(error)"]) }
        hasLogged = true
      }
      try await clock.sleep(backoff.next())
    }
  }

  func followEngine() async {
    var backoff = Backoff()
    var isAway = false
    while !Task.isCancelled {
      do {
        let filters = ["type": ["container"], "label": ["\(Labels.cluster)=\(clusterID)"]]
        let events = try await engine.events(since: nil, until: nil, filters: filters)
        // After subscribing, so that nothing falls between the two.
        try await lookAround()
        if isAway { logger.info("the engine is back") }
        (isAway, backoff) = (false, Backoff())
        for try await event in events { await take(event) }
      } catch {
        if Task.isCancelled { return }
        if !isAway { logger.warning("the engine is away", metadata: ["error": "\(error)"]) }
        isAway = true
      }
      do { try await clock.sleep(backoff.next()) } catch { return }
    }
  }

  private func take(_ event: EngineEvent) async {
    let attributes = event.actor.attributes
    guard let task = attributes[Labels.swarmTaskID], let controller = controllers[task] else { return }
    let id = event.actor.id
    switch event.action {
    case "die": await deliver(.died(container: id, exitCode: attributes["exitCode"].flatMap { Int($0) } ?? 0), to: task)
    case "destroy": if controller.container?.id == id { await deliver(.observed(nil), to: task) }
    case "oom": logger.warning("a container ran out of memory", metadata: ["task": "\(controller.task.name)"])
    default: if let health = Self.health(event.action) { await deliver(.health(container: id, health), to: task) }
    }
  }

  private static func health(_ action: String) -> ContainerState.Health? {
    let prefix = "health_status: "
    return action.hasPrefix(prefix) ? ContainerState.Health(rawValue: String(action.dropFirst(prefix.count))) : nil
  }

  func lookAroundRegularly() async {
    while (try? await clock.sleep(Self.lookInterval)) != nil {
      // An engine that does not answer is the event stream's matter.
      try? await lookAround()
      await removeUnusedOverlays()
      guestWake.yield()
    }
  }

  /// Compares every container with its controller, and removes those that belong to nobody.
  func lookAround() async throws {
    guard let calls else { return }
    let summaries = Dictionary(try await calls.containers().map { ($0.id, $0) }) { first, _ in first }
    for (task, controller) in controllers where controller.operation == nil {
      guard let id = controller.container?.id, summaries[id].map({ controller.disagrees(with: $0) }) ?? true else { continue }
      let found = try await calls.inspect(id)
      // What changed meanwhile is newer than this look.
      guard let now = controllers[task], now.begun == controller.begun else { continue }
      await deliver(.observed(found), to: task)
    }
    guard let assigned else { return }
    // One without a controller is about to have one.
    let ended = controllers.filter { $0.value.status.state.isTerminal }
    calls.removeFiles(ofTasksBesides: assigned.union(controllers.keys).subtracting(ended.keys))
    try await removeStrangers()
  }

  /// Only after a complete assignment, and only what carries both the cluster's and a task's label.
  func removeStrangers() async throws {
    guard let calls else { return }
    for container in try await calls.containers() {
      guard let task = container.labels[Labels.swarmTaskID], controllers[task] == nil, assigned?.contains(task) == false,
        strangersLeaving.insert(container.id).inserted
      else { continue }
      logger.info("removing a container that no task has", metadata: ["container": "\(container.names.first ?? container.id)"])
      addJob.yield { [weak self] in
        _ = await calls.remove(container.id)
        await self?.strangerLeft(container.id)
      }
    }
  }

  /// The first process of a task's container, as the engine has it now; `nil` when it does not run here.
  func process(ofTask id: String) async throws -> Int? {
    guard let container = controllers[id]?.container?.id else { return nil }
    return try await calls?.process(of: container)
  }

  private func strangerLeft(_ id: String) { strangersLeaving.remove(id) }
}

extension TaskController {
  /// Whether a look at the container itself is worth it.
  fileprivate func disagrees(with summary: ContainerSummary) -> Bool {
    if status.state.isTerminal { return summary.state == "running" }
    guard summary.state == "running" else { return !(status.state == .ready && summary.state == "created") }
    return status.state != .running || summary.status.contains("unhealthy")
  }
}
